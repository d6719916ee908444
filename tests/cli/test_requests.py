"""ctest: slow timeout=300
Requests to `troth serve` that somebody on the way may read in another way, or that ask for what must not be given: nothing behind them is
taken for a request, no key leaves the folder, and a file that changes while it is sent ends one answer and nothing else."""
import ctypes
import os
import select
import ssl
import struct
import subprocess
import time

import serving
from serving import D, ByHand, Server, ask, authority, check, finish, home_page, run, tls

authority()
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"
web = home_page()
os.makedirs(f"{web}/dir")
for name, text in (("dir/index.html", "in a folder"), ("a.txt", "0123456789" * 10), ("secret.txt", "nobody asked for this")):
    with open(f"{web}/{name}", "w", encoding="utf-8") as f:
        f.write(text)
s = Server(web, "-v", "--timeout", "3", cert=CERT, key=KEY)


def all_of(request, server=None):
    with tls((server or s).port, CA) as c:
        c.sendall(request)
        try:
            return b"".join(iter(lambda: c.recv(65536), b""))
        except OSError as e:
            return repr(e).encode()


# ---- a body is no request, however its length is given
behind = b"GET /secret.txt HTTP/1.1\r\nHost: x\r\n\r\n"
length = b"Content-Length: %d\r\n" % len(behind)
chunked = b"Transfer-Encoding: chunked\r\n"
for what, method, headers in (
        ("a length", b"GET", length), ("a length", b"HEAD", length), ("a length", b"DELETE", length), ("a coding", b"GET", chunked),
        ("a coding that is not spoken", b"POST", b"Transfer-Encoding: xchunked\r\n"), ("two lengths", b"GET", b"Content-Length: 0\r\n" + length),
        ("both", b"GET", b"Content-Length: 0\r\n" + chunked), ("a length with a sign", b"POST", b"Content-Length: +0\r\n"),
        ("a length under a name with a blank", b"GET", b"Content-Length : %d\r\n" % len(behind))):
    got = all_of(method + b" /a.txt HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n" + behind)
    check(f"{method.decode()} with {what}: what is behind it is no request", b"nobody asked" not in got and got.count(b"HTTP/1.1 ") == 1 and
          (b" 400 " in got or b" 405 " in got or b" 413 " in got), got[:300])
got = all_of(b"GET /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" + behind)
check("a length of 0 is no body", b"nobody asked" in got and got.count(b" 200 OK") == 2, got[:300])
for what, headers, code in (("no Host", b"", 400), ("two", b"Host: a\r\nHost: b\r\n", 400), ("one that is none", b"Host: a/b\r\n", 400),
                            ("an empty one", b"Host:\r\n", 200), ("an address", b"Host: [::1]:8443\r\n", 200)):
    got = all_of(b"GET /a.txt HTTP/1.1\r\nConnection: close\r\n" + headers + b"\r\n")
    check("Host: " + what, got.startswith(b"HTTP/1.1 %d " % code), got[:100])
