"""troth proxy --route and --pass: each name goes to its backend, what has none is refused, TLS is passed on byte by byte, in one listener; also
PROXY headers, Encrypted Client Hello, reloads, metrics.
ctest: timeout=300"""
import json
import os
import re
import resource
import signal
import socket
import ssl
import subprocess
import threading
import urllib.request

from serving import D, TROTH, Server, authority, check, finish, home_page, refused, run

for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
    os.environ.pop(name, None)
authority()
CA = f"{D}/ca.pem"
ours = []
for name in ("a.example", "b.example", "*.c.example", "outer.example", "behind.example"):
    run("ca", "issue", name, "--out", D)
    file = name.replace("*", "_wildcard")
    if name != "behind.example":
        ours += ["--cert", f"{D}/{file}.pem", "--key", f"{D}/{file}-key.pem"]


class Backend:
    """Plain: answers each line with its own name and that line; `heads`: what came in front of the first."""

    def __init__(self, name, path=None):
        self.name, self.heads = name, []
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(path)
            self.listener.listen()
        else:
            self.listener = socket.create_server(("127.0.0.1", 0))
            self.at = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.loop, daemon=True).start()

    def loop(self):
        while True:
            c, _ = self.listener.accept()
            threading.Thread(target=self.one, args=(c,), daemon=True).start()

    def one(self, c):
        data = b""
        try:
            while more := c.recv(65536):
                data += more
                if data.endswith(b"\n") and not data.endswith(b"\r\n"):  # which is a header's
                    head, _, line = data[:-1].rpartition(b"\n")
                    self.heads.append(head)
                    c.sendall(f"{self.name} {line.decode()}\n".encode())
                    data = b""
        except OSError:
            pass
        c.close()


def says(port, name, line="hello", context=None, **more):
    """What the backend of that name answers; or why there is none."""
    context = context or ssl.create_default_context(cafile=CA)
    for key, value in more.items():
        setattr(context, key, value)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as plain, context.wrap_socket(plain, server_hostname=name) as c:
            c.sendall(line.encode() + b"\n")
            return c.recv(1000).decode().strip()
    except OSError as e:
        return repr(e)


def blind():
    context = ssl.create_default_context(cafile=CA)
    context.check_hostname = False
    return context


A, B, C, REST = Backend("A"), Backend("B"), Backend("C", f"{D}/c.sock"), Backend("rest")
page = Server(home_page(), cert=f"{D}/behind.example.pem", key=f"{D}/behind.example-key.pem")
NAMED = ("--route", f"a.example={A.at}", "--route", f"B.Example={B.at}", "--route", f"*.c.example=unix:{D}/c.sock")

# ---- by name
p = Server(*ours, *NAMED, verb="proxy")
check("a name", says(p.port, "a.example") == "A hello", p.log())
check("another, whatever its case", says(p.port, "b.example") == "B hello", p.log())
check("a wildcard, over a unix socket", says(p.port, "x.c.example") == "C hello", p.log())
check("TLS 1.2", says(p.port, "b.example", maximum_version=ssl.TLSVersion.TLSv1_2) == "B hello", p.log())
for name, said in (("d.example", "nobody has that name"), ("x.y.c.example", "nobody has that name"), ("c.example", "nobody has that name"), (None, "no name was asked for")):
    answer = says(p.port, name, context=blind())
    check(f"{name}: refused", "UNRECOGNIZED_NAME" in answer.upper(), answer)
    line = next((x for x in p.log().split("\n") if "code=tls.sni" in x and (f"sni={name} " in x if name else "sni=" not in x)), "")
    check("and told, with what there is", p.said("code=tls.sni") and said in line and "*.c.example, a.example, b.example" in line, p.log()[-800:])
