"""Odd things that are typed, odd places to write to, odd things that peers say: one message, nothing raw on a terminal, nothing overwritten.
ctest: slow timeout=200"""
import json
import os
import signal
import socket
import ssl
import subprocess
import threading

from serving import D, TROTH, Server, authority, check, finish, home_page, refused, run, tls

authority()
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"
web = home_page()


# ---- a standard stream that is closed is not the next socket
s = Server(web, "-v", "--json", cert=CERT, key=KEY)
site, page = f"localhost:{s.port}", f"https://localhost:{s.port}/"
for closed, args, status in (((2,), ("connect", site), 0), ((0, 1, 2), ("connect", site), 0), ((1,), ("connect", "--json", site), 8), ((0,), ("get", page), 0),
                             ((2,), ("get", page), 0), ((0, 1, 2), ("get", page), 8), ((1,), ("ca", "issue", "closed.example", "--out", D), 8)):
    ca = () if args[0] == "ca" else ("--ca", CA)
    r = subprocess.run([TROTH, *args, *ca], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False,
                       preexec_fn=lambda: [os.close(fd) for fd in closed])
    check(f"closed {closed}: {args[0]}", r.returncode == status, (r.returncode, r.stderr))
for name in ("closed.example.pem", "closed.example-key.pem"):
    with open(f"{D}/{name}", encoding="utf-8") as f:
        check("and nothing else is in " + name, f.read().startswith("-----BEGIN"))

# ---- what is said to people cannot steer their terminals, nor break a log
for path in (b"/\x1b[31mred", b"/\xff\x9b", b"/\xc2\x9b31m", b'/a"b\\', "/\u202egnp.exe".encode()):
    with tls(s.port, CA) as c:
        c.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        while c.recv(4096):
            pass
r = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{s.port}", "-servername", "a\nb"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
check("SIGTERM", s.end() == 0)
with open(s.log_path, "rb") as f:
    lines = f.read().splitlines()
wild = [line for line in lines if b"\x1b" in line or b"\x9b" in line or b"\xe2\x80\xae" in line]
targets = [json.loads(line.decode())["target"] for line in lines if b'"request"' in line]
nameless = [json.loads(line) for line in lines if b"cannot be a host name" in line]
check("a hello that was not understood has no name", len(nameless) == 1 and "hs" not in nameless[0], nameless)
check("a log of odd requests", not wild and "/\x1b[31mred" in targets and "/\\xff\\x9b" in targets, (wild, targets))
for args, status in ((("connect", "\x1b[31mx:1"), 2), (("get", "https://localhost/\x1b[31m"), 2), (("connect", "unix:/\x07", "--sni", "a"), 2),
                     (("connect", "--sni", "\x1b[31m", "localhost:1"), 2), (("connect", "--alpn", "\x1b", "--ca", "/no/\x1b[31m", "localhost:1"), 8),
                     (("inspect", "/no/\u202ex"), 8), (("serve", "--listen", "\x1b[31m"), 2), (("nonsense\x1b[31m",), 2), (("connect", "--no\x1b[31m", "x"), 2)):
    refused([], *args, status=status)
odd = f"{D}/odd\x1b[31m.pem"
os.link(CA, odd)
r = run("inspect", odd)
check("inspect shows no raw name", "\x1b" not in r.stdout and "odd\\x1b[31m.pem" in r.stdout, r.stdout[:100])
os.link(CA, D.encode() + b"/\xff.pem")
r = subprocess.run([TROTH, "inspect", "--json", D.encode() + b"/\xff.pem"], capture_output=True, check=True)
check("nor is JSON broken by one", json.loads(r.stdout)["objects"][0]["file"].endswith("\\xff.pem"), r.stdout[:100])

# ---- whoever never closes is not waited for for ever
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERT, KEY)
mute, held = socket.create_server(("127.0.0.1", 0)), []
threading.Thread(target=lambda: held.append(context.wrap_socket(mute.accept()[0], server_side=True)), daemon=True).start()
r = run("connect", "--timeout", "3", "--ca", CA, f"localhost:{mute.getsockname()[1]}", status=7)
check("connect ends when nothing comes back", "net.timeout-idle" in r.stderr and held, r.stderr)

# ---- where to listen
own = ("serve", web, "--cert", CERT, "--key", KEY, "--listen")
with socket.create_server(("127.0.0.1", 0)) as taken:
    port = str(taken.getsockname()[1])
    refused([f"127.0.0.1:{port}: Address already in use"], *own, port, status=3)
for more in ((), ("--check-config",)):
    refused(["`:8443'", "127.0.0.1:8443", "0.0.0.0:8443 and [::]:8443"], *own, ":8443", *more)
refused(["99999", "65535"], *own, "99999", "--check-config")

# ---- names
refused(["host name"], "connect", "--sni", "a b", "localhost:1")
refused(["too long"], "connect", "--sni", "a" * 254, "localhost:1")
for name in ("", "b\u00fccher.example", "a" * 253):
    r = run("connect", "--sni", name, "localhost:1", status=3)
    check(f"--sni {name[:20]}", "net.refused" in r.stderr, r.stderr)
r = run("connect", "b\u00fccher.invalid:1", status=3)
check("international names are looked up as such", "xn--bcher-kva.invalid" in r.stderr, r.stderr)
refused(["no place"], "connect", "--", "-\u00fc-.example")
for option, args in (("--out", ("ca", "init")), ("--output", ("get", page)), ("--ca", ("connect", site)), ("--html", ("explain", site)), ("--cert", ("serve",))):
    refused([option, "empty"], *args, option, "")
check("nothing was made at the root", not os.path.exists("/ca.pem"))
r = run("explain-error", "--json", "never heard of", status=1)
check("explain-error --json says that it knows nothing", json.loads(r.stdout)["found"] == [] and "not known" in r.stderr, (r.stdout, r.stderr))

# ---- a socket file: of who listens, of who has gone, of something else
place = f"{D}/socket"
own = ("--cert", CERT, "--key", KEY, "-q")
first = Server(web, "--listen", "unix:" + place, cert=CERT, key=KEY)
refused([place, "another program"], "serve", *own, "--listen", "unix:" + place, status=3)
run("connect", "--ca", CA, "--sni", "localhost", "unix:" + place)
first.kill(signal.SIGKILL)
first.process.wait()
check("a socket file outlives who was killed", os.path.exists(place))
second = Server(web, "--listen", "unix:" + place, cert=CERT, key=KEY)
run("connect", "--ca", CA, "--sni", "localhost", "unix:" + place)
os.unlink(place)
with socket.socket(socket.AF_UNIX) as other:
    other.bind(place)
    check("ends", second.end() == 0)
    check("and takes nobody else's socket with it", os.path.exists(place))
third = Server(web, "--listen", "unix:" + place, cert=CERT, key=KEY)
check("one's own goes with one", third.end() == 0 and not os.path.exists(place))
refused([CA, "another"], "serve", *own, "--listen", "unix:" + CA, status=3)
finish()
