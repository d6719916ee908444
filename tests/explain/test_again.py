"""What rests on a secret of the configuration - a session, a key that both have, a key for encrypted hellos, for cookies - replays whole from a
recording with secrets, at both ends; from one without it says what is missing and tells what was on the wire.
ctest: slow timeout=300"""
import glob
import json
import os
import select
import socket
import subprocess
import sys
import time

sys.path.insert(0, f"{os.environ['SRC_DIR']}/tests/cli")
from serving import D, TROTH, Server, authority, check, finish, run  # noqa: E402

try:
    import jsonschema
    with open(f"{os.environ['SRC_DIR']}/docs/schema/recording-1.json", encoding="utf-8") as schema:
        valid = jsonschema.Draft202012Validator(json.load(schema))
except ImportError:
    valid = None
authority()
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"
os.makedirs(f"{D}/web")
run("ech", "keygen", "--public-name", "localhost", "-o", f"{D}/ech.pem")
with open(f"{D}/psk", "w", encoding="utf-8") as f:
    f.write("bond:" + "0b" * 32 + "\n")
with open(f"{D}/early", "w", encoding="utf-8") as f:
    f.write("GET / HTTP/1.0\r\n\r\n")
with open(f"{D}/half", "w", encoding="utf-8") as f:  # so that the server waits for the rest
    f.write("GET / HTTP/1.1\r\nHost: x\r\n")
SECRETS = "--danger-record-secrets"


def facts(path):
    with open(path, "rb") as f:
        blob = f.read()
    at = 0
    while at < len(blob):
        kind, length = int.from_bytes(blob[at:at + 4], sys.byteorder), int.from_bytes(blob[at + 4:at + 8], sys.byteorder)
        if kind == 0x80747274:
            return blob, json.loads(blob[at + 12:at + 12 + int.from_bytes(blob[at + 8:at + 12], sys.byteorder)])
        at += length
    raise AssertionError("no facts")


def judge(what, path, secrets, missing, seen, words=""):
    """Its replay; `seen`: messages that the story has either way."""
    blob, o = facts(path)
    if valid:
        check(f"{what}: the facts keep to their schema", not list(valid.iter_errors(o)), [e.message for e in valid.iter_errors(o)][:2])
    r = run("explain", path, "--json", status=None)
    story = json.loads(r.stdout)
    notes = " ".join(story.get("notes", []))
    if secrets:
        ours = notes.split("of the ")[1].split(" bytes")[0] if "of the " in notes else None
        check(f"{what}: replays to the last byte", ours and f"wrote, {ours} came out again the same." in notes and "lacks" not in o, notes)
    else:
        check(f"{what}: without secrets it says why not", words in notes and "rests on" in notes and "on the wire" in notes and o["lacks"] == missing, notes)
        check(f"{what}: and has none", b"danger" not in blob)
    types = [m["type"] for m in story["messages"]]
    check(f"{what}: the messages", set(seen) <= set(types), types)
    check(f"{what}: ends as it did", story.get("error", {}).get("code", "ok") == o["code"], (story.get("error"), o["code"]))
    return story


def cut(port, flights, start):
    """Runs start(port of a relay) and ends both its connections behind so many answers of the server."""
    listener = socket.create_server(("127.0.0.1", 0))
    client = start(listener.getsockname()[1])
    a, _ = listener.accept()
    with a, socket.create_connection(("127.0.0.1", port), timeout=10) as b:
        turn = a
        while flights:
            ready = select.select([a, b], [], [], 10)[0]
            assert ready, "nobody says anything"
            for c in ready:
                data = c.recv(65536)
                assert data, "somebody left too early"
                (b if c is a else a).sendall(data)
                flights -= c is b and turn is a
                turn = c
        b.shutdown(socket.SHUT_WR)
        while b.recv(65536):
            pass
    client.wait(20)
    listener.close()