check("the log says which way", p.said("route=b.example") and f"backend={B.at} route=b.example" in p.log(), p.log()[-800:])
r = p.end()
p = Server(*ours, *NAMED, "--record", f"{D}/failures", verb="proxy")
says(p.port, "d.example", context=blind())
check("a refusal is recorded", p.said("event=recording code=tls.sni"), p.log()[-600:])
r = run("explain", *(f"{D}/failures/{f}" for f in os.listdir(f"{D}/failures")), status=None)
check("and comes out again", "tls.sni" in r.stdout and "came out again the same" in r.stdout + r.stderr and "another way" not in r.stdout, (r.stdout[-1500:], r.stderr))
says(p.port, "b.example"), says(p.port, "b.example")
p.kill(signal.SIGUSR2)
check("USR2 tells the routes", p.said("event=state-route route=b.example") and re.search(r"state-route route=b.example backend=\S+ connections=2", p.log()), p.log()[-900:])
check("ends in order", p.end() == 0, p.log()[-400:])


p = Server(*ours, "--route", f"z.example={A.at}", "--route", f"y.c.example={A.at}", "--route", f"*.c.example={A.at}", "--route", f"c.example={A.at}", verb="proxy")
check("a name that no certificate has is warned of", [re.search(r"route=(\S+)", x).group(1) for x in p.log().split("\n") if "no certificate that is loaded has this name" in x] == ["c.example", "z.example"],
      p.log())
p.end()

# ---- a session is that of one name
def resumes(port, first, then):
    context = blind()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain, context.wrap_socket(plain, server_hostname=first) as c:
        c.sendall(b"x\n")
        c.recv(100)
        session = c.session
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain, context.wrap_socket(plain, server_hostname=then, session=session) as c:
        c.sendall(b"y\n")
        return c.session_reused, c.recv(100)


p = Server(*ours, *NAMED, "--backend", REST.at, verb="proxy")
check("resumed: the same name", resumes(p.port, "a.example", "a.example") == (True, b"A y\n"), p.log()[-600:])
check("another name has no use of a session, and has its own backend", resumes(p.port, "a.example", "b.example") == (False, b"B y\n"), p.log()[-600:])
check("--backend has the rest", says(p.port, "d.example", context=blind()) == "rest hello" and says(p.port, None, context=blind()) == "rest hello", p.log()[-600:])
p.end()

# ---- passed on, beside what is not
metrics = socket.create_server(("127.0.0.1", 0))
scrape = metrics.getsockname()[1]
metrics.close()
p = Server(*ours, *NAMED, "--pass", f"behind.example=127.0.0.1:{page.port}", "--timeout", "3", "--metrics", str(scrape), verb="proxy")
behind = ssl.create_default_context(cafile=CA)


def page_through(port, chunks=None, context=None, name="behind.example"):
    """The page, TLS by hand: the hello goes out in these pieces."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    t = (context or behind).wrap_bio(incoming, outgoing, server_hostname=name)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            t.do_handshake()
        except ssl.SSLWantReadError:
            pass
        hello = outgoing.read()
        for piece in chunks(hello) if chunks else (hello,):
            s.sendall(piece)
        for step in (t.do_handshake, lambda: t.write(b"GET / HTTP/1.1\r\nHost: behind.example\r\nConnection: close\r\n\r\n"), lambda: t.read(4096)):
            while True:
                try:
                    got = step()
                    s.sendall(outgoing.read())
                    break
                except ssl.SSLWantReadError:
                    s.sendall(outgoing.read())
                    more = s.recv(65536)
                    if not more:
                        return b"the end"
                    incoming.write(more)
        return got


def in_records(n):
    def cut(hello):
        body = hello[5:]
        return [hello[:3] + len(body[i:i + n]).to_bytes(2, "big") + body[i:i + n] for i in range(0, len(body), n)]
    return cut


check("passed on", b"200" in page_through(p.port), p.log()[-600:])
check("its certificate is the backend's", b"200" in page_through(p.port, lambda h: [h[i:i + 1] for i in range(len(h))]), p.log()[-600:])
check("a hello in records of 1 byte", b"200" in page_through(p.port, in_records(1)), p.log()[-600:])
check("in records of 100", b"200" in page_through(p.port, in_records(100)), p.log()[-600:])


def hello_of(name, said=None, more=b""):
    """The ClientHello of a client that asks for this name, or for another that is as long."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    t = blind().wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        t.do_handshake()
    except ssl.SSLWantReadError:
        pass
    hello = outgoing.read()
    assert hello.count(name.encode()) == 1
    return t, incoming, outgoing, hello.replace(name.encode(), said or name.encode()) + more


