"""troth get --json: one object on standard error for every end that a URL can have, as docs/schema/get-1.json has it.
ctest: timeout=200 slow"""
import json
import os
import socket
import ssl
import sys
import threading

from serving import D, Server, authority, check, finish, run

try:
    import jsonschema
except ImportError:
    print("no python3-jsonschema")
    sys.exit(77)
authority()
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"
with open(os.environ["SRC_DIR"] + "/docs/schema/get-1.json", encoding="utf-8") as f:
    valid = jsonschema.Draft202012Validator(json.load(f))
web = f"{D}/web"
os.makedirs(f"{web}/sub")
for name in ("index.html", "sub/index.html"):
    with open(f"{web}/{name}", "w", encoding="utf-8") as f:
        f.write("<h1>here</h1>")


def get(what, exits, code, target, *args, **more):
    """The object; what is in `more` must be in it."""
    r = run("get", "--json", "--ca", CA, *args, target, status=None)
    try:
        o = json.loads(r.stderr)
    except ValueError:
        o = {"code": "no JSON", "exit": None}
    wrong = [e.message for e in valid.iter_errors(o)]
    good = not wrong and r.returncode == exits == o["exit"] and o["code"] == code and o["target"] == target and len(r.stderr.split("\n")) == 2
    good = good and (o["ok"] or o["failure"]["code"] == code) and all(o.get(k) == v for k, v in more.items())
    check(what, good, (r.returncode, o, wrong, r.stderr[-300:]))
    return o, r.stdout


s = Server(web, cert=CERT, key=KEY)
at = f"https://localhost:{s.port}"
o, body = get("a page", 0, "ok", f"{at}/", status=200, redirects=0, bytes=13, url=f"{at}/")
check("and its body", body == "<h1>here</h1>", body)
get("a page that is not there", 0, "ok", f"{at}/none", status=404)
o, body = get("and with --fail", 9, "get.status", f"{at}/none", "--fail", status=404, bytes=0)
check("whose failure it is", o["failure"]["fromPeer"] and o["failure"]["evidence"] == "404" and not body, o)
get("a redirect, not followed", 0, "ok", f"{at}/sub", status=301, redirects=0)
get("and followed", 0, "ok", f"{at}/sub", "-L", status=200, redirects=1, url=f"{at}/sub/", bytes=13)
get("the headers alone", 0, "ok", f"{at}/", "-I", status=200, bytes=0)
get("no room", 8, "get.output", f"{at}/", "-o", "/dev/full", status=200)
s.end()
at = "https://localhost:9"  # where nobody is
o, _ = get("nobody there", 3, "net.refused", f"{at}/", status=0)
check("an answer for people, and none of the peer's", o["failure"]["do"] and not o["failure"]["fromPeer"], o)
r = run("get", "--ca", CA, f"{at}/", status=3)
check("without --json: text", "net.refused" in r.stderr and "{" not in r.stderr, r.stderr)
for args, status in ((("--header", "none", f"{at}/"), 2), (("-o", "/no/such/file", f"{at}/"), 8), (("--crl", "/no/such", f"{at}/"), 8)):
    r = run("get", "--json", "--ca", CA, *args, status=status)
    check("a mistake is said as ever: " + args[0], "{" not in r.stderr and len(r.stderr.split("\n")) == 2, r.stderr)

# ---- servers that answer something else
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERT, KEY)
listener = socket.create_server(("127.0.0.1", 0))
port = listener.getsockname()[1]
answers = []


def answer_all():
    while True:
        c, _ = listener.accept()
        try:
            with context.wrap_socket(c, server_side=True) as t:
                t.recv(4000)
                if not answers:
                    return
                t.sendall(answers.pop(0))
                t.unwrap()
        except OSError:
            pass


server = threading.Thread(target=answer_all, daemon=True)
server.start()
at = f"https://localhost:{port}"
moved = f"HTTP/1.1 302 Found\r\nLocation: {at}/on\r\nContent-Length: 0\r\n\r\n".encode()
for what, code, reply, args, more in (
        ("no HTTP", "get.answer", [b"SSH-2.0-x\r\n"], (), {"status": 0}), ("cut short", "get.answer", [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"], (), {"status": 200, "bytes": 3}),
        ("out of https", "get.redirect", [b"HTTP/1.1 302 Found\r\nLocation: http://localhost/\r\nContent-Length: 0\r\n\r\n"], ("-L",), {"redirects": 0}),
        ("in a circle", "get.redirect", [moved] * 11, ("-L",), {"redirects": 10}),
        ("a redirect to no HTTP", "get.answer", [moved, b"what?\r\n\r\n"], ("-L",), {"redirects": 1, "url": f"{at}/on", "status": 0})):
    answers[:] = reply
    get(what, 4, code, f"{at}/", *args, **more)
answers[:] = [b"SSH-2.0-x\r\n"]
r = run("get", "--ca", CA, f"{at}/", status=4)
check("and in words", "get.answer" in r.stderr and "no HTTP/1 status line" in r.stderr and len(r.stderr.split("\n")) == 2, r.stderr)
get("another key than the pinned one", 5, "trust.pin-mismatch", f"{at}/", "--pin", "00" * 32, status=0)
finish()
