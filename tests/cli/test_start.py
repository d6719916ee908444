"""troth serve at its start, and the pace that it asks of its clients; files that hold something else than they should, in every option that
takes one: the file, the line, what was found, what to do.  The width of --help.
ctest: slow timeout=300"""
import functools
import json
import os
import pty
import re
import subprocess
import time

import serving
from serving import D, TROTH, Server, authority, check, finish, run, tls

authority()
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"
OWN = ("--cert", CERT, "--key", KEY)
web = f"{D}/web"
os.makedirs(web)
with open(f"{web}/big", "wb") as f:
    f.truncate(30_000_000)


def put(name, data):
    with open(f"{D}/{name}", "wb") as out:
        out.write(data if isinstance(data, bytes) else data.encode())
    return f"{D}/{name}"


def openssl(*args):
    return subprocess.run(["openssl", *args], check=True, capture_output=True, text=True, cwd=D).stdout


# ---- a client's pace: byte by byte is not getting on
s = Server(web, "--timeout", "3600", "--request-timeout", "1", *OWN)
slow = {"a request's head": b"GET / HTTP/1.1\r\nHost: x\r\nX: ", "a request's body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n",
        "a second request's head": b"GET /big HTTP/1.1\r\nRange: bytes=0-1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nX: "}
open_ones = {}
for what, request in slow.items():
    open_ones[what] = tls(s.port, CA)
    open_ones[what].sendall(request)
    open_ones[what].settimeout(0.02)
end = time.time() + 30
while open_ones and time.time() < end:
    for what, c in list(open_ones.items()):
        try:
            c.sendall(b"x")
            closed = c.recv(4096) == b""
        except TimeoutError:
            closed = False
        except OSError:
            closed = True
        if closed:
            del open_ones[what]
            c.close()
for what in slow:
    check(what + ", byte by byte, is cut", what not in open_ones)
s.end()
patient = Server(web, "-v", "--timeout", "2", *OWN)
with tls(patient.port, CA) as reader:
    reader.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
    for _ in range(600):
        if patient.said("took too little of the answer", 0.05):
            break
        reader.recv(1)
    check("so is who takes the answer byte by byte", patient.said("took too little of the answer", 0.05), patient.log()[-500:])
patient.end()


# ---- files
refused = functools.partial(serving.refused, status=8)
ca = open(CA, encoding="utf-8").read()
text, empty = put("text", "hello\n"), put("empty", "")
cut = put("cut.pem", "a comment\n\n" + ca[:200])
second = put("second.pem", ca + ca[:200])
base64 = put("base64.pem", ca.replace("MII", "M!I", 1))
lines = len(ca.splitlines())
for option, verb in (("--ca", ("connect", "localhost:1")), ("--client-ca", ("serve", *OWN, "-q"))):
    refused([cut, "line 3", "cut off"], *verb, option, cut)
    refused([second, f"line {lines + 1}", "cut off"], *verb, option, second)
    refused([base64, "line 1", "not base64"], *verb, option, base64)
refused(["/dev/zero", "larger than"], "connect", "localhost:1", "--ca", "/dev/zero")
for option, verb in (("--ech-key", ("serve", *OWN, "-q")), ("--raw-key", ("serve", *OWN, "-q")), ("--ech-config", ("connect", "localhost:1")),
                     ("--staple", ("serve", *OWN, "-q")), ("--psk", ("serve", *OWN, "-q")), ("--ticket-key", ("serve", *OWN, "-q"))):
    for path in (text, empty, cut):
        refused([path], *verb, option, path)
refused([cut, "line 3"], "serve", *OWN, "-q", "--ech-key", cut)
refused([text, text, "delegated"], "serve", *OWN, "-q", "--delegated", text, "--delegated-key", KEY)
refused([CA, "a certificate"], "serve", *OWN, "-q", "--staple", CA)

# ---- an OCSP response: for this certificate, and no bad news
serial = openssl("x509", "-in", CERT, "-noout", "-serial").split("=")[1].strip()
put("ca.cnf", f"[ca]\ndefault_ca=d\n[d]\ndatabase={D}/index.txt\n")
openssl("ocsp", "-issuer", CA, "-cert", CERT, "-reqout", "request.der", "-no_nonce")


