"""troth proxy, both ways: bytes, half-closed connections, back-pressure, failures of either side, signals.
ctest: label=interop slow timeout=300"""
import hashlib
import os
import resource
import select
import signal
import socket
import ssl
import subprocess
import threading
import time

from serving import D, ByHand, Server, authority, check, finish, names_from, run, tls

authority()
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"


class Backend:
    """A plain TCP service; `talk(c)` is what it does with a connection."""

    def __init__(self, talk):
        self.listener, self.talk, self.count = socket.create_server(("127.0.0.1", 0)), talk, 0
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.loop, daemon=True).start()

    def loop(self):
        while True:
            c, _ = self.listener.accept()
            self.count += 1
            threading.Thread(target=self.one, args=(c,), daemon=True).start()

    def one(self, c):
        try:
            self.talk(c)
        except OSError as e:
            self.error = e
        c.close()


def read_all(c):
    data = b""
    while True:
        more = c.recv(65536)
        if not more:
            return data
        data += more


def count_then_answer(c):  # answers only once the other side has ended: needs half-closed connections
    data = read_all(c)
    c.sendall(f"{len(data)} {hashlib.sha256(data).hexdigest()}".encode())


def echo(c):
    while True:
        data = c.recv(65536)
        if not data:
            return
        c.sendall(data)


big = os.urandom(1 << 20) * 8
wanted = f"{len(big)} {hashlib.sha256(big).hexdigest()}".encode()

# ---- TLS in front
after = Backend(count_then_answer)
p = Server("--backend", f"127.0.0.1:{after.port}", "--timeout", "2", verb="proxy", cert=CERT, key=KEY)
p.kill(signal.SIGUSR1)
p.kill(signal.SIGUSR2)
check("USR1 is harmless, USR2 tells the state", p.said("event=state-identity") and f"backend=127.0.0.1:{after.port}" in p.log(), p.log())
context = ssl.create_default_context(cafile=CA)


def half_closed(port, data):
    """Sends data and close_notify, and reads on."""
    hand = ByHand(port, context, timeout=20)
    hand.step(hand.tls.do_handshake)
    for i in range(0, len(data), 16384):
        hand.step(hand.tls.write, data[i:i + 16384])
    hand.close_notify()
    got = b""
    while True:
        try:
            more = hand.step(hand.tls.read, 65536)
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return got
        except ssl.SSLError as e:
            return got + repr(e).encode()
        if not more:
            return got
        got += more


def both_ways(c, data):
    """Both directions full at once, in one thread: an SSL object is not for two."""
    c.setblocking(False)
    sent, got, until = 0, bytearray(), time.time() + 60
    while len(got) < len(data) and time.time() < until:
        idle = True
        try:
            if sent < len(data):
                sent += c.send(data[sent:sent + 65536])
                idle = False
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        try:
            more = c.recv(1 << 18)
            if not more:
                break
            got += more
            idle = False
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        if idle:
            select.select([c], [c] if sent < len(data) else [], [], 1)
    return bytes(got)


talk = Backend(echo)
e = Server("--backend", f"127.0.0.1:{talk.port}", "--timeout", "2", verb="proxy", cert=CERT, key=KEY)
with tls(e.port, CA) as c:
    c.sendall(b"hello")
    check("bytes there and back", c.recv(100) == b"hello")
with tls(e.port, CA) as c:
    got = both_ways(c, big)
    check("8 MiB there and back", got == big, len(got))
wait = Backend(lambda c: (time.sleep(1.5), count_then_answer(c)))
w = Server("--backend", f"127.0.0.1:{wait.port}", "--timeout", "20", verb="proxy", cert=CERT, key=KEY)
c, sent = tls(w.port, CA), 0
c.settimeout(0.3)
try:
    while sent < 256 << 20:
        sent += c.send(big[:65536])
except (TimeoutError, ssl.SSLError, OSError):
    pass
rss = int(next(x for x in open(f"/proc/{w.process.pid}/status", encoding="utf-8") if x.startswith("VmRSS")).split()[1])
check("a backend that does not read holds the client up", sent < 64 << 20, sent)
print(f"{sent >> 10} KiB were taken, {rss} KiB resident")
c.close()
before = after.count
with socket.create_connection(("127.0.0.1", p.port), timeout=5) as c:
    c.sendall(b"GET / HTTP/1.1\r\n\r\n")
    try:
        answer = read_all(c)
    except ConnectionError:
        answer = b""
check("a plain client gets nothing", b"HTTP" not in answer, answer)
check("and is logged with its code", p.said("peer.not-tls.http"), p.log()[-400:])
with socket.create_connection(("127.0.0.1", p.port), timeout=8) as c:
    check("a silent client is let go", c.recv(10) == b"")
check("and logged", p.said("net.timeout-handshake"), p.log()[-400:])
check("the backend saw neither", after.count == before, after.count - before)
check("a client's half-closed connection", half_closed(p.port, big[:3 << 20]) == f"{3 << 20} {hashlib.sha256(big[:3 << 20]).hexdigest()}".encode())

answers = []