check("HTTP/1.0 needs none", b" 200 " in all_of(b"GET /a.txt HTTP/1.0\r\n\r\n"))
check("HTTP/1.7 is answered in 1.1", all_of(b"GET /a.txt HTTP/1.7\r\nHost: x\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200 "))
got = all_of(b"GET http://x//dir HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
check("a folder is on this host", b"\r\nLocation: /dir/\r\n" in got, got[:200])

# ---- many requests at once: answered one after the other, to the last; who takes no answer is read no further
MANY = 30000
one = b"GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n"
for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
    context = ssl.create_default_context(cafile=CA)
    context.minimum_version = context.maximum_version = version
    for end in ("nothing", "close_notify"):
        hand = ByHand(s.port, context, timeout=30)
        hand.step(hand.tls.do_handshake)
        hand.step(hand.tls.write, one)
        got = 0
        hand.socket.setblocking(False)
        hand.tls.write(one * (MANY - 1))
        if end == "close_notify":
            try:
                hand.tls.unwrap()
            except ssl.SSLWantReadError:
                pass
        out = hand.outgoing.read()
        until = time.time() + 60
        tail = b""
        while got < MANY and time.time() < until:
            r, w, _ = select.select([hand.socket], [hand.socket] if out else [], [], 1)
            if w:
                out = out[hand.socket.send(out[:1 << 16]):]
            if r:
                more = hand.socket.recv(1 << 18)
                if not more:
                    break
                hand.incoming.write(more)
                try:
                    while text := hand.tls.read(1 << 18):
                        got += (tail + text).count(b"HTTP/1.1 200 OK") - tail.count(b"HTTP/1.1 200 OK")
                        tail = (tail + text)[-14:]
                except ssl.SSLWantReadError:
                    pass
                except ssl.SSLZeroReturnError:
                    break
        check(f"{version.name}: {MANY} requests at once, then {end}", got == MANY, got)
        hand.socket.close()
with open(f"{web}/big", "wb") as f:
    f.write(b"x" * 40_000_000)
with tls(s.port, CA) as c:
    c.settimeout(1)
    n, part = 0, b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n" * 400
    try:
        while n < 64 << 20:
            n += c.send(part)
    except (OSError, ssl.SSLError):
        pass
    check("who takes no answer is not read any further", n < 32 << 20, n)

# ---- what evhttp refuses by itself is in the log as well, once
for what, request in (("no header", b"GET /a.txt HTTP/1.1\r\nHost: x\r\nnothing\r\n\r\n"), ("another method", b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n"),
                      ("too long", b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 70000 + b"\r\n\r\n")):
    with tls(s.port, CA) as c:
        peer = "%s:%d" % c.getsockname()
        c.sendall(request)
        try:
            got = b"".join(iter(lambda: c.recv(65536), b""))
        except OSError:
            got = b""
    s.said(f"event=request peer={peer} ")
    lines = [line for line in s.log().splitlines() if f"event=request peer={peer} " in line]
    check(f"the log has {what}", len(lines) == 1 and "code=serve.request" in lines[0] and "target" not in lines[0], (got[:60], lines))
with tls(s.port, CA) as c:
    peer = "%s:%d" % c.getsockname()
    c.sendall(b"GET /a.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    while c.recv(65536):
        pass
check("and nothing more of one that was answered", s.said(f"peer={peer} method=GET status=200") and s.log().count(f"event=request peer={peer} ") == 1)

# ---- empty lines in front of a request, of the first and of the next
with tls(s.port, CA) as c:
    for lines in (b"\r\n", b"\n\r\n\n", b""):
        c.sendall(lines + b"GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n")
        got = b""
        while not got.endswith(b"0123456789"):
            more = c.recv(4096)
            if not more:
                break
            got += more
        check(f"{lines} and a request", got.startswith(b"HTTP/1.1 200"), got)
check("a line with a blank is not empty", ask(s.port, CA, b"\r\n \r\nGET /a.txt HTTP/1.0\r\n\r\n")[0] == 400)

# ---- ranges and conditions
_, headers, _ = ask(s.port, CA, "/a.txt")
now, tag = headers["last-modified"], headers["etag"]
for what, method, more, code, n in (
        ("of the same file", "GET", "Range: bytes=1-2\r\nIf-Range: " + now, 206, 2), ("of another", "GET", "Range: bytes=1-2\r\nIf-Range: \"tag\"", 200, 100),
        ("of the same by its tag", "GET", "Range: bytes=1-2\r\nIf-Range: " + tag, 206, 2), ("of a weak tag", "GET", f"Range: bytes=1-2\r\nIf-Range: W/{tag}", 200, 100),
        ("of an older one", "GET", "Range: bytes=1-2\r\nIf-Range: Mon, 01 Jan 2024 00:00:00 GMT", 200, 100), ("for HEAD", "HEAD", "Range: bytes=1-2", 200, 0),
        ("with a blank", "GET", "Range: bytes= 1-2", 200, 100), ("with signs", "GET", "Range: bytes=+1-+2", 200, 100), ("of nothing", "GET", "Range: bytes=-", 200, 100),
        ("to far beyond", "GET", "Range: bytes=98-99999999999999999999999", 206, 2), ("from far beyond", "GET", "Range: bytes=99999999999999999999999-", 416, None),
        ("of the last 0", "GET", "Range: bytes=-0", 416, None), ("in capitals", "GET", "Range: BYTES=0-0", 206, 1)):
    status, headers, body = ask(s.port, CA, f"{method} /a.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}\r\n\r\n".encode())
    check("a range " + what, status == code and (n is None or len(body) == n), (status, headers, body[:30]))
for what, more, code in (("the date", "If-Modified-Since: " + now, 304), ("a tag before the date", f"If-None-Match: \"x\"\r\nIf-Modified-Since: {now}", 200),
                         ("any tag", "If-None-Match: *", 304), ("its tag", "If-None-Match: " + tag, 304), ("one of several", f'If-None-Match: "x", W/{tag}', 304),
                         ("its tag, and another date", f"If-None-Match: {tag}\r\nIf-Modified-Since: yesterday", 304), ("a part of its tag", "If-None-Match: " + tag[:-2] + '"', 200),
                         ("to match", "If-Match: " + tag, 200), ("to match any", "If-Match: *", 200), ("to match another", 'If-Match: "x"', 412),
                         ("to match a weak one", f"If-Match: W/{tag}", 412), ("no date", "If-Modified-Since: yesterday", 200),
                         ("unchanged since its date", "If-Unmodified-Since: " + now, 200), ("unchanged since then", "If-Unmodified-Since: Mon, 01 Jan 2024 00:00:00 GMT", 412),
                         ("in an old form", "If-Unmodified-Since: Monday, 01-Jan-24 00:00:00 GMT", 412), ("in the oldest", "If-Unmodified-Since: Mon Jan  1 00:00:00 2024", 412),
                         ("in none", "If-Unmodified-Since: Mon Jan  1 00:00:00 2024 and more", 200), ("unchanged until later", "If-Unmodified-Since: Wed, 01 Jan 2098 00:00:00 GMT", 200),
                         ("by its tag, whatever its date", f"If-Match: {tag}\r\nIf-Unmodified-Since: Mon, 01 Jan 2024 00:00:00 GMT", 200)):
    status = ask(s.port, CA, f"GET /a.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}\r\n\r\n".encode())[0]
    check("a condition: " + what, status == code, status)
before = os.stat(f"{web}/a.txt")
with open(f"{web}/new", "w", encoding="utf-8") as f:
    f.write("9876543210" * 10)
os.utime(f"{web}/new", ns=(before.st_atime_ns, before.st_mtime_ns // 10**9 * 10**9 + (before.st_mtime_ns + 1000) % 10**9))
os.rename(f"{web}/new", f"{web}/a.txt")
status, headers, body = ask(s.port, CA, f"GET /a.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\nIf-None-Match: {tag}\r\n\r\n".encode())
check("another file of the same second and size", headers["last-modified"] == now and status == 200 and body[:1] == b"9", (status, headers))
try:  # not every file system has such times
    os.utime(f"{web}/a.txt", (2**56, 2**56))
except OSError:
    pass
check("a file of the far future", ask(s.port, CA, "/a.txt")[0] == 200)
os.utime(f"{web}/a.txt")

# ---- keys
for own in (KEY, f"{D}/ca-key.pem"):
    os.link(own, f"{web}/{os.path.basename(own)}")
os.link(CERT, f"{web}/localhost.pem")
os.chmod(f"{web}/localhost-key.pem", 0o644)
for path, code in (("/localhost-key.pem", 403), ("/ca-key.pem", 403), ("/localhost.pem", 200)):
    status, _, body = ask(s.port, CA, path)
    check(f"keys in the folder: {path}", status == code and (b"PRIVATE KEY" in body) is False, (status, body[:80]))
os.chmod(KEY, 0o600)
for name in ("pass", "ticket", "older"):
    with open(f"{web}/{name}", "wb") as f:
        f.write(b"t" * 48)
with open(f"{web}/both.pem", "w", encoding="utf-8") as f:
    for part in (CERT, KEY):
        with open(part, encoding="utf-8") as g:
            f.write(g.read())
own = Server(web, "--passphrase-file", f"{web}/pass", "--ticket-key", f"{web}/ticket", "--ticket-key", f"{web}/older", "--keylog", f"{web}/keys.log",
             "--cert", f"{web}/both.pem")
for path in ("pass", "ticket", "older", "keys.log", "both.pem"):
    check(f"nor are others of ours given away: {path}", ask(own.port, CA, "/" + path)[0] == 403)
check("ends in order", own.end() == 0, own.log()[-600:])

# ---- a file that changes while it is sent
for change in ("shrinks", "grows", "is removed"):
    with open(f"{web}/big", "wb") as f:
        f.write(b"x" * 40_000_000)
    with tls(s.port, CA) as c:
        c.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        got = c.recv(1000)
        if change == "shrinks":
            os.truncate(f"{web}/big", 1000)
        elif change == "grows":
            with open(f"{web}/big", "ab") as f:
                f.write(b"y" * 1_000_000)
        else:
            os.unlink(f"{web}/big")
        n = len(got)
        try:
            while n < 40_000_000 + got.index(b"\r\n\r\n") + 4 and (more := c.recv(1 << 18)):
                n += len(more)
        except OSError:
            pass
        n -= got.index(b"\r\n\r\n") + 4
    check(f"a file that {change} while it is sent", n < 40_000_000 if change == "shrinks" else n == 40_000_000, n)
    check("and the server goes on", s.process.poll() is None and ask(s.port, CA, "/")[0] == 200, s.log()[-800:])
check("which the log tells", s.log().count("code=serve.file") == 1, [line for line in s.log().splitlines() if "serve.file" in line])
check("ends in order", s.end() == 0, s.log()[-800:])


# ---- without openat2(2): old kernels, and sandboxes that do not know it
def without_openat2():
    """Every call of it fails with ENOSYS from here on, also after exec (seccomp, x86-64 and arm64 alike: 437)."""
    libc = ctypes.CDLL(None, use_errno=True)
    code = [(0x20, 0, 0, 0), (0x15, 0, 1, 437), (0x06, 0, 0, 0x00050000 | 38), (0x06, 0, 0, 0x7fff0000)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
    filt = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code), ctypes.addressof(program)))
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, filt, 0, 0):
        os._exit(99)


os.symlink("/etc", f"{web}/etc")
os.symlink("a.txt", f"{web}/link.txt")
os.symlink("dir", f"{web}/other")
real = subprocess.Popen
serving.subprocess.Popen = lambda *a, **k: real(*a, preexec_fn=without_openat2, **k)
old = Server(web, cert=CERT, key=KEY)
serving.subprocess.Popen = real
for path, code in (("/", 200), ("/a.txt", 200), ("/dir/", 200), ("/dir", 301), ("/dir//index.html", 200), ("/./a.txt", 200), ("/a.txt/", 404), ("/dir/../a.txt", 404),
                   ("/link.txt", 404), ("/other/index.html", 404), ("/etc/passwd", 404), ("/etc/", 404), ("/%2e%2e/ca.pem", 404), ("/" + "n" * 300, 404)):
    status, _, body = ask(old.port, CA, path)
    check(f"without openat2: {path[:30]}", status == code and b"root:" not in body, (status, body[:60]))
check("ends in order", old.end() == 0, old.log()[-800:])
finish()
