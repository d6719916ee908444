"""ctest: timeout=300
Servers behind a proxy: each verb through a tiny CONNECT proxy of our own, whom it leaves out (with curl as a witness of the same choice), and
proxies that refuse, hang, babble or talk something else.  No password ever shows."""
import glob
import json
import os
import shutil
import socket
import subprocess
import threading
import time

from serving import D, TROTH, Server, authority, check, finish, home_page, run

SECRET = "hunter2"
VARIABLES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")
for name in VARIABLES:
    os.environ.pop(name, None)
authority()
run("ca", "issue", "--out", D, "a.example")
CA, WEB = f"{D}/ca.pem", home_page()
server = Server(WEB, cert=f"{D}/a.example.pem", key=f"{D}/a.example-key.pem")
here = Server(WEB, cert=f"{D}/localhost.pem", key=f"{D}/localhost-key.pem")


def pump(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def hang(c):
    c.recv(1)  # until the peer goes


def relay(a, b):
    back = threading.Thread(target=pump, args=(b, a))
    back.start()
    pump(a, b)
    back.join()


class Proxy:
    """On a port of its own; `asked` is every request's head.  answer(socket): what it does once it has read one; without it: a way to
    `to`, whatever name was asked for, behind the answer `opened`."""

    def __init__(self, answer=None, family=socket.AF_INET, opened=b"HTTP/1.1 200 Connection established\r\nVia: 1.1 tiny\r\n\r\n"):
        self.answer, self.to, self.opened, self.asked = answer, server.port, opened, []
        self.listener = socket.create_server(("127.0.0.1" if family == socket.AF_INET else "::1", 0), family=family)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                c, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(c,), daemon=True).start()

    def exactly(self, c, n):
        data = b""
        while len(data) < n:
            more = c.recv(n - len(data))
            if not more:
                raise OSError
            data += more
        return data

    def hear(self, c):
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.exactly(c, 1)
        self.asked.append(head.decode("latin-1"))

    def talk(self, c):
        try:
            self.hear(c)
            (self.answer or self.open_way)(c)
        except OSError:
            pass
        finally:
            c.close()

    def open_way(self, c):
        with socket.create_connection(("127.0.0.1", self.to)) as there:
            c.sendall(self.opened)
            relay(c, there)

    def end(self):
        self.listener.close()


def troth(*args, status=0, env=None, stdin=subprocess.DEVNULL):
    """Runs it; standard output and error together; never with the password in them."""
    r = subprocess.run([TROTH, *args], capture_output=True, text=True, timeout=60, stdin=stdin, env={**os.environ, **(env or {})}, check=False)
    said = r.stdout + r.stderr
    check(f"{args[0]} {' '.join(args[1:])[-60:]}: exit {status}, nothing secret or raw", r.returncode == status and SECRET not in said and
          "\x1b" not in said, (r.returncode, said[-1500:]))
    return said


# ---- every verb, by the environment and by the option; the proxy resolves the name, the certificate is the target's
proxy = Proxy()
url = f"http://user:{SECRET}@127.0.0.1:{proxy.port}"
BASIC = "Proxy-Authorization: Basic dXNlcjpodW50ZXIy\r\n"
for verb, words in (("connect", "through the proxy 127.0.0.1"), ("get", "<h1>home</h1>"), ("explain", "TCP connected to a proxy, which opened a way"),
                    ("check", f"a.example:8443 (through the proxy 127.0.0.1:{proxy.port})")):
    for args, env in (((), {"HTTPS_PROXY": url}), (("--proxy", url), {"https_proxy": "http://127.0.0.1:1"})):
        before = len(proxy.asked)
        said = troth(verb, "--ca", CA, *args, "https://a.example:8443/" if verb == "get" else "a.example:8443", env=env)
        new = proxy.asked[before:]
        check(f"{verb}: {words}", words in said, said)
        check(f"{verb}: what the proxy is asked", new and all(q == f"CONNECT a.example:8443 HTTP/1.1\r\nHost: a.example:8443\r\nUser-Agent: troth\r\n{BASIC}\r\n"
                                                              for q in new), new)
        check(f"{verb}: every connection of it", len(new) > 20 if verb == "check" else len(new) == 1, len(new))
