"""What the tests of this folder share: servers to be rude to, and a table of cases.  A case says what is sent; what the server must answer,
with the place that demands it; afterwards the next client must be served, and the connection must have ended in order: an alert that
a reset destroys on its way is no alert."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from serving import D, Server, authority, check, finish, run  # noqa: E402
from rawtls import *  # noqa: E402,F403

authority()
run("ca", "issue", "--client", "me", "--out", D)
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"
web = f"{D}/web"
os.makedirs(web)
with open(f"{web}/index.html", "w", encoding="utf-8") as f:
    f.write("<h1>home</h1>")
servers, only = {}, sys.argv[1:]
next_client = {"shake": lambda c: c.shake13()}  # how an honest client connects


def server(*options):
    if options not in servers:
        servers[options] = Server(web, "--timeout", "5", *options, cert=CERT, key=KEY)
    return servers[options]


def served(port, shake):
    c = Client(port)
    shake(c)
    data, end = c.answer()
    c.close()
    return data.endswith(b"<h1>home</h1>") and end == "close_notify"


def try_one(port, rude, wants, settle):
    c = Client(port)
    try:
        said = rude(c)
    except Ended as e:
        said = str(e)
    except (BrokenPipeError, ConnectionResetError):
        said = None
    if said is None and "ok" in wants:
        try:
            data, said = c.answer()
            said = "ok" if data.endswith(b"<h1>home</h1>") and said == "close_notify" else f"{said} after {data[:40]!r}" if data else said
        except (BrokenPipeError, ConnectionResetError):
            said = c.outcome()
    elif said is None:
        said = c.outcome()
    after = wait_closed(c) if settle and said in wants and said != "ok" else "closed"
    c.close()
    return said, after


def case(what, wants, where, rude, options=(), settle=True, served_by=None):
    """`wants`: an alert, or several where the documents leave the choice; "ok": the server goes on and answers a request.  `rude`: does it,
    on a Client; returns None to let the server have the last word."""
    if only and not any(o in what for o in only):
        return
    wants = (wants,) if isinstance(wants, str) else wants
    s = server(*options)
    start = time.monotonic()
    try:
        said, after = try_one(s.port, rude, wants, settle)
    except AssertionError as e:
        said, after = f"assertion: {e}", "closed"
    took = time.monotonic() - start
    good = said in wants and after == "closed" and s.process.poll() is None
    check(f"{what}: {'/'.join(wants)} ({where})", good, (said, after, f"{took:.1f} s", s.log()[-300:] if not good else ""))
    if not served(s.port, served_by or next_client["shake"]):
        check(f"{what}: the next one is served", False)


def end():
    for s in servers.values():
        check("the server ends in order", s.end() == 0, s.log()[-1500:])
    finish()