def answer_to(port, hello, size=1):
    """The first bytes that come back; empty: none, or a reset."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
        s.sendall(hello)
        try:
            return s.recv(size)
        except ConnectionError:
            return b""


HELLO, ALERT, NO_SUCH_NAME, MALFORMED = b"\x16", b"\x15", b"\x15\x03\x03\x00\x02\x02\x70", b"\x15\x03\x03\x00\x02\x02\x2f"
for said, what in ((b"BEHIND.example", HELLO), (b"behind.exampl.", NO_SUCH_NAME), (b"behind.exampl\0", MALFORMED), (b"behind.exampl\xff", MALFORMED), (b"behind. xample", MALFORMED),
                   (b"*.c.example...", NO_SUCH_NAME), (b"..............", NO_SUCH_NAME), (b"192.168.100.10", NO_SUCH_NAME)):
    got = answer_to(p.port, hello_of("behind.example", said)[3], 7)
    check(f"{said}: by that very name", got == what or (what == HELLO and got[:1] == HELLO), (got, p.log()[-400:]))
check("the root's own dot", answer_to(p.port, hello_of("behind.exampleX", b"behind.example.")[3]) == HELLO, p.log()[-400:])


def longer(hello, n):
    """The same with n bytes more, in an extension that nobody knows, and without its record."""
    body = hello[9:]
    at = 34 + 1 + body[34]
    at += 2 + int.from_bytes(body[at:at + 2], "big")
    at += 1 + body[at]
    extensions = body[at + 2:] + b"\xfa\xfb" + n.to_bytes(2, "big") + bytes(n)
    body = body[:at] + len(extensions).to_bytes(2, "big") + extensions
    return b"\x01" + len(body).to_bytes(3, "big") + body


def answer_in(message, size):
    return answer_to(p.port, b"".join(b"\x16\x03\x01" + len(message[i:i + size]).to_bytes(2, "big") + message[i:i + size] for i in range(0, len(message), size)))


long_one = longer(hello_of("behind.example")[3], 40000)
check("a long hello is passed on, and is not kept at six times its length", [answer_in(long_one, size) for size in (16384, 100, 1)] == [HELLO, HELLO, ALERT], p.log()[-600:])
check("what comes behind the hello goes along", answer_to(p.port, hello_of("behind.example", more=b"\x17\x03\x03\x40\x00" + 3 * bytes(16384))[3]) == HELLO, p.log()[-400:])
check("what is not passed on is ended here", says(p.port, "a.example") == "A hello", p.log()[-600:])
check("the log says passed", p.said("route=behind.example passed=yes") and "sni=behind.example" in p.log(), p.log()[-600:])
check("other names are refused still", "UNRECOGNIZED_NAME" in says(p.port, "d.example", context=blind()).upper(), p.log()[-400:])
seen = socket.create_connection(("127.0.0.1", p.port), timeout=20)
seen.sendall(b"GET / HTTP/1.1\r\n\r\n")
try:
    got = seen.recv(100)
except ConnectionError:
    got = b""
check("plain HTTP is refused as ever", b"HTTP" not in got and p.said("peer.not-tls.http"), (got, p.log()[-400:]))
slow = socket.create_connection(("127.0.0.1", p.port), timeout=20)
slow.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
check("half a hello has --timeout", slow.recv(10) == b"" and p.said("net.timeout-handshake"), p.log()[-400:])
huge = socket.create_connection(("127.0.0.1", p.port), timeout=20)
huge.sendall(b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + bytes(16380))
try:
    got = huge.recv(100)
except ConnectionError:
    got = b""
check("a hello has a size", len(got) < 10 and p.said("saw=") and "route=" not in p.log().strip().split("\n")[-1], p.log()[-400:])
text = urllib.request.urlopen(f"http://127.0.0.1:{scrape}/metrics", timeout=20).read().decode()
counts = dict(re.findall(r'troth_backend_connections_total\{route="([^"]*)",tls="passed"\} (\d+)', text))
check("metrics count what is passed on", counts == {"behind.example": "9"} and 'route="a.example",tls="ended"} 1' in text, text)
out, into = (int(re.search(rf'troth_bytes_total{{dir="{d}"}} (\d+)', text).group(1)) for d in ("out", "in"))
check("and its bytes, once", 8 * 1000 < out < 80000 and 132000 < into < 500000, (out, into))

# ---- a name is asked for once: what comes after a HelloRetryRequest asks for the same
q = Server(*ours, "--route", f"a.example={A.at}", "--route", f"b.example={B.at}", "--always-retry", verb="proxy")
for again, good in ((b"a.example", True), (b"b.example", False)):
    t, incoming, outgoing, hello = hello_of("a.example")
    with socket.create_connection(("127.0.0.1", q.port), timeout=20) as s:
        s.sendall(hello)
        incoming.write(s.recv(65536))
        try:
            t.do_handshake()
        except ssl.SSLWantReadError:
            pass
        s.sendall(outgoing.read().replace(b"a.example", again))
        got = s.recv(65536)
    check(f"the second hello asks for {again}", (got[:1] == HELLO) == good and (good or "server_name is not that of the first" in q.log()), (got[:20], q.log()[-400:]))
check("ends in order", q.end() == 0, q.log()[-400:])

# ---- nobody behind, and no file to reach him with
q = Server(*ours, "--route", f"a.example=unix:{D}/nowhere.sock", "--pass", f"behind.example=unix:{D}/nowhere.sock", "--pass", f"b.example={B.at}", verb="proxy")
says(q.port, "a.example")
check("a socket file that is not there", q.said('route=a.example code=net.unreachable saw="No such file or directory"'), q.log()[-400:])


def is_reset(name):
    try:
        return page_through(q.port, name=name)
    except ConnectionError:
        return True


check("passed on likewise, and the client is reset", is_reset("behind.example") is True and q.said("passed=yes hs=") and
      re.search(r"sni=behind.example code=net.unreachable saw=\"No such", q.log()), q.log()[-400:])
most = len(os.listdir(f"/proc/{q.process.pid}/fd")) + 1
resource.prlimit(q.process.pid, resource.RLIMIT_NOFILE, (most, most))
check("no file is left", is_reset("b.example") is True and q.said('sni=b.example code=serve.files saw="Too many open files"'), q.log()[-600:])
check("ends in order", q.end() == 0, q.log()[-400:])

# ---- both ways to the end, and more than fits anywhere
big = os.urandom(1 << 20) * 6
want, sink = [], socket.create_server(("127.0.0.1", 0))


def swallow():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(f"{D}/behind.example.pem", f"{D}/behind.example-key.pem")
    c, _ = sink.accept()
    with context.wrap_socket(c, server_side=True) as t:
        data = b""
        while len(data) < len(big):
            data += t.recv(1 << 20)
        want.append(data == big)
        t.sendall(big)


threading.Thread(target=swallow, daemon=True).start()
q = Server("--pass", f"behind.example=127.0.0.1:{sink.getsockname()[1]}", verb="proxy")
with socket.create_connection(("127.0.0.1", q.port), timeout=60) as plain, behind.wrap_socket(plain, server_hostname="behind.example") as c:
    c.sendall(big)
    back = b""
    while len(back) < len(big):
        back += c.recv(1 << 20)
check("6 MiB there and back, with no certificate of ours", want == [True] and back == big, q.log()[-400:])
check("and with none no other name is served", "UNRECOGNIZED_NAME" in says(q.port, "a.example", context=blind()).upper(), q.log()[-400:])
q.end()

# ---- whom a connection comes from
heard = []
front = socket.create_server(("127.0.0.1", 0))


def note_head():
    while True:
        c, _ = front.accept()
        c.settimeout(20)
        data = b""
        while b"behind.example" not in data[200:] and len(data) < 300:
            data += c.recv(65536)
        heard.append(data)
        c.close()


threading.Thread(target=note_head, daemon=True).start()
at = f"127.0.0.1:{front.getsockname()[1]}"
for version in ("v1", "v2"):
    q = Server(*ours, "--pass", f"behind.example={at},send-proxy={version}", "--route", f"a.example={A.at},send-proxy=v1", "--route", f"b.example={B.at}", verb="proxy")
    A.heads.clear()
    page_through(q.port)
    check(f"{version}: the route's own header", says(q.port, "a.example") == "A hello" and A.heads[0].startswith(b"PROXY TCP4 127.0.0.1 127.0.0.1 "), A.heads)
    check("and no other's", says(q.port, "b.example") == "B hello" and B.heads[-1] == b"", B.heads)
    check("ends in order", q.end() == 0, q.log()[-400:])
v1, v2 = heard
line, _, rest = v1.partition(b"\r\n")
check("v1 in front of the hello", line.startswith(b"PROXY TCP4 127.0.0.1 ") and rest[0] == 22, v1[:80])
n = 16 + int.from_bytes(v2[14:16], "big")
check("v2 with the name, and nothing that was not agreed with us",
      v2[:12] == b"\r\n\r\n\0\r\nQUIT\n" and b"\x02\x00\x0ebehind.example" in v2[:n] and v2[n] == 22 and b"TLSv1" not in v2[:n], v2[:n])

# ---- Encrypted Client Hello: the outer name is what can be seen, and ours to open is what is ours
run("ech", "keygen", "--public-name", "outer.example", "--output", f"{D}/ech.pem")
run("ech", "keygen", "--public-name", "behind.example", "--output", f"{D}/other.pem")
run("ca", "issue", "hidden.example", "--out", D)
hide = Server(f"{D}/web", "--cert", f"{D}/behind.example.pem", "--key", f"{D}/behind.example-key.pem", "--cert", f"{D}/hidden.example.pem", "--key",
              f"{D}/hidden.example-key.pem", "--ech-key", f"{D}/other.pem")
q = Server(*ours, "--route", f"a.example={A.at}", "--pass", f"behind.example=127.0.0.1:{hide.port}", "--ech-key", f"{D}/ech.pem", verb="proxy")


def connect(name, *more, status=0):
    return run("connect", name, "--connect-to", f"127.0.0.1:{q.port}", "--ca", CA, "--json", *more, status=status)


r = connect("hidden.example", "--ech-config", f"{D}/other.pem")
check("passed on by the outer name, opened behind", json.loads(r.stdout)["ok"] and q.said("sni=behind.example"), (r.stdout, q.log()[-400:]))
r = connect("a.example", "--ech-config", f"{D}/ech.pem")
check("routed by the inner name", json.loads(r.stdout)["ok"] and q.said("route=a.example"), (r.stdout, q.log()[-400:]))
r = connect("behind.example", "--ech-config", f"{D}/ech.pem", status=None)
check("encrypted to us, for a name that is passed on: come back in the clear", r.returncode and "tls.ech-rejected" in r.stdout + r.stderr, (r.stdout, r.stderr))
run("ech", "keygen", "--public-name", "outer.example", "--output", f"{D}/stale.pem")
r = connect("a.example", "--ech-config", f"{D}/stale.pem", status=None)
check("to a key of ours that is gone: told the new one", "tls.ech-rejected" in r.stdout + r.stderr and q.said("sni=outer.example") and
      re.search(r"sni=outer.example code=(peer.alert.ech_required|tls.sni) ", q.log()), (r.stdout, r.stderr, q.log()[-400:]))
r = connect("a.example", "--sni", "d.example", "--ech-grease", status=None)
check("GREASE makes no name known", "unrecognized_name" in r.stdout and q.said("sni=d.example code=tls.sni"), (r.stdout, r.stderr, q.log()[-600:]))
check("ends in order", q.end() == 0, q.log()[-400:])

# ---- reloads: checked first, and the old ones stay
conf = f"{D}/proxy.yaml"


def write(text):
    with open(conf, "w", encoding="utf-8") as f:
        f.write("".join(f"cert: [{', '.join(ours[1::4])}]\nkey: [{', '.join(ours[3::4])}]\n") + text)


def again(q, text, word):
    before = q.log().count("event=reload ")
    write(text)
    q.kill(signal.SIGHUP)
    for _ in range(400):
        if q.log().count(" result=") > again.told:
            break
        q.said("no such word", seconds=0.05)
    again.told = q.log().count(" result=")
    return word in q.log().strip().split("\n")[-1] + q.log()[-1500:]


again.told = 0
write(f"route:\n  a.example: {A.at}\n  \"*.c.example\": unix:{D}/c.sock\npass: [ behind.example=127.0.0.1:{page.port} ]\n")
q = Server("--config", conf, verb="proxy")
check("a mapping, and a list", says(q.port, "a.example") == "A hello" and says(q.port, "z.c.example") == "C hello" and b"200" in page_through(q.port), q.log())
with socket.create_connection(("127.0.0.1", q.port), timeout=20) as plain, behind.wrap_socket(plain, server_hostname="a.example") as c:
    c.sendall(b"one\n")
    first = c.recv(100)
    check("HUP", again(q, f"route:\n  b.example: {A.at}\n", "result=ok"), q.log()[-600:])
    check("a new name comes, an old one goes", says(q.port, "b.example") == "A hello" and "UNRECOGNIZED_NAME" in says(q.port, "a.example").upper(), q.log()[-600:])
    c.sendall(b"two\n")
    check("what is open stays", first + c.recv(100) == b"A one\nA two\n", q.log()[-600:])
check("and is in order", q.said("route=a.example code="), q.log()[-600:])
check("a mistake", again(q, f"route:\n  b.example: {A.at}\n  B.example: {B.at}\n", "kept the old configuration") and "proxy.yaml:5: route: `B.example=" in q.log(), q.log()[-900:])
check("a certificate that is not there", again(q, f"route:\n  a.example: {A.at}\nstaple: nowhere.der\n", "kept the old configuration"), q.log()[-600:])
check("keeps the old routes", says(q.port, "b.example") == "A hello", q.log()[-600:])
spare = socket.create_server(("127.0.0.1", 0))
reached = again(q, f"route:\n  a.example: 127.0.0.1:{spare.getsockname()[1]}\n", "kept the old configuration")
confined = "network=confined" in q.log()
check("a port that the sandbox does not know", reached == confined and (not confined or "sandbox does not reach" in q.log()), q.log()[-900:])
check("without routes", again(q, f"backend: {A.at}\n", "result=ok") or "event=reload option=backend" in q.log(), q.log()[-600:])
check("ends in order", q.end() == 0, q.log()[-400:])

# ---- mistakes
refused(("no route", "shop.example=127.0.0.1:8080"), "proxy", "--route", "a.example", "--check-config", *ours)
refused(("--wrap", "--route"), "proxy", "--wrap", "a.example", "--route", f"a.example={A.at}")
refused(("where to forward to",), "proxy", *ours)
refused(("a server needs --cert",), "proxy", "--route", f"a.example={A.at}")
refused(("--backend",), "proxy", "--route", f"127.0.0.1={A.at}", *ours)
refused(("no place to connect to",), "proxy", "--pass", "a.example=http://a.example/", *ours)
check("--check-config", "in order" in run("proxy", *ours, *NAMED, "--check-config").stdout)
printed = run("proxy", *ours, *NAMED, "--print-config").stdout
check("--print-config", f"  - a.example={A.at}  # the command line" in printed and "\nroute:\n" in printed, printed)
for text, words in (("route: { a.example: { b: c } }\n", "has a mapping in its mapping"), ("route: { a.example: x, a.example: y }\n", "has `a.example' in line 3 already"),
                    ("route: {}\n", "empty mapping"), ("route: { a.example: }\n", "no value"), ("route: { \"a=b\": x }\n", "in front of the colon"),
                    ("cert: { a: b }\n", "a mapping, where a value"), ("rout: { a: b }\n", "did you mean `route'")):
    if text.startswith("cert"):
        open(conf, "w", encoding="utf-8").write("\n\n" + text)
    else:
        write(text)
    r = run("proxy", "--config", conf, "--check-config", status=2)
    check(f"a file: {text.strip()}", words in r.stderr and "proxy.yaml:3: " in r.stderr, r.stderr)
finish()