said = troth("connect", "-v", "--ca", CA, "a.example", env={"HTTPS_PROXY": url})
check("-v says it too", "TCP connected to a proxy, which opened a way" in said, said)
check("the usual port", "CONNECT a.example:443 HTTP/1.1" in proxy.asked[-1], proxy.asked[-1])
said = troth("connect", "--ca", CA, "b.example", status=5, env={"HTTPS_PROXY": url})
check("the certificate must be the target's", "cert.name-mismatch" in said, said)
o = json.loads(troth("connect", "--json", "--ca", CA, "a.example", env={"HTTPS_PROXY": url}))
check("--json names it", o["proxy"] == o["address"] == f"127.0.0.1:{proxy.port}", o)
o = json.loads(troth("check", "--json", "--ca", CA, "a.example", env={"HTTPS_PROXY": url}))
check("check --json names it", o["proxy"] == o["address"] == f"127.0.0.1:{proxy.port}", o)
troth("connect", "--ca", CA, "--record", f"{D}/kept", "--html", f"{D}/page.html", "--danger-record-secrets", "a.example", env={"HTTPS_PROXY": url})
kept = [open(p, "rb").read() for p in (f"{D}/kept", f"{D}/page.html")]
check("neither a recording nor a page has the password", all(SECRET.encode() not in k and b"dXNlcjpodW50ZXIy" not in k for k in kept))
said = troth("explain", f"{D}/kept")
check("and the recording replays", "ServerHello" in said, said[-800:])
v6 = Proxy(family=socket.AF_INET6)
said = troth("connect", "--ca", CA, "a.example", env={"all_proxy": f"[::1]:{v6.port}"})
check("a proxy with an IPv6 address, without a scheme", f"through the proxy [::1]:{v6.port}" in said and "Authorization" not in v6.asked[0], said)
v6.end()
# ---- SOCKS 5


class Socks(Proxy):
    """`asked` is what it was told: the user and password, and where to."""

    def __init__(self, answer=None):
        super().__init__(answer, opened=b"\5\0\0\1\x7f\0\0\1\0\1")

    def hear(self, c):
        methods = self.exactly(c, self.exactly(c, 2)[1])
        login = b""
        c.sendall(b"\5\2" if 2 in methods else b"\5\0")
        if 2 in methods:
            user = self.exactly(c, self.exactly(c, 2)[1])
            login = user + b":" + self.exactly(c, self.exactly(c, 1)[0])
            c.sendall(b"\1\0")
        kind = self.exactly(c, 4)[3]
        place = self.exactly(c, {1: 4, 4: 16}.get(kind) or self.exactly(c, 1)[0])
        self.asked.append((login, kind, place, int.from_bytes(self.exactly(c, 2), "big")))


socks = Socks()
for scheme in ("socks5", "socks5h"):
    for verb in ("connect", "get", "explain", "check"):
        before = len(socks.asked)
        troth(verb, "--ca", CA, "https://a.example:8443/" if verb == "get" else "a.example:8443",
              env={"ALL_PROXY": f"{scheme}://user:{SECRET}@127.0.0.1:{socks.port}"})
        new = socks.asked[before:]
        check(f"{verb} through {scheme}://", new and all(q == (b"user:hunter2", 3, b"a.example", 8443) for q in new), new)
troth("connect", "--ca", CA, "--proxy", f"socks5h://127.0.0.1:{socks.port}", "[::1]:25", status=5)
check("an address is one there as well, and nobody logs in", socks.asked[-1] == (b"", 4, bytes(15) + b"\1", 25), socks.asked[-1])
if shutil.which("curl"):
    env = {"ALL_PROXY": f"socks5h://us%3aer:{SECRET}%40@127.0.0.1:{socks.port}"}
    troth("get", "--ca", CA, "https://a.example/", env=env)
    subprocess.run(["curl", "-s", "--cacert", CA, "https://a.example/"], env={**os.environ, **env}, capture_output=True, timeout=60, check=False)
    check("as curl asks", socks.asked[-2] == socks.asked[-1] == (b"us:er:hunter2@", 3, b"a.example", 443), socks.asked[-2:])