def ends_first(c):
    c.sendall(b"that was all")
    c.shutdown(socket.SHUT_WR)
    c.settimeout(10)
    answers.append(read_all(c))


first = Backend(ends_first)
o = Server("--backend", f"127.0.0.1:{first.port}", verb="proxy", cert=CERT, key=KEY)
for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
    one = ssl.create_default_context(cafile=CA)
    one.minimum_version = one.maximum_version = version
    hand = ByHand(o.port, one)
    hand.step(hand.tls.do_handshake)
    said = b"".join(iter(lambda: hand.step(hand.tls.read, 100), b""))  # to its close_notify
    hand.step(hand.tls.write, b"and that is mine")
    hand.close_notify()
    end = time.time() + 8
    while not answers and time.time() < end:
        time.sleep(0.05)
    check(f"{version.name}: a backend that ends first hears the client to its end", said == b"that was all" and answers == [b"and that is mine"], (said, answers, first.__dict__))
    answers.clear()
    hand.socket.close()
check("which is in order", o.end() == 0 and "event=connection" in o.log() and o.log().count("code=ok") == 2, o.log()[-600:])


# ---- whoever takes nothing of what waits for him; --wrap too, where it is the plain end
def pour(c):
    while True:
        c.sendall(big)


endless = Backend(pour)
st = Server("--backend", f"127.0.0.1:{endless.port}", "--stall-timeout", "2", verb="proxy", cert=CERT, key=KEY)
calm = Server("--backend", f"127.0.0.1:{endless.port}", "--stall-timeout", "0", verb="proxy", cert=CERT, key=KEY)
sw = Server("--wrap", f"localhost:{calm.port}", "--ca", CA, "--stall-timeout", "2", verb="proxy")
slow, still = tls(st.port, CA), [tls(st.port, CA), tls(calm.port, CA), socket.create_connection(("127.0.0.1", sw.port), timeout=20)]
end = time.time() + 6
while time.time() < end:
    got = slow.recv(65536)
    time.sleep(0.1)
check("a client that takes nothing is let go", st.said("saw=\"the client took nothing") and "net.timeout-idle" in st.log(), st.log()[-600:])
check("the plain one of --wrap, too", sw.said("saw=\"the client took nothing") and "net.timeout-idle" in sw.log(), sw.log()[-600:])
check("and a slow one is not", got and slow.recv(1), st.log()[-600:])
check("nor where 0 says so", "took nothing" not in calm.log(), calm.log()[-600:])
slow.close()
for c in still:
    c.close()
for server in (sw, st, calm):
    check("ends in order", server.end() == 0, server.log()[-600:])


# ---- a backend with several addresses, of which one listens; and whoever goes without a word
hosts = f"{D}/hosts"
with open(hosts, "w", encoding="utf-8") as f:
    f.write("::1 both.example\n127.0.0.2 both.example\n127.0.0.1 both.example\n127.0.0.1 localhost\n")
for front in (True, False):
    behind = talk.port if front else e.port
    try:
        own = ("--backend", f"both.example:{behind}") if front else ("--wrap", "localhost", "--backend", f"both.example:{behind}", "--ca", CA)
        with names_from(hosts):
            many = Server(*own, verb="proxy", **({"cert": CERT, "key": KEY} if front else {}))
    except (AssertionError, OSError) as x:
        print("not here: a file of hosts of one's own", x)
        continue
    with tls(many.port, CA) if front else socket.create_connection(("127.0.0.1", many.port), timeout=10) as c:
        c.sendall(b"anybody there?")
        check(f"a backend with several addresses{'' if front else ', --wrap'}", c.recv(100) == b"anybody there?", many.log()[-600:])
        time.sleep(0.5)  # until nothing waits to be acknowledged
        with open("/proc/net/tcp", encoding="utf-8") as f:
            held = [line.split()[1:6] for line in f]
        ours = [h for h in held if h[2] == "01" and (h[0].endswith(f":{many.port:04X}") or h[1].endswith(f":{behind:04X}"))]
        alive = [h for h in ours if h[4].startswith("02:")]  # the timer of keepalive
        check("is asked whether it still is there, as the client is", len(alive) >= 2, ours)
    check("ends in order", many.end() == 0, many.log()[-600:])

seen = []


def watch(c):
    try:
        seen.append(read_all(c))
    except ConnectionResetError:
        seen.append("reset")


cut = Backend(watch)
k = Server("--backend", f"127.0.0.1:{cut.port}", verb="proxy", cert=CERT, key=KEY)
c = tls(k.port, CA)
c.sendall(b"half a messa")
time.sleep(0.3)
os.close(c.detach())  # no close_notify
end = time.time() + 5
while not seen and time.time() < end:
    time.sleep(0.05)
check("a truncated connection is no orderly end for the backend", seen == ["reset"], seen)
dead = socket.socket()
dead.bind(("127.0.0.1", 0))
n = Server("--backend", f"127.0.0.1:{dead.getsockname()[1]}", verb="proxy", cert=CERT, key=KEY)
try:
    with tls(n.port, CA) as c:
        got = c.recv(10)