def response(name, status, *more):
    put("index.txt", f"{status[0]}\t361126000000Z\t{status[1:]}\t{serial}\tunknown\t/CN=localhost\n")
    openssl("ocsp", "-index", "index.txt", "-rsigner", CA, "-rkey", f"{D}/ca-key.pem", "-CA", CA, "-reqin", "request.der", "-respout", name, *more)
    return f"{D}/{name}"


good = response("good.der", "V", "-ndays", "9")
revoked = response("revoked.der", "R260101000000Z", "-ndays", "9")
other = f"{D}/other"
run("ca", "init", "--out", other)
run("ca", "issue", "localhost", "--out", other)
chain, own_chain = put("chain.pem", open(CERT, encoding="utf-8").read() + ca), ("--cert", f"{D}/chain.pem", "--key", KEY)
for what, path, words, identity in (
        ("a good one", good, [], OWN), ("a good one, the issuer at hand", good, [], own_chain),
        ("the news that it is revoked", revoked, ["cert.revoked"], OWN),
        ("one for another certificate", good, ["ocsp.other-certificate"], ("--cert", f"{other}/localhost.pem", "--key", f"{other}/localhost-key.pem")),
        ("a PEM block of it", put("good.pem", "-----BEGIN OCSP RESPONSE-----\n" + openssl("base64", "-in", good) + "-----END OCSP RESPONSE-----\n"), [], OWN)):
    s = Server(web, *identity, "--staple", path)
    warned = [line for line in s.log().splitlines() if "level=warn" in line]
    check("stapled: " + what, len(warned) == len(words) and all(w in warned[0] for w in words), s.log())
    if what == "a PEM block of it":
        got = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{s.port}", "-status", "-CAfile", CA], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, check=False).stdout
        check("and it is sent", "Cert Status: good" in got, got[:500])
        r = json.loads(run("check", f"localhost:{s.port}", "--ca", CA, "--json", "--time", str(int(time.time()) + 10 * 86400), status=None).stdout)
        late = [f["severity"] for f in r["findings"] if f["code"] == "staple.stale"]
        check("one that is late is told of, and no reason to refuse", late == ["medium"] and r["certificate"] == "ok", r)
    s.end()

# ---- protocols that are not spoken
refused(["h2", "http/1.1"], "serve", *OWN, "--alpn", "h2,http/1.1", status=2)
refused(["h2", "http/1.1"], "get", "https://localhost:1/", "--alpn", "h2", status=2)
refused(["longer than"], "connect", "localhost:1", "--alpn", ",".join(["http/1.1"] * 300), status=2)
refused(["0x1001d"], "connect", "localhost:1", "--groups", "0x1001d", status=2)
refused(["0x1dxy"], "connect", "localhost:1", "--groups", "0x1dxy", status=2)


# ---- --help, as wide as the terminal
def on_terminal(columns, *args):
    master, slave = pty.openpty()
    p = subprocess.Popen([TROTH, *args], stdout=slave, stderr=slave, stdin=subprocess.DEVNULL, env={**os.environ, "COLUMNS": str(columns)})
    os.close(slave)
    got = b""
    try:
        while more := os.read(master, 65536):
            got += more
    except OSError:  # the end of a terminal
        pass
    os.close(master)
    p.wait()
    return got.decode().replace("\r", "")


def words_of(page):
    return re.sub(r"\s+", " ", page)


for args in (("--help",), ("get", "--help"), ("serve", "--help")):
    page = run(*args).stdout
    check(f"{' '.join(args)}: COLUMNS is for terminals", run(*args, env={**os.environ, "COLUMNS": "50"}).stdout == page)
    for columns in (40, 60, 80, 300):
        there = on_terminal(columns, *args)
        longest = max(map(len, there.splitlines()))
        check(f"{' '.join(args)} in {columns} columns", longest <= min(columns, 100) and words_of(there) == words_of(page), longest)
finish()
