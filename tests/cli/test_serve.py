"""troth serve, as a client sees it and as its operator does: HTTP, what it must never give away, signals, mistakes at its start.
ctest: slow timeout=300"""
import json
import os
import shlex
import signal
import socket
import subprocess
import time

from serving import D, TROTH, Server, ask, authority, check, finish, run, tls

authority()
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"
web = f"{D}/web"
os.makedirs(f"{web}/sub")
os.makedirs(f"{web}/empty")
files = {"index.html": b"<h1>home</h1>", "sub/index.html": b"<h1>sub</h1>", "a b.txt": b"blank", "style.css": b"body{}", "none": b"",
         "data.bin": bytes(range(256)) * 4096}
for name, text in files.items():
    with open(f"{web}/{name}", "wb") as f:
        f.write(text)
with open(f"{D}/secret.txt", "wb") as f:
    f.write(b"outside the root")
os.symlink("../secret.txt", f"{web}/leak.txt")
os.symlink("/etc/passwd", f"{web}/passwd")
os.symlink("style.css", f"{web}/inside.css")
os.mkfifo(f"{web}/pipe")
s = Server(web, "-v", "--timeout", "2", "--grace", "5", cert=CERT, key=KEY)


def get(path, *headers, method="GET"):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers]
    return ask(s.port, CA, ("\r\n".join(lines) + "\r\n\r\n").encode())


# ---- HTTP
for path, want, kind in (("/", files["index.html"], "text/html"), ("/sub/", files["sub/index.html"], "text/html"),
                         ("/a%20b.txt", files["a b.txt"], "text/plain"), ("/style.css?v=1", files["style.css"], "text/css"),
                         ("/none", b"", "application/octet-stream"), ("/data.bin", files["data.bin"], "application/octet-stream"),
                         ("/inside.css", files["style.css"], "text/css")):
    status, headers, body = get(path)
    check(f"GET {path}", status == 200 and body == want and headers["content-type"].startswith(kind), (status, headers, len(body)))
status, headers, body = get("/data.bin", method="HEAD")
check("HEAD", status == 200 and not body and headers["content-length"] == str(len(files["data.bin"])), (status, headers, len(body)))
status, headers, _ = get("/sub")
check("a directory without its slash", status == 301 and headers["location"] == "/sub/", (status, headers))
data = files["data.bin"]
for given, part in (("bytes=0-9", data[:10]), ("bytes=1048570-", data[1048570:]), ("bytes=-5", data[-5:]), ("bytes=100-2000000", data[100:])):
    status, headers, body = get("/data.bin", "Range: " + given)
    check("range " + given, status == 206 and body == part and headers["content-range"].endswith(f"/{len(data)}"), (status, headers))
check("a range behind the end", get("/data.bin", "Range: bytes=9999999-")[0] == 416)
for given in ("bytes=5-2", "lines=1-2", "bytes=a-b", "bytes=0-1,3-4"):
    status, _, body = get("/data.bin", "Range: " + given)
    check("a range that is none: " + given, status == 200 and body == data, status)
status, headers, _ = get("/sub?a=1&b=%20")
check("and its query goes along", headers["location"] == "/sub/?a=1&b=%20", headers)
check("the log says what was asked for and what was answered", s.said('method=GET status=301 target="/sub?a=1&b=%20"') and "method=GET status=416 target=/data.bin" in s.log()
      and "method=HEAD status=200 target=/data.bin" in s.log(), s.log()[-600:])
_, headers, _ = get("/style.css")
check("304", get("/style.css", "If-Modified-Since: " + headers["last-modified"])[0] == 304)
for method in ("POST", "PUT", "DELETE", "OPTIONS"):
    status, headers, _ = get("/", "Content-Length: 0", method=method)
    check("405 for " + method, status == 405 and "GET" in headers.get("allow", ""), (status, headers))