except OSError as x:
    got = x
check("a backend that is down is logged with its code", n.said("net.refused"), n.log()[-400:])
check("and others are still served", e.process.poll() is None and p.process.poll() is None)

# ---- nothing to do means sleeping: whoever closed, and however
hold = socket.create_server(("127.0.0.1", 0))
q = Server("--backend", f"127.0.0.1:{hold.getsockname()[1]}", "--timeout", "20", verb="proxy", cert=CERT, key=KEY)


def asleep(server):
    """In none of many samples does it run: a loop that spins always does."""
    time.sleep(0.3)
    seen = []
    for _ in range(30):
        with open(f"/proc/{server.process.pid}/stat", encoding="utf-8") as f:
            seen.append(f.read().rsplit(")", 1)[1].split()[0])
        time.sleep(0.01)
    return seen.count("R") < len(seen) // 2


for what in ("close_notify", "close_notify and the end of TCP", "the end of TCP", "the backend's end"):
    c = tls(q.port, CA)
    back, _ = hold.accept()
    if what.startswith("close_notify"):
        c.setblocking(False)
        try:
            c.unwrap()
        except (ssl.SSLWantReadError, OSError):
            pass
    if "of TCP" in what:
        socket.socket(fileno=os.dup(c.fileno())).shutdown(socket.SHUT_WR)
    if "backend" in what:
        back.close()
    check("asleep after " + what, asleep(q))
    c.close()
    back.close()
check("SIGTERM is heard after all that", q.end() == 0, q.log()[-500:])

# ---- TLS behind
web = f"{D}/web"
os.makedirs(web)
with open(f"{web}/index.html", "wb") as f:
    f.write(b"<h1>here</h1>")
s = Server(web, cert=CERT, key=KEY)
b = Server("--wrap", f"localhost:{s.port}", "--ca", CA, verb="proxy")
with socket.create_connection(("127.0.0.1", b.port), timeout=10) as c:
    c.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answer = read_all(c)
check("--wrap: plain in front, TLS behind", answer.endswith(b"<h1>here</h1>"), answer)
pp = Server("--wrap", f"localhost:{p.port}", "--ca", CA, verb="proxy")
with socket.create_connection(("127.0.0.1", pp.port), timeout=20) as c:
    c.sendall(big)
    c.shutdown(socket.SHUT_WR)
    check("two proxies, a half-closed connection through both", read_all(c) == wanted)
run("ca", "init", "--out", f"{D}/other", status=None)
os.makedirs(f"{D}/other", exist_ok=True)
if not os.path.exists(f"{D}/other/ca.pem"):
    run("ca", "init", "--out", f"{D}/other")
x = Server("--wrap", f"localhost:{s.port}", "--ca", f"{D}/other/ca.pem", verb="proxy")
with socket.create_connection(("127.0.0.1", x.port), timeout=10) as c:
    try:
        c.sendall(b"secret")
        answer = read_all(c)
    except ConnectionError:
        answer = b""
check("--wrap: a backend that is not trusted gets nothing", answer == b"" and x.said("code=chain.untrusted-root"), x.log()[-400:])

# ---- files: each connection has two
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
few = Server("--backend", f"127.0.0.1:{talk.port}", "--max-connections", "300", verb="proxy", cert=CERT, key=KEY)
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
check("as many files as connections may need", resource.prlimit(few.process.pid, resource.RLIMIT_NOFILE)[0] >= 600)
check("ends in order", few.end() == 0, few.log()[-1500:])

# ---- ends
c = tls(e.port, CA)
e.kill(signal.SIGTERM)
time.sleep(0.3)
c.sendall(b"still there?")
check("SIGTERM: the open connection goes on", c.recv(100) == b"still there?")
c.close()
check("SIGTERM: exit status 0 after it", e.process.wait(timeout=20) == 0, e.log()[-1500:])
h = Server("--backend", f"127.0.0.1:{talk.port}", "--grace", "0", verb="proxy", cert=CERT, key=KEY)
held = [tls(h.port, CA) for _ in range(3)]
for c in held:
    c.sendall(b"hello")
check("three are served", all(c.recv(100) == b"hello" for c in held))
check("SIGTERM and no grace: all are ended, in order", h.end() == 0 and h.log().count("code=serve.stopped") == 3, h.log()[-1500:])
for c in held:
    c.close()
for server in (p, w, k, n, s, b, pp, x):
    check("ends in order", server.end() == 0, server.log()[-1500:])
for what, status, words, args in (("no backend", 2, "--backend", ("--cert", CERT, "--key", KEY)), ("no certificate", 2, "--cert", ("--backend", "127.0.0.1:9")),
                                  ("a bad backend", 2, "99999", ("--backend", "127.0.0.1:99999", "--cert", CERT, "--key", KEY)),
                                  ("a name that does not resolve", 3, "no.such.name.invalid", ("--backend", "no.such.name.invalid:1", "--cert", CERT, "--key", KEY))):
    r = run("proxy", "--listen", "127.0.0.1:0", *args, status=status)
    check("mistake: " + what, words in r.stderr, r.stderr)
finish()
