"""ctest: slow timeout=300
What comes to a client of `troth serve`, byte for byte to the end of the connection, however it asks and however it ends: HTTP/1.0,
pipelined, a byte at a time, close_notify or the end of TCP right behind the request, mistakes that evhttp answers by itself."""
import os
import socket
import ssl
import time

from serving import D, ByHand, Server, authority, check, finish

authority()
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"
web = f"{D}/web"
os.makedirs(web)
HOME, BIG = b"<h1>home</h1>", 30_000_000
for name, text in (("index.html", HOME), ("big", b"x" * BIG)):
    with open(f"{web}/{name}", "wb") as f:
        f.write(text)
s = Server(web, "--timeout", "3", cert=CERT, key=KEY)


def talk(request, version, ends="", bytewise=False):
    """(all that came, how TLS ended, how TCP ended)"""
    context = ssl.create_default_context(cafile=CA)
    context.minimum_version = context.maximum_version = version
    hand = ByHand(s.port, context)
    hand.step(hand.tls.do_handshake)
    for part in ([bytes([b]) for b in request] if bytewise else [request] if request else []):
        hand.step(hand.tls.write, part)
    if "close_notify" in ends:
        hand.close_notify()
    if "TCP" in ends:
        hand.socket.shutdown(socket.SHUT_WR)
    got, tls, tcp = [], "", ""
    try:
        while True:
            more = hand.step(hand.tls.read, 1 << 18)
            if not more:
                tls = "close_notify"
                break
            got.append(more)
    except ssl.SSLZeroReturnError:
        tls = "close_notify"
    except (OSError, ssl.SSLError) as e:
        tls = repr(e)
    try:
        tcp = "closed" if not hand.socket.recv(10) else "more"
    except OSError as e:
        tcp = repr(e)
    hand.socket.close()
    return b"".join(got), tls, tcp


ROOT, LARGE = b"GET / HTTP/1.0\r\n\r\n", b"GET /big HTTP/1.0\r\n\r\n"
KEPT = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
    v = version.name
    for what, request, ends, bytewise, good in (
            ("HTTP/1.0", ROOT, "", False, lambda a: a.endswith(HOME)), ("HTTP/1.0 byte by byte", ROOT, "", True, lambda a: a.endswith(HOME)),
            ("close_notify behind it", ROOT, "close_notify", False, lambda a: a.endswith(HOME)),
            ("30 MB", LARGE, "", False, lambda a: len(a) > BIG), ("30 MB, close_notify behind the request", LARGE, "close_notify", False, lambda a: len(a) > BIG),
            ("three pipelined, close_notify behind them", KEPT * 3, "close_notify", False, lambda a: a.count(HOME) == 3),
            ("nothing but close_notify", b"", "close_notify", False, lambda a: a == b""),
            ("half a request and close_notify", b"GET /", "close_notify", False, lambda a: a == b"" or b" 400 " in a),
            ("no request", b"nonsense\r\n\r\n", "", False, lambda a: b" 400 " in a),
            ("headers of 70 KB", b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 70000 + b"\r\n\r\n", "", False, lambda a: b" 400 " in a or b" 431 " in a),
            ("a body of 10 MB that nobody asked for", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n" + b"z" * 300000, "", False, lambda a: b" 413 " in a),
            ("an unknown method", b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", "", False, lambda a: b" 501 " in a or b" 405 " in a),
            ("a connection that is kept, until it is idle for too long", KEPT, "", False, lambda a: a.endswith(HOME))):
        answer, tls, tcp = talk(request, version, ends, bytewise)
        check(f"{v}: {what}", good(answer) and tls == "close_notify" and tcp == "closed", (len(answer), answer[:60], tls, tcp))
    for what, request, least in (("a request", ROOT, 100), ("a request for 30 MB", LARGE, BIG), ("three requests", KEPT * 3, 500)):
        c = ssl.create_default_context(cafile=CA)
        c.minimum_version = c.maximum_version = version
        raw = socket.create_connection(("127.0.0.1", s.port), timeout=10)
        t = c.wrap_socket(raw, server_hostname="localhost")
        t.sendall(request)
        under = socket.socket(fileno=os.dup(t.fileno()))
        under.shutdown(socket.SHUT_WR)
        got = b""
        try:
            got = b"".join(iter(lambda: t.recv(1 << 18), b""))
        except (OSError, ssl.SSLError) as e:
            got = repr(e).encode()
        check(f"{v}: {what}, then the end of TCP", len(got) >= least and (least != 500 or got.count(HOME) == 3), (len(got), got[:60]))
        under.close()
        t.close()
check("others are served after all that", talk(ROOT, ssl.TLSVersion.TLSv1_3)[0].endswith(HOME))


def in_hand():
    """How many answers under way have the large file open."""
    folder, found = f"/proc/{s.process.pid}/fd", 0
    for fd in os.listdir(folder):
        try:
            found += os.readlink(f"{folder}/{fd}").endswith("/big")
        except FileNotFoundError:
            pass
    return found


patient = Server(web, "--timeout", "600", cert=CERT, key=KEY)
s, short = patient, s
context = ssl.create_default_context(cafile=CA)
gone = []
for _ in range(10):
    c = context.wrap_socket(socket.create_connection(("127.0.0.1", s.port), timeout=10), server_hostname="localhost")
    c.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
    c.recv(1000)
    gone.append(c)
check("ten large answers are under way", in_hand() == 10, in_hand())
for c in gone:  # with something unread: TCP is reset
    c.close()
for _ in range(100):
    if in_hand() == 0:
        break
    time.sleep(0.1)
check("who has left holds nothing", in_hand() == 0, in_hand())
check("ends in order", s.end() == 0, s.log()[-800:])
s = short
held = [socket.create_connection(("127.0.0.1", s.port), timeout=5) for _ in range(5)]
check("ends in order", s.end() == 0, s.log()[-800:])
finish()