def memory(pid):
    """What a process has of its own, to be searched; its largest mappings (a sanitizer's shadow) excepted."""
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            start, end = (int(x, 16) for x in line.split()[0].split("-"))
            if "rw" in line.split()[1] and end - start < 1 << 28:
                try:
                    mem.seek(start)
                    yield mem.read(end - start)
                except (OSError, OverflowError, ValueError):
                    pass


# written otherwise in the environment, it is found where it was decoded or sent, if a copy stands while the answer is awaited
for kind, scheme, sent in ((Proxy, "http", lambda q: BASIC in q), (Socks, "socks5", lambda q: q[0] == b"user:hunter2")):
    silent = kind(hang)
    p = subprocess.Popen([TROTH, "connect", "a.example"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         env={**os.environ, "HTTPS_PROXY": f"{scheme}://user:%68unter2@127.0.0.1:{silent.port}"})
    for _ in range(1000):
        if silent.asked:
            break
        time.sleep(0.01)
    time.sleep(0.2)  # it waits by now; the sooner, the more is found
    found = {word for part in memory(p.pid) for word in (b"%68unter2", b"hunter2", b"dXNlcjpodW50ZXIy") if word in part}
    p.kill()
    p.wait()
    silent.end()
    check(f"no copy of the password stands: {scheme}", silent.asked and sent(silent.asked[0]) and found == {b"%68unter2"}, (silent.asked, found))
socks.end()
no = Socks(lambda c: c.sendall(b"\5\2\0\1\0\0\0\0\0\0"))
said = troth("connect", "a.example", "--proxy", f"socks5://127.0.0.1:{no.port}", status=3)
check("one that refuses", "net.proxy" in said and "rules do not allow" in said, said)
no.end()
said = troth("connect", "a.example", "--proxy", f"socks5://127.0.0.1:{server.port}", status=3)
check("a TLS server is none", "net.proxy" in said and "closed the connection instead" in said, said)
# ---- STARTTLS: what comes with the proxy's answer belongs to the tunnel


def smtp(c):
    c.sendall(b"HTTP/1.1 200 go\r\n\r\n220 a.example ESMTP\r\n")
    for answer in (b"250-a.example\r\n250 STARTTLS\r\n", b"220 go\r\n"):
        while c.recv(1) != b"\n":
            pass
        c.sendall(answer)
    with socket.create_connection(("127.0.0.1", server.port)) as there:
        relay(c, there)


mail = Proxy(smtp)
said = troth("connect", "--ca", CA, "--starttls", "smtp", "a.example:25", "--proxy", f"127.0.0.1:{mail.port}")
check("STARTTLS behind a proxy", "through the proxy" in said, said)
mail.end()
# ---- socket files, --no-proxy, --proxy ""
unix = Server(WEB, "--listen", f"unix:{D}/socket", cert=f"{D}/localhost.pem", key=f"{D}/localhost-key.pem")
before = len(proxy.asked)
troth("connect", "--ca", CA, "--sni", "localhost", f"unix:{D}/socket", env={"HTTPS_PROXY": url})
troth("connect", "--ca", CA, "--no-proxy", f"localhost:{here.port}", env={"HTTPS_PROXY": url})
troth("connect", "--ca", CA, "--proxy", "", f"localhost:{here.port}", env={"HTTPS_PROXY": url})
check("none of them asks the proxy", len(proxy.asked) == before, proxy.asked[before:])
unix.end()
# ---- what is no proxy
for bad, word in ((f"socks4a://u:{SECRET}@127.0.0.1:1", "of SOCKS only version 5"), (f"https://u:{SECRET}@127.0.0.1:1", "over TLS"),
                  (f"http://u:{SECRET}@127.0.0.1:none", "port is not valid"), (f"http://u:{SECRET}/x@127.0.0.1:1", "%2F"), ("ftp://x", "no proxy's")):
    for args, env, name in ((("--proxy", bad), {}, "--proxy: "), ((), {"ALL_PROXY": bad}, "ALL_PROXY: ")):
        said = troth("get", *args, "https://a.example/", status=2, env=env)
        check(f"{name}{word}", name in said and word in said and "--no-proxy" in said and len(said.splitlines()) == 1, said)
said = troth("connect", "--proxy", "x", "--no-proxy", "a.example", status=2)
check("one of them", "choose one" in said, said)
said = troth("verify", "--proxy", "x", CA, status=2)
check("verify asks nobody without being told", "--ocsp" in said, said)
# ---- proxies that do not


def saying(data, then=lambda c: None):
    def answer(c):
        c.sendall(data)
        then(c)
    return answer


def close_behind_the_hello(c):
    c.shutdown(socket.SHUT_WR)
    while c.recv(65536):
        pass


def trickle(c):
    for byte in b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100000:
        c.sendall(bytes([byte]))
        if done.wait(0.02):
            return


def flood(text):
    def answer(c):
        c.sendall(b"HTTP/1.1 200 OK\r\n" if text.startswith(b"A") else b"")
        for _ in range(100000):
            c.sendall(text)
    return answer


done = threading.Event()
HEAD = b"HTTP/1.1 200 OK\r\n"
for what, answer, status, code, words in (
        ("refuses", saying(b"HTTP/1.1 403 Not\x1b[31m for \xff you\r\n\r\n<h1>x"), 3, "net.proxy", "answers HTTP/1.1 403 Not?[31m for ? you"),
        ("wants a password", saying(b"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=x\r\n\r\n"), 3, "net.proxy-auth", "HTTP/1.1 407 Who are you"),
        ("redirects", saying(b"HTTP/1.1 302 Found\r\nLocation: https://localhost/\r\n\r\n"), 3, "net.proxy", "302 Found"),
        ("closes", saying(b""), 3, "net.proxy", "closed the connection instead"),
        ("closes in the middle", saying(HEAD + b"A: b"), 3, "net.proxy", "closed the connection instead"),
        ("is a mail server", saying(b"220 a.example ESMTP\r\n", hang), 3, "net.proxy", "sent no HTTP/1 status line"),
        ("speaks TLS", saying(b"\x15\x03\x01\0\x02\x02\x46", hang), 3, "net.proxy", "sent "),
        ("has a broken header", saying(HEAD + b"A\r\n\r\n", hang), 3, "net.proxy", "sent a line among the headers"),
        ("does not come to an end", flood(b"A: " + b"b" * 1000 + b"\r\n"), 3, "net.proxy", "sent more than 64 kB of headers"),
        ("does not come to the point", flood(b"HTTP/1.1 100 Continue\r\n\r\n"), 3, "net.proxy", "sent interim answers without end"),
        ("is silent", hang, 7, "net.timeout-proxy", "end of an answer in time"),
        ("is silent after a while", saying(HEAD, hang), 7, "net.timeout-proxy", "end of an answer in time"),
        ("trickles", trickle, 7, "net.timeout-proxy", "end of an answer in time"),
        ("closes the tunnel", saying(HEAD + b"\r\n", close_behind_the_hello), 4, "net.eof-on-hello", "")):
    bad = Proxy(answer)
    to = f"http://user:{SECRET}@127.0.0.1:{bad.port}"
    said = troth("connect", "--ca", CA, "--timeout", "1" if status == 7 else "20", "a.example:8443", status=status, env={"HTTPS_PROXY": to})
    named = status == 4 or f"the proxy 127.0.0.1:{bad.port} " in " ".join(said.split())
    check(f"a proxy that {what}", code in said and words in " ".join(said.split()) and named, said)
    o = json.loads(troth("connect", "--json", "--timeout", "1" if status == 7 else "20", "a.example:8443", status=status, env={"HTTPS_PROXY": to}))
    check(f"a proxy that {what}: --json", o["code"] == code and words in o["failure"]["evidence"], o)
    bad.end()
done.set()
for good in (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\nContent-Length: 7\nVia: x\n\n"):
    ways = Proxy(opened=good)
    troth("connect", "--ca", CA, "a.example", "--proxy", f"127.0.0.1:{ways.port}")
    ways.end()
gone = socket.create_server(("127.0.0.1", 0))
port = gone.getsockname()[1]
gone.close()
said = troth("connect", "a.example", "--proxy", f"127.0.0.1:{port}", status=3)
check("nobody listens there", "net.proxy" in said and "refused" in said and f"the proxy 127.0.0.1:{port}" in said, said)
said = troth("connect", "a.example", "--proxy", "no.invalid:1", status=3)
check("a proxy that has no address", "net.proxy" in said and "the proxy no.invalid" in said, said)
# ---- who is left out: troth and curl ask the proxy, or do not, for the same
refusing = Proxy(saying(b"HTTP/1.1 403 no\r\n\r\n"))
P = f"http://127.0.0.1:{refusing.port}"
CURL = shutil.which("curl")


def asks(command, env):
    before = len(refusing.asked)
    subprocess.run(command, env={**os.environ, **env}, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    return refusing.asked[before:]


witnessed = 0
L = "https://localhost:1/"
for target, env, args, asked in (
        (L, {"no_proxy": "*"}, (), False), (L, {"no_proxy": "localhost"}, (), False), (L, {"NO_PROXY": "x,LOCALHOST."}, (), False),
        (L, {"no_proxy": ".localhost"}, (), False), (L, {"no_proxy": "x localhost"}, (), False), (L, {"no_proxy": "*.localhost"}, (), True),
        (L, {"no_proxy": ","}, (), True), (L, {"no_proxy": "."}, (), True), (L, {}, (), True), (L, {"no_proxy": "ocalhost"}, (), True),
        ("https://a.localhost:1/", {"no_proxy": "localhost"}, (), False), ("https://alocalhost:1/", {"no_proxy": "localhost"}, (), True),
        ("https://127.0.0.1:1/", {}, (), True), ("https://[::1]:1/", {}, (), True),
        ("https://127.0.0.1:1/", {"no_proxy": "127.0.0.0/8"}, (), False), ("https://127.0.0.1:1/", {"no_proxy": "127.0.0.2/31"}, (), True),
        ("https://127.0.0.1:1/", {"no_proxy": ".0.0.1"}, (), True), ("https://127.0.0.1:1/", {"no_proxy": "localhost"}, (), True),
        ("https://127.1:1/", {"no_proxy": "127.0.0.1"}, (), False), ("https://[::1]:1/", {"no_proxy": "::1"}, (), False),
        (L, {"no_proxy": "", "NO_PROXY": "localhost"}, (), False), (L, {"no_proxy": "x", "NO_PROXY": "localhost"}, (), True),
        (L, {"no_proxy": "localhost"}, ("--proxy", P), False), (L, {"https_proxy": "http://127.0.0.1:1"}, ("--proxy", P), True),
        (L, {"https_proxy": "", "all_proxy": "http://127.0.0.1:1"}, (), True), (L, {"https_proxy": "http://127.0.0.1:1"}, (), False),
        (L, {"ALL_PROXY": "http://127.0.0.1:1"}, (), True), (L, {"HTTPS_PROXY": "", "all_proxy": "", "ALL_PROXY": P}, (), True),
        (L, {}, ("--proxy", ""), False)):
    env = {"HTTPS_PROXY": P, **env}
    for who, command in (("troth", [TROTH, "get", *args, target]), ("curl", [CURL, "-sk", "--max-time", "20", *args, target])):
        if not command[0]:
            continue
        requests = asks(command, env)
        witnessed += who == "curl"
        check(f"{who}: {target} {({k: v for k, v in env.items() if v != P})} {args[:1]}: {'the proxy' if asked else 'directly'}", bool(requests) == asked, requests)
for target, value, asked in (("localhost:1", "localhost:1", False), ("localhost:1", "localhost:2", True), ("[::1]:1", "[::1]:1", False),
                             ("[::1]:1", "::/64", False), ("localhost:1", "x,*", False)):  # beyond curl's
    check(f"NO_PROXY={value} and {target}", bool(asks([TROTH, "connect", target], {"https_proxy": P, "NO_PROXY": value})) == asked)
print(f"curl was asked {witnessed} times" if CURL else "no curl here: nobody to compare with")
leftovers = [p for p in glob.glob(f"{D}/*.log") if SECRET in open(p, encoding="utf-8").read()]
check("no log has the password", not leftovers, leftovers)
for s in (server, here):
    s.end()
finish()