def troth(*args):
    return lambda port: subprocess.Popen([TROTH, "connect", "--ca", CA, *args, f"localhost:{port}"], stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def failure(kept, port, flights, start):
    before = set(glob.glob(kept + "/*.troth"))
    cut(port, flights, start)
    for _ in range(200):
        new = {path for path in set(glob.glob(kept + "/*.troth")) - before if path in s.log()}  # it is told once it is whole
        if new:
            return new.pop()
        time.sleep(.05)
    raise AssertionError("nothing was recorded: " + s.log())


plain = Server(f"{D}/web", "--ech-key", f"{D}/ech.pem", "--early-max", "1000", cert=CERT, key=KEY)
bond = Server(f"{D}/web", "--psk", f"{D}/psk")
session = f"{D}/session"
for secrets in (True, False):
    more = [SECRETS] if secrets else []
    path = f"{D}/client.troth"
    # ---- at the client
    for name, args in (("TLS 1.3", ()), ("TLS 1.2", ("--max", "1.2")), ("early data", ("--early-data", f"{D}/early"))):
        run("connect", "--ca", CA, "--session", session, *[a for a in args if a in ("--max", "1.2")], f"localhost:{plain.port}")
        run("connect", "--ca", CA, "--session", session, *args, "--record", path, *more, f"localhost:{plain.port}")
        judge(f"resumed, {name}", path, secrets, ["session"], ["ClientHello", "ServerHello"], "session that it offered")
        os.remove(session) if os.path.exists(session) else None
    run("connect", "--ca", CA, "--ech-config", f"{D}/ech.pem", "--record", path, *more, f"localhost:{plain.port}")
    judge("ECH", path, secrets, ["ech"], ["ClientHello", "ServerHello"], "encrypted")
    run("connect", "--ca", CA, "--psk", f"{D}/psk", "--record", path, *more, f"localhost:{bond.port}")
    judge("a key of both", path, secrets, ["psk"], ["ClientHello", "ServerHello"], "beforehand")
    # ---- at the server, whose client leaves in the middle
    kept = f"{D}/kept{secrets}"
    s = Server(f"{D}/web", "--ech-key", f"{D}/ech.pem", "--early-max", "1000", "--record", kept, *more, cert=CERT, key=KEY)
    for name, args in (("TLS 1.3", ()), ("TLS 1.2", ("--max", "1.2")), ("early data", ("--early-data", f"{D}/half"))):
        run("connect", "--ca", CA, "--session", session, *[a for a in args if a in ("--max", "1.2")], f"localhost:{s.port}")
        path = failure(kept, s.port, 1, troth("--session", session, *args))
        judge(f"serve: resumed, {name}", path, secrets, ["session"], ["ClientHello", "ServerHello"], "session that was resumed")
        os.remove(session) if os.path.exists(session) else None
    path = failure(kept, s.port, 1, troth("--ech-config", f"{D}/ech.pem"))
    judge("serve: ECH", path, secrets, ["ech"], ["ClientHello", "ServerHello"], "opens the encrypted hello")
    check("serve: the private key stays out", b"PRIVATE" not in open(path, "rb").read() and "danger_ech" not in json.dumps(facts(path)[1]))
    by_id = ["openssl", "s_client", "-tls1_2", "-no_ticket", "-CAfile", CA]
    subprocess.run([*by_id, "-connect", f"127.0.0.1:{s.port}", "-sess_out", f"{D}/id"], stdin=subprocess.DEVNULL, capture_output=True, check=True)
    path = failure(kept, s.port, 1, lambda port: subprocess.Popen([*by_id, "-connect", f"127.0.0.1:{port}", "-sess_in", f"{D}/id"], stdin=subprocess.DEVNULL,
                                                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    judge("serve: a session by id", path, secrets, ["session"], ["ClientHello", "ServerHello"], "session that was resumed")
    s.end()
    s = Server(f"{D}/web", "--always-retry", "--record", kept, *more, cert=CERT, key=KEY)
    path = failure(kept, s.port, 2, troth())
    judge("serve: a cookie", path, secrets, ["cookie"], ["ClientHello", "HelloRetryRequest", "ServerHello"], "cookie")
    s.end()
    s = Server(f"{D}/web", "--psk", f"{D}/psk", "--record", kept, *more)
    path = failure(kept, s.port, 1, troth("--psk", f"{D}/psk"))
    judge("serve: a key of both", path, secrets, ["psk"], ["ClientHello", "ServerHello"], "beforehand")
    s.end()
plain.end()
bond.end()
finish()
