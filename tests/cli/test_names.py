#!/usr/bin/env python3
# ctest: timeout=120
"""Names and the addresses behind them: --listen takes all that a name has, --metrics too; a proxy looks its backend's name up again when it
reloads; --connect-to finds a server elsewhere than its name leads."""
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

from serving import D, TROTH, Server, authority, check, finish, home_page, names_from, refused, run, tls

authority()
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"
HOSTS = f"{D}/hosts"


def names(text):
    with open(HOSTS, "w", encoding="utf-8") as f:  # in its place: what is mounted is this file
        f.write("127.0.0.1 localhost\n" + text)


def start(*args, **more):
    try:
        with names_from(HOSTS):
            return Server(*args, cert=CERT, key=KEY, **more)
    except (AssertionError, OSError) as x:
        print("not here: a file of hosts of one's own", x)
        return None


def greeting(address, port):
    with socket.create_connection((address, port), timeout=10) as c:
        c.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        return c.recv(100)


names("127.0.0.2 many.example\n127.0.0.3 many.example\n127.0.0.2 many.example\n203.0.113.9 many.example\n203.0.113.9 away.example\n")
s = start("--listen", "many.example:0", "--metrics", "many.example:0", home_page())
if s:
    s.said("event=metrics address=127.0.0.3", 60)  # the last of them
    at = re.findall(r"event=listening address=(\S+) port=(\d+)", s.log())
    port = int(at[0][1])
    check("each address once, of those that are this machine's, with one port", at[:2] == [(f"127.0.0.{i}:{port}", str(port)) for i in (2, 3)] and
          at[2][0] == "127.0.0.1:0" and len(at) == 3, s.log())
    for address in ("127.0.0.2", "127.0.0.3"):
        r = run("get", "--ca", CA, "--connect-to", f"{address}:{port}", "https://localhost/", status=None)
        check(f"{address} serves", r.returncode == 0 and "<h1>home</h1>" in r.stdout, r.stderr)
    at = re.findall(r"event=metrics address=(\S+) port=(\d+)", s.log())
    check("so do the metrics", len(at) == 2 and all(greeting(a.split(":")[0], int(p)).startswith(b"HTTP/1.1 200") for a, p in at), at)
    taken = socket.create_server(("127.0.0.3", 0))
    with names_from(HOSTS):
        refused(["cannot listen on many.example", "another program has this port"], "serve", "--cert", CERT, "--key", KEY, "--listen",
                f"many.example:{taken.getsockname()[1]}", status=3)
        refused(["cannot listen on away.example", "no such address"], "serve", "--cert", CERT, "--key", KEY, "--listen", "away.example:0", status=3)
    check("and ends in order", s.end() == 0, s.log()[-600:])


# ---- a backend that moves
def backend(address, port, word):
    door = socket.create_server((address, port))

    def answer():
        while True:
            c, _ = door.accept()
            c.sendall(word)
            c.close()

    threading.Thread(target=answer, daemon=True).start()
    return door.getsockname()[1]


def word_of(p):
    with tls(p.port, CA) as c:
        return c.recv(100)


port = backend("127.0.0.2", 0, b"old")
backend("127.0.0.3", port, b"new")
names("127.0.0.2 moves.example\n")
p = start("--backend", f"moves.example:{port}", verb="proxy")
if p:
    check("the backend, where it was at the start", word_of(p) == b"old", p.log())
    names("127.0.0.3 moves.example\n")
    check("until a reload", word_of(p) == b"old", p.log())
    p.process.send_signal(signal.SIGHUP)
    check("a reload", p.said("event=reload result=ok"), p.log())
    check("looks its name up again", word_of(p) == b"new", p.log())
    names("")
    p.process.send_signal(signal.SIGHUP)
    end = time.time() + 30
    while p.log().count("event=reload result=ok") < 2 and time.time() < end:
        time.sleep(0.05)
    check("a name that is gone is said, and keeps its address", word_of(p) == b"new" and "moves.example: " in p.log(), p.log())
    check("and ends in order", p.end() == 0, p.log()[-600:])

