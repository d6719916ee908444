"""connect --why finds the smallest change that works: a box between the client and a real server chokes on one thing at a time.
ctest: label=interop slow timeout=600"""
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading

TROTH, SRC = os.environ["TROTH"], os.environ["SRC_DIR"]
if not os.path.exists(TROTH) or not shutil.which("openssl"):
    print("no program, or no openssl")
    sys.exit(77)
sys.path.insert(0, f"{SRC}/tests/lab")
import weird  # noqa: E402

sys.path.insert(0, f"{os.environ['SRC_DIR']}/tests/cli")
from serving import D, check, finish  # noqa: E402

os.environ.update(LC_ALL="C.UTF-8", NO_COLOR="1")


def extensions(hello):
    """type -> body of the extensions of a ClientHello that came as records"""
    body = b""
    while len(hello) >= 5:
        n = struct.unpack(">H", hello[3:5])[0]
        body, hello = body + hello[5:5 + n], hello[5 + n:]
    at = 4 + 2 + 32
    at += 1 + body[at]
    at += 2 + struct.unpack(">H", body[at:at + 2])[0]
    at += 1 + body[at]
    end, found = at + 2 + struct.unpack(">H", body[at:at + 2])[0], {}
    at += 2
    while at < end:
        kind, n = struct.unpack(">HH", body[at:at + 4])
        found[kind] = body[at + 4:at + 4 + n]
        at += 4 + n
    return found


def first_group(found):
    groups = [struct.unpack(">H", found[10][i:i + 2])[0] for i in range(2, len(found[10]), 2)]
    return next(g for g in groups if g & 0x0f0f != 0x0a0a)  # GREASE aside


CHOKES = {  # on what
    "big": lambda hello, found: len(hello) > 1300,
    "tls13": lambda hello, found: b"\x03\x04" in found.get(43, b""),
    "alpn": lambda hello, found: 16 in found,
    "sni": lambda hello, found: 0 in found,
    "group": lambda hello, found: first_group(found) != 23,
    "all": lambda hello, found: True,
}


def whole_hello(c):
    hello = b""
    while len(hello) < 5 or len(hello) < 5 + struct.unpack(">H", hello[3:5])[0]:
        more = c.recv(65536)
        if not more:
            return hello
        hello += more
    return hello


def one(c, chokes, backend, how):
    try:
        hello = whole_hello(c)
        if not hello:
            c.close()
        elif chokes(hello, extensions(hello)):
            weird.reset(c) if how == "reset" else c.close()
        else:
            weird.relay(c, backend, hello)
    except OSError:
        pass


def box(chokes, backend, family=socket.AF_INET, port=0, how="reset"):
    listener = socket.create_server(("127.0.0.1" if family == socket.AF_INET else "::1", port), family=family, backlog=64)

    def loop():
        while True:
            c, _ = listener.accept()
            threading.Thread(target=one, args=(c, chokes, backend, how), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()
    return listener.getsockname()[1]


subprocess.run([TROTH, "ca", "init", "--out", D], check=True, stdout=subprocess.DEVNULL)
subprocess.run([TROTH, "ca", "issue", "localhost", "--out", D], check=True, stdout=subprocess.DEVNULL)
server = subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", f"{D}/localhost.pem", "-key", f"{D}/localhost-key.pem",
                           "-alpn", "h2,http/1.1"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
backend = next(int(line.strip().rsplit(":", 1)[1]) for line in server.stdout if line.startswith("ACCEPT "))
threading.Thread(target=server.stdout.read, daemon=True).start()


def why(port, *args, status=4):
    r = subprocess.run([TROTH, "connect", "--why", "--ca", f"{D}/ca.pem", "--timeout", "4", *args, f"localhost:{port}"], stdin=subprocess.DEVNULL,
                       capture_output=True, text=True, timeout=90)
    check(f"exit status {status}", r.returncode == status, (r.returncode, r.stderr))
    return " ".join(r.stderr.split()), r


for choke, works, args in (("big", "without the post-quantum share it works", ()),
                           ("tls13", "TLS 1.2 only it works", ()),
                           ("alpn", "without ALPN it works", ("--alpn", "h2,http/1.1")),
                           ("sni", "without a server name it works", ()),
                           ("group", "with group secp256r1 it works", ())):
    for how in "reset", "close":
        text, r = why(box(CHOKES[choke], backend, how=how), *args)
        check(f"{choke}, {how}: {works}", works in text, text)
        check(f"{choke}, {how}: nothing else is said to work", text.count("it works") == 1, text)
        check(f"{choke}, {how}: at most 12 lines", len(r.stderr.rstrip().split("\n")) <= 12, r.stderr)
    o = json.loads(subprocess.run([TROTH, "connect", "--why", "--json", "--ca", f"{D}/ca.pem", *args, f"localhost:{box(CHOKES[choke], backend)}"],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90).stdout)
    check(f"{choke}, in JSON", works in o["retried"] and o["code"] == "net.reset-on-hello", o)
text, r = why(box(CHOKES["all"], backend))
check("nothing helps: said so", "no single change of ours makes it work" in text and "it works" not in text, text)
check("and --why is not advised again", "--why" not in text and "the server's log" in text, text)

# An address family that does not get through: the first that the resolver names chokes, the other does not.
families = []
for found in socket.getaddrinfo("localhost", 443, type=socket.SOCK_STREAM):
    families += [found[0]] if found[0] not in families else []
if len(families) < 2:
    print("left out: IPv4 and IPv6 (localhost has one address here)")
else:
    port = box(CHOKES["all"], backend, families[0])
    box(lambda hello, found: False, backend, families[1], port)
    text, r = why(port)
    other = "over IPv4 it works" if families[0] == socket.AF_INET6 else "over IPv6 it works"
    check(other, other in text, text)

# What we refuse about a certificate is not retried into acceptance.
subprocess.run([TROTH, "ca", "issue", "other.example", "--out", D], check=True, stdout=subprocess.DEVNULL)
bad = subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", f"{D}/other.example.pem", "-key", f"{D}/other.example-key.pem"],
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
port = next(int(line.strip().rsplit(":", 1)[1]) for line in bad.stdout if line.startswith("ACCEPT "))
text, r = why(port, status=5)
check("a certificate that is refused stays so", "cert.name-mismatch" in text and "it works" not in text, text)
for p in server, bad:
    p.terminate()
    p.wait()
finish()
