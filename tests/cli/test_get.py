"""troth get: what it asks for, takes, and leaves alone; --json: one object on standard error for every end that a URL can have, as docs/schema/get-1.json has it.
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
answers, requests = [], []


def answer_all():
    while True:
        c, _ = listener.accept()
        try:
            with context.wrap_socket(c, server_side=True) as t:
                requests.append(t.recv(9000))
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


# ---- an answer is what it says it is
def ask(reply, *args, path="/dir/page?q", status=0):
    answers[:] = reply if isinstance(reply, list) else [reply]
    requests.clear()
    return run("get", "--ca", CA, *args, at + path, status=status)


OK, TEN = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell", b"Content-Length: 10\r\n\r\nno body at"
CHUNKED = b"\r\n\r\n4\r\nwell\r\n0\r\n\r\n"
for what, reply, words in (
        ("two encodings", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip" + CHUNKED, "Transfer-Encoding"),
        ("a long encoding", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, " + b"x" * 80 + CHUNKED, "Transfer-Encoding"),
        ("a blank before the colon", b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nwell", "none"),
        ("a folded length", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n 5\r\n\r\nwell", "no number"),
        ("interim answers without end", b"HTTP/1.1 103 Early\r\n\r\n" * 100 + OK, "interim")):
    r = ask(reply, status=4)
    check(what, words in r.stderr and "get.answer" in r.stderr and not r.stdout, (r.stdout, r.stderr))
for what, reply in (("trailers", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;a=b\r\nwell\r\n0\r\nX: y\r\n\r\n"),
                    ("some interim answers", b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + OK), ("a folded header", b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 4\r\n\r\nwell")):
    check(what, ask(reply).stdout == "well")

# ---- where a redirect leads, without what it says beside it
for location, path in (("/on", "/on"), ("on", "/dir/on"), ("../on", "/on"), ("./a/../on?x#y", "/dir/on?x"), ("?other", "/dir/page?other"),
                       (f"//localhost:{port}/on", "/on"), (f"HTTPS://localhost:{port}/on", "/on"), (f"{at}/a/long/path", "/a/long/path"), ("/a b", "/a%20b")):
    r = ask([b"HTTP/1.1 302 Found\r\nLocation: " + location.encode() + b"\r\n" + TEN, OK], "-L")
    got = requests[-1].split(b" HTTP/1.1\r\n")[0].decode()
    check("a redirect to " + location, r.stdout == "well" and len(requests) == 2 and got == "GET " + path, (r.stdout, got))
for location in ("http://\x1b[31mlocalhost/", "ftp://localhost/", "https://", "https://a:b@localhost/", "/" + "x" * 5000, "https:nowhere"):
    r = ask(b"HTTP/1.1 302 Found\r\nLocation: " + location.encode() + b"\r\n" + TEN, "-L", status=4)
    check("no redirect to " + repr(location)[:40], "get.redirect" in r.stderr and "\x1b" not in r.stderr and not r.stdout, r.stderr)
answers[:] = [b"HTTP/1.1 302 Found\r\nLocation: http://\xff\xfe/\r\n" + TEN]
get("a redirect to no text", 4, "get.redirect", f"{at}/", "-L")

# ---- what is asked for
ask(OK, path="/a b\"\u00e9")
check("a path with a blank", requests[0].startswith(b"GET /a%20b%22%C3%A9 HTTP/1.1\r\nHost: localhost:"), requests)
answers[:] = [OK]
requests.clear()
run("explain", "--ca", CA, at + "/a b", "--depth", "summary")
check("explain asks for the same", requests and requests[0].startswith(b"GET /a%20b HTTP/1.1\r\nHost: " + at[8:].encode() + b"\r\n"), requests)
r = run("get", "--ca", CA, at + "/a\r\nX: y\x1b[31m", status=2)
check("a path that would be two lines", "control character" in r.stderr and "\x1b" not in r.stderr, r.stderr)
ask(OK, "-H", "host: other", "-H", "User-Agent: me", path="")
check("headers of one's own come instead", requests[0].startswith(b"GET / HTTP/1.1\r\nAccept") and requests[0].lower().count(b"\r\nhost: other\r\n") == 1
      and requests[0].count(b"User-Agent") == 1, requests)
for line in ("none", ": x", "A b: x", "X: a\x1b[31m", "X: a\r\nY: b", ""):
    r = run("get", "--ca", CA, "-H", line, at, status=2)
    check("no header: " + repr(line), "Name: value" in r.stderr and "\x1b" not in r.stderr, r.stderr)
r = ask(b"HTTP/1.1 200 \x1b[31mred\r\nX: \x1b]0;title\x07\r\n\r\n", "-I")
check("-I steers no terminal", "\x1b" not in r.stdout and "\x07" not in r.stdout and "\\x1b[31mred\nX: " in r.stdout, r.stdout)

# ---- a file is written whole or not at all
kept = f"{D}/kept"
os.makedirs(f"{D}/out")
for what, reply, args, status, now in (
        ("nobody there", [], ("--timeout", "5"), None, "before"), ("an answer that is cut", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", (), 4, "before"),
        ("an error with --fail", b"HTTP/1.1 404 No\r\n" + TEN, ("--fail",), 9, "before"), ("a good one", OK, (), 0, "well")):
    path = f"{D}/out/{what}"
    with open(path, "w", encoding="utf-8") as f:
        f.write("before")
    os.chmod(path, 0o640)
    if what == "nobody there":
        run("get", "--ca", CA, "-o", path, "https://localhost:9/", status=3)
    else:
        ask(reply, *args, "-o", path, status=status)
    with open(path, encoding="utf-8") as f:
        check("-o, " + what, f.read() == now and os.stat(path).st_mode & 0o777 == 0o640)
    ask(reply or OK, *args, "-o", path + ", new", status=status or 0)
    check("-o, new, " + what, os.path.exists(path + ", new") == (not status))
os.symlink("out/a good one", f"{D}/link")
ask(b"HTTP/1.1 200 OK\r\n\r\nagain", "-o", f"{D}/link")
with open(f"{D}/out/a good one", encoding="utf-8") as f:
    check("-o, a link", f.read() == "again" and os.path.islink(f"{D}/link"))
check("-o -", ask(OK, "-o", "-").stdout == "well" and not os.path.exists("-"))
check("nothing else is left", len(os.listdir(f"{D}/out")) == 6, os.listdir(f"{D}/out"))

# ---- and so is a session
key = open(KEY, "rb").read()
for path in (KEY, CA, D, "/dev/zero"):
    r = run("get", "--ca", CA, "--session", path, at, status=8)
    check("no session: " + path, path in r.stderr, r.stderr)
check("a key stays a key", open(KEY, "rb").read() == key)
finish()