# ---- a server that is elsewhere than its name leads
run("ca", "issue", "shop.example", "--out", D)
where = f"{D}/shop.socket"
t = Server(home_page("shop"), "--listen", f"unix:{where}", cert=f"{D}/shop.example.pem", key=f"{D}/shop.example-key.pem")
t.said("address=127.0.0.1:0 ", 60)
t.port = int(re.search(r"address=127\.0\.0\.1:0 port=(\d+)", t.log()).group(1))
for place in (f"127.0.0.1:{t.port}", f"unix:{where}"):
    r = run("connect", "-v", "--ca", CA, "--connect-to", place, "shop.example", status=None)
    check(f"connect: found at {place[:5]}, by its name", r.returncode == 0 and "shop.example" in r.stderr + r.stdout, r)
    r = run("get", "--ca", CA, "--connect-to", place, "https://shop.example/", status=None)
    check("get: the same", r.returncode == 0 and "<h1>home</h1>" in r.stdout, r)
    r = run("check", "--ca", CA, "--connect-to", place, "shop.example", status=None)
    check("check: the same", r.returncode in (0, 1) and "TLS 1.3" in r.stdout, r)
    r = run("explain", "--ca", CA, "--connect-to", place, "shop.example", status=None)
    check("explain: the same", r.returncode == 0 and "shop.example" in r.stdout, r)
r = run("connect", "--ca", CA, "--connect-to", f"127.0.0.1:{t.port}", "other.example", status=None)
check("another name is not what it shows", r.returncode == 5 and "asked for other.example" in r.stderr, r)
r = run("connect", "--ca", CA, "--connect-to", "127.0.0.1", f"shop.example:{t.port}", status=None)
check("without a port: that of the name", r.returncode == 0, r)
refused(["--connect-to"], "connect", "--connect-to", "", "shop.example")
t.end()

# ---- wildcards under suffixes: of those who run them, and of a registry
for suffix, status in (("github.io", 0), ("co.uk", 5)):
    run("ca", "issue", f"*.{suffix}", "--out", D)
    own = f"{D}/_wildcard.{suffix}.pem"
    if run("verify", "--roots", CA, "--host", f"shop.{suffix}", own, status=None).returncode == 0:
        print("not here: the public suffix list")
        break
    t = Server(home_page(suffix), cert=own, key=f"{D}/_wildcard.{suffix}-key.pem")
    r = run("get", "--ca", CA, "--connect-to", f"127.0.0.1:{t.port}", f"https://shop.{suffix}/", status=None)
    check(f"a wildcard under {suffix}", r.returncode == status and ("cert.wildcard-public-suffix" in r.stderr) == (status == 5), r)
    t.end()


def redirects(to):
    """Answers one request over TLS with a redirect."""
    door = socket.create_server(("127.0.0.1", 0))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{D}/shop.example.pem", f"{D}/shop.example-key.pem")

    def answer():
        c = context.wrap_socket(door.accept()[0], server_side=True)
        c.recv(4000)
        c.sendall(f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        c.unwrap()

    threading.Thread(target=answer, daemon=True).start()
    return door.getsockname()[1]


port = redirects("https://localhost:1/elsewhere")
r = run("get", "--ca", CA, "-L", "--connect-to", f"127.0.0.1:{port}", "https://shop.example/", status=None)
check("a redirect to somebody else goes where that name leads", r.returncode == 3 and "127.0.0.1:1: Connection refused" in r.stderr, r)

# ---- a resolver that does not answer, in a network of our own
silent = r"""
ip link set lo up && echo nameserver 127.0.0.1 > resolv && : > hosts && mount --bind resolv /etc/resolv.conf && mount --bind hosts /etc/hosts &&
mount --bind nss /etc/nsswitch.conf && echo ready && exec python3 - "$@" <<'PY'
import socket, subprocess, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 53))
sys.exit(subprocess.run(sys.argv[1:]).returncode)
PY
"""
with open(f"{D}/nss", "w", encoding="utf-8") as f:
    f.write("hosts: files dns\n")
r = subprocess.run(["unshare", "-Urmn", "sh", "-c", silent, "sh", TROTH, "connect", "--timeout", "1", "slow.example:443"], cwd=D, capture_output=True,
                   text=True, stdin=subprocess.DEVNULL, timeout=60)
if r.stdout.startswith("ready"):
    check("a resolver that does not answer is waited for no longer than --timeout", r.returncode == 3 and "did not answer in time" in r.stderr, r)
else:
    print("not here: a network of one's own", r.stderr)
finish()
