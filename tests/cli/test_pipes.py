"""ctest: slow timeout=200
`troth connect` with both of its directions full: a server that speaks before it listens, one that never reads, one that never ends."""
import os
import socket
import ssl
import struct
import subprocess
import threading
import time

from serving import D, TROTH, authority, check, finish

authority()
CA = f"{D}/ca.pem"
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f"{D}/localhost.pem", f"{D}/localhost-key.pem")
SIZE = 40_000_000
with open(f"{D}/input", "wb") as f:
    f.write(b"x" * SIZE)
got = []


def server(talk):
    listener = socket.create_server(("127.0.0.1", 0))

    def one():
        with context.wrap_socket(listener.accept()[0], server_side=True) as c:
            try:
                talk(c)
            except OSError as e:
                got.append(repr(e))

    threading.Thread(target=one, daemon=True).start()
    return ["connect", "-q", "--ca", CA, f"localhost:{listener.getsockname()[1]}"]


def take(c):
    n = 0
    while more := c.recv(1 << 16):
        n += len(more)
    return n


def speaks_first(c):
    c.sendall(b"y" * SIZE)
    got.append(take(c))
    c.unwrap()


with open(f"{D}/input", "rb") as f:
    try:
        r = subprocess.run([TROTH, *server(speaks_first)], stdin=f, capture_output=True, timeout=60, check=False)
        check("a server that speaks before it listens", r.returncode == 0 and len(r.stdout) == SIZE and got == [SIZE], (r.returncode, len(r.stdout), got, r.stderr))
    except subprocess.TimeoutExpired:
        check("a server that speaks before it listens", False, "both wait for each other")

held = threading.Event()
with open("/dev/zero", "rb") as zeros:
    p = subprocess.Popen([TROTH, *server(lambda c: held.wait(60))], stdin=zeros, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    taken = []
    for _ in range(2):
        time.sleep(1.5)
        with open(f"/proc/{p.pid}/io", encoding="utf-8") as f:
            taken.append(int(f.readline().split()[1]))
    check("a server that never reads holds the input up", p.poll() is None and taken[0] == taken[1] < 64 << 20, taken)
    p.kill()
    p.wait()
    held.set()


def never_ends(c):
    while True:
        c.sendall(b"z" * 65536)


p = subprocess.Popen([TROTH, *server(never_ends)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
p.stdout.read(1000)
p.stdout.close()
check("a reader that goes away ends it, in silence", p.wait(timeout=30) == 8 and p.stderr.read() == b"")


# ---- who leaves without close_notify has cut off nothing, if nothing was said before we said that we are done (nginx does so)
def resets(c):
    take(c)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def says_something(c):
    c.sendall(b"y")
    take(c)


for what, talk, said, code in (("leaves", take, b"", None), ("resets", resets, b"", None), ("takes something and leaves", take, b"x", "tls.truncated"),
                               ("takes something and resets", resets, b"x", "net.reset-mid"), ("says something and leaves", says_something, b"", "tls.truncated")):
    r = subprocess.run([TROTH, *server(talk)], input=said, capture_output=True, timeout=60, check=False)
    check(f"a server that {what}: {code or 'all is well'}", r.returncode == (4 if code else 0) and (code or "").encode() in r.stderr and bool(r.stderr) == bool(code), r)
p = subprocess.Popen([TROTH, *server(lambda c: time.sleep(0.5))], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
check("a server that leaves before we are done", p.wait(timeout=30) == 4 and b"tls.truncated" in p.stderr.read())
p.stdin.close()
finish()