for path in ("/../secret.txt", "/%2e%2e/secret.txt", "/sub/../../secret.txt", "/..%2fsecret.txt", "/leak.txt", "/passwd", "/pipe", "/empty/",
             "//etc/passwd", "/nothing", "/style.css/x", "/%00"):
    status, _, body = get(path)
    check("nothing at " + path, status in (400, 403, 404) and b"outside" not in body and b"root:" not in body, (status, body[:60]))
status, _, _ = ask(s.port, CA, b"GET / HTTP/1.0\r\n\r\n")
check("HTTP/1.0", status == 200)
status = ask(s.port, CA, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: " + b"y" * 70000 + b"\r\n\r\n")[0]
check("headers that are too large", status in (0, 400, 413, 431), status)
with tls(s.port, CA) as c:  # several requests on a connection, the last two at once
    c.sendall(b"GET /style.css HTTP/1.1\r\nHost: x\r\n\r\n")
    first = c.recv(65536)
    c.sendall(b"GET /style.css HTTP/1.1\r\nHost: x\r\n\r\nGET /a%20b.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    rest = b"".join(iter(lambda: c.recv(65536), b""))
    check("keep-alive and pipelining", b"body{}" in first and b"body{}" in rest and b"blank" in rest, (first, rest))

# ---- who is no TLS client, or a slow one
with socket.create_connection(("127.0.0.1", s.port), timeout=8) as c:
    c.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = b"".join(iter(lambda: c.recv(4096), b""))
check("plain HTTP gets no page and an end", b"HTTP/1" not in answer and b"home" not in answer, answer)
check("plain HTTP is logged with its code", s.said("peer.not-tls.http"), s.log()[-300:])
start = time.time()
with socket.create_connection(("127.0.0.1", s.port), timeout=60) as c:
    c.sendall(b"\x16\x03\x01")
    try:
        c.recv(64)
        ended = True
    except OSError as e:
        ended = "timed out" not in str(e)
check("a handshake that does not go on is ended, but not at once", ended and time.time() - start > 1, time.time() - start)
check("and logged", s.said("net.timeout-handshake"), s.log()[-300:])
with tls(s.port, CA) as c:  # the handshake is done, the request never ends
    c.sendall(b"GET / HTTP/1.1\r\nHost")
    c.settimeout(60)
    try:
        c.recv(64)
        quiet = True
    except OSError as e:
        quiet = "timed out" not in str(e)
check("a request that does not go on is ended", quiet)
check("others are still served", get("/")[0] == 200)

# ---- signals
serial = tls(s.port, CA).getpeercert()["serialNumber"]
s.kill(signal.SIGUSR1)
s.kill(signal.SIGUSR2)
check("USR1 is harmless, USR2 tells the state", s.said("event=state-sandbox") and get("/")[0] == 200, s.log()[-400:])
states = [dict(w.split("=", 1) for w in shlex.split(line)) for line in s.log().splitlines() if " event=state" in line]
told = {line["event"]: line for line in states}
check("of the program, where it listens, and as whom", len(states) == 4 and told["state"]["version"] and int(told["state"]["handshakes"]) > 3 and
      int(told["state"]["failed"]) >= 0 and told["state-listener"]["port"] == str(s.port) and told["state-identity"]["file"] == CERT and
      "DNS:localhost" in told["state-identity"]["names"].split(",") and told["state-identity"]["not_after"].endswith("Z"), repr(states))
good_cert, good_key = open(CERT, "rb").read(), open(KEY, "rb").read()
os.chmod(CERT, 0o644)
open(CERT, "wb").write(b"this is no certificate\n")
s.kill(signal.SIGHUP)
check("a reload with a bad file is refused", s.said("kept the old"), s.log()[-400:])
check("and the old one goes on", get("/")[0] == 200)
os.makedirs(f"{D}/second")
for f in ("ca.pem", "ca-key.pem"):
    os.link(f"{D}/{f}", f"{D}/second/{f}")
run("ca", "issue", "localhost", "127.0.0.1", "--out", f"{D}/second")
open(CERT, "wb").write(open(f"{D}/second/localhost.pem", "rb").read())
os.chmod(KEY, 0o600)
open(KEY, "wb").write(open(f"{D}/second/localhost-key.pem", "rb").read())
s.kill(signal.SIGHUP)
check("a reload with a good one", s.said("result=ok") or s.said('result="ok"', 1), s.log()[-300:])
with tls(s.port, CA) as c:
    check("new connections see the new certificate", c.getpeercert()["serialNumber"] != serial)
open(CERT, "wb").write(good_cert)
open(KEY, "wb").write(good_key)

slow = tls(s.port, CA)  # under way while the end comes
slow.sendall(b"GET /data.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
slow.recv(1024)
s.kill(signal.SIGTERM)
time.sleep(0.3)
try:
    socket.create_connection(("127.0.0.1", s.port), timeout=1).close()
    listening = True
except OSError:
    listening = False
check("SIGTERM: no new connections", not listening)
got = 1024 + sum(map(len, iter(lambda: slow.recv(65536), b"")))
check("SIGTERM: the open one is served to its end", got > len(data), got)
slow.close()
check("SIGTERM: exit status 0", s.process.wait(timeout=20) == 0, s.log()[-1500:])

# ---- an end that waits for nobody who has nothing to wait for
q = Server(web, "-v", "--grace", "600", cert=CERT, key=KEY)
kept, taking, fresh = (tls(q.port, CA) for _ in range(3))
for c, path in ((kept, "none"), (taking, "data.bin")):
    c.sendall(f"GET /{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    c.recv(1024)
kept.suppress_ragged_eofs = False
q.kill(signal.SIGTERM)
try:
    end = kept.recv(1)
except OSError as e:
    end = e
check("SIGTERM: who keeps a connection for later is told that it is over, in order", end == b"", end)
fresh.sendall(b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n")
check("SIGTERM: who has not asked yet may", b"200 OK" in (got := b"".join(iter(lambda: fresh.recv(1024), b""))) and b"Connection: close" in got, got)
got = sum(map(len, iter(lambda: taking.recv(65536), b"")))
check("SIGTERM: an answer that promised more is taken to its end, and the connection ends then", len(data) - 1024 <= got <= len(data) + 1024, got)
check("SIGTERM: and nobody is waited for", q.process.wait(timeout=60) == 0, q.log()[-500:])
for c in (kept, taking, fresh):
    c.close()

# ---- nor for whom it has said goodbye to already, who has not closed yet
q = Server(web, "--timeout", "1", cert=CERT, key=KEY)
parted = [tls(q.port, CA) for _ in range(3)]
for c in parted:
    c.sendall(b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n")
for c in parted:
    check("idle for too long: told that it is over", b"200 OK" in b"".join(iter(lambda c=c: c.recv(1024), b"")))
check("SIGTERM: who was told so before is in nobody's way", q.end() == 0, q.log()[-1500:])
for c in parted:
    c.close()

q = Server(web, "-q", "--json", "--grace", "600", cert=CERT, key=KEY)
held = tls(q.port, CA)
held.sendall(b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n")
held.recv(1024)  # so that the handshake is over there as well
q.kill(signal.SIGUSR2)
check("USR2: also under --quiet, as JSON", q.said("state-identity"), q.log())
state = json.loads(q.log().splitlines()[0])
check("USR2: a connection and its handshake are counted", (state["event"], state["connections"], state["handshakes"], state["failed"]) ==
      ("state", "1", "1", "0"), state)
q.kill(signal.SIGQUIT)
check("QUIT: at once, whoever is there", q.process.wait(timeout=60) == 0, q.log())
held.close()

# ---- mistakes
start_args = ("serve", web, "--listen", "127.0.0.1:0")


def mistake(what, status, words, *args):
    r = run(*args, status=None)
    text = r.stderr.strip()
    good = r.returncode == status and all(w in text for w in words) and len(text.split("\n")) <= 4 and not r.stdout and "Sanitizer" not in text
    check(what, good, (r.returncode, text))


with socket.create_server(("127.0.0.1", 0)) as busy:
    mistake("a port that is taken", 3, ["another program has this port"], "serve", web, "--listen", f"127.0.0.1:{busy.getsockname()[1]}",
            "--cert", CERT, "--key", KEY)
mistake("no certificate", 2, ["--cert"], *start_args)
mistake("a file that is missing", 8, ["/no/such.pem"], *start_args, "--cert", "/no/such.pem", "--key", KEY)
mistake("a directory that is missing", 8, ["/no/such/dir"], "serve", "/no/such/dir", "--cert", CERT, "--key", KEY)
mistake("a directory for a certificate", 8, [web], *start_args, "--cert", web, "--key", KEY)
other = f"{D}/other.key"
subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", other], check=True, capture_output=True)
mistake("a key of another certificate", 8, ["config.key-mismatch", CERT, other], *start_args, "--cert", CERT, "--key", other)
mistake("a key for a certificate", 8, ["config.is-key", KEY + ": "], *start_args, "--cert", KEY, "--key", KEY)
mistake("a certificate for a key", 8, ["config.key-is-certificate", CERT], *start_args, "--cert", CERT)
mistake("rubbish for a key", 8, ["config.", f"{web}/style.css"], *start_args, "--cert", CERT, "--key", f"{web}/style.css")
locked = f"{D}/locked.key"
subprocess.run(["openssl", "pkcs8", "-topk8", "-in", KEY, "-out", locked, "-passout", "pass:open sesame"], check=True, capture_output=True)
for name, word in (("right", "open sesame"), ("wrong", "open barley")):
    with open(f"{D}/{name}", "w", encoding="utf-8") as f:
        f.write(word + "\nsecond line\n")
mistake("an encrypted key without passphrase", 8, ["passphrase"], *start_args, "--cert", CERT, "--key", locked)
mistake("an encrypted key with the wrong one", 8, ["passphrase"], *start_args, "--cert", CERT, "--key", locked, "--passphrase-file", f"{D}/wrong")
again = Server(web, "--passphrase-file", f"{D}/right", "-q", cert=CERT, key=locked)
check("an encrypted key with the right one", ask(again.port, CA, "/")[0] == 200)
check("SIGINT ends it", again.end(signal.SIGINT) == 0)
for args, words in ((["nonsense"], ["nonsense"]), (["serv"], ["serve"]), (["connect"], ["HOST"]), (["connect", "a", "b"], ["one argument too many"]),
                    (["connect", "a:99999"], ["99999"]), (["connect", "--tiemout", "3", "a"], ["--timeout"]),
                    (["connect", "--timeout", "soon", "a"], ["soon"]), (["connect", "--timeout"], ["needs a value"]),
                    (["connect", "--min", "1.1", "a"], ["1.1"]), (["connect", "--min", "1.3", "--max", "1.2", "a"], ["--min"]),
                    (["connect", "--groups", "x25518", "a"], ["x25518"]), (["connect", "--suites", "RC4", "a"], ["RC4"]),
                    (["connect", "--alpn", "", "a"], ["--alpn"]), (["connect", "--json=yes", "a"], ["takes no value"]),
                    (["connect", "--listen", "x", "a"], ["means nothing here"]), (["connect", "-Z", "a"], ["-Z"]),
                    (["get", "http://localhost/"], ["https"]), (["serve", "--max-connections", "0"], ["--max-connections"]),
                    (["serve", "--log", "xml"], ["xml"]), (["serve", "--client-ca", CA, "--client-auth", "maybe", "--cert", CERT, "--key", KEY], ["maybe"]),
                    (["connect", "--starttls", "gopher", "a"], ["gopher"]), (["connect", ""], [])):
    mistake("mistake: troth " + " ".join(args), 2, words, *args)
r = subprocess.run([TROTH], capture_output=True, text=True, check=False)
check("troth alone: usage, exit status 2", r.returncode == 2 and "Usage" in r.stderr)
for verb in ("connect", "get", "serve", "verify", "inspect", "explain", "ca", "proxy", "check", "version"):
    r = run(verb, "--help")
    check(f"{verb} --help", r.stdout.startswith(f"troth {verb}") and "--json" in r.stdout)
finish()
