"""troth check against servers that are up to no good, or fall silent: no finding that is not so, none that is lost, an end in time, and nothing raw from them
in any format.
ctest: label=interop slow timeout=300"""
import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from xml.etree import ElementTree

from serving import D, TROTH, authority, check, finish, hello_of, openssl_server, run

authority()
run("ca", "issue", "site.test", "localhost", "--out", D)
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/site.test.pem", f"{D}/site.test-key.pem"
try:
    from jsonschema import Draft202012Validator
    with open(f"{os.environ['SRC_DIR']}/docs/schema/check-1.json", encoding="utf-8") as f:
        holds = Draft202012Validator(json.load(f)).validate
except ImportError:
    def holds(answer):
        pass


def tell(port, form, *options):
    """(exit status, standard output) in this format."""
    r = subprocess.run([TROTH, "check", f"site.test:{port}", "--connect-to", f"127.0.0.1:{port}", "--ca", CA, "--timeout", "2", "--format", form, *options],
                       capture_output=True, timeout=60)
    assert b"\x1b" not in r.stdout + r.stderr and b"\x07" not in r.stdout + r.stderr, (r.stdout, r.stderr)
    return r.returncode, r.stdout.decode("utf-8")


def assess(port, *options):
    """The answer, the evidence by code."""
    status, text = tell(port, "json", *options)
    answer = json.loads(text)
    holds(answer)
    assert answer["exit"] == status, (answer, status)
    return answer, {f["code"]: f["evidence"] for f in answer["findings"]}


def serving(each):
    """each(connection, how many were before it), in threads of their own."""
    door, n = socket.create_server(("127.0.0.1", 0), backlog=100), 0

    def one(conn, i):
        try:
            each(conn, i)
        except (OSError, ssl.SSLError):
            pass
        conn.close()

    def loop():
        nonlocal n
        while True:
            try:
                conn, _ = door.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(conn, n), daemon=True).start()
            n += 1

    threading.Thread(target=loop, daemon=True).start()
    return door.getsockname()[1]


def context(cert=CERT, **options):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(cert, KEY)
    c.set_alpn_protocols(["http/1.1"])
    for name, value in options.items():
        setattr(c, name, value)
    return c


def web(answer):
    """Answers every request with this, or what it yields."""
    c = context()

    def each(conn, _):
        with c.wrap_socket(conn, server_side=True) as t:
            if b"\r\n" in t.recv(4096):
                for piece in answer() if callable(answer) else (answer,):
                    t.sendall(piece)
                t.unwrap()

    return serving(each)


def reset(conn):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


# ---- headers that are not for terminals, nor for whoever reads JSON
for head, code, saw in ((b"Strict-Transport-Security: max-age=\xff\x1b[31m\x07\r\n", "check.no-hsts", r"max-age=\xff\x1b[31m\x07"),
                        (b"Strict-Transport-Security: max-age=0; x=" + 90 * b"\xc3\xa9" + b"\r\n", "check.no-hsts", "\u00e9\u00e9"),
                        (b"Location: http://\xe2\x80\xae\xff/\r\n", "check.redirect-to-http", r"http://\xe2\x80\xae\xff/")):
    port = web(b"HTTP/1.1 301 Moved\r\n" + head + b"Content-Length: 0\r\n\r\n")
    answer, found = assess(port)
    check(f"{head[:30]}: told, and safely", saw in found.get(code, ""), found)
    check("as text and md too", all(code in tell(port, form)[1] for form in ("text", "md")))
    check("and for build servers", code in tell(port, "sarif")[1] and ElementTree.fromstring(tell(port, "junit")[1]).find(f".//testcase[@name='{code}']") is not None)

# ---- headers that are long, or many
LONG = b"x" * 5000
answer, found = assess(web(b"HTTP/1.1 302 Found\r\nLocation: http://site.test/" + LONG + b"\r\n\r\n"))
check("a long way to http", "check.redirect-to-http" in found and answer["exit"] == 1, answer)
answer, found = assess(web(b"HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=31536000; x=" + LONG + b"\r\n\r\n"))
check("a long rule is one", "check.no-hsts" not in found, found)
for first, second, none in ((b"max-age=0", b"max-age=31536000", True), (b"max-age=31536000", b"max-age=0", False)):
    answer, found = assess(web(b"HTTP/1.1 200 OK\r\nStrict-Transport-Security: " + first + b"\r\nStrict-Transport-Security: " + second + b"\r\n\r\n"))
    check("of two rules the first counts", ("check.no-hsts" in found) == none, found)
answer, found = assess(web(b"HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=31536000; max-age=1\r\n\r\n"))
check("a rule that does not conform is none", "check.no-hsts" in found, found)


def endless(piece):
    while True:
        yield piece


def slowly():
    for b in b"HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=31536000\r\n\r\n":
        yield bytes([b])
        time.sleep(0.1)


for what, say in (("a header", b"X: " + 200000 * b"a"), ("headers", lambda: endless(b"X: y\r\n" * 1000)), ("interim answers", lambda: endless(b"HTTP/1.1 100 Go\r\n\r\n")),
                  ("an answer", slowly), ("garbage", os.urandom(5000)), ("nothing", b"")):
    began = time.time()
    answer, found = assess(web(say))
    check(f"{what} without end: nothing is said of it", answer["exit"] == 0 and "check.no-hsts" not in found and time.time() - began < 15, (answer, time.time() - began))


# ---- no handshake: nothing was assessed, and that is no pass
def alert(level, description):
    def each(conn, _):
        hello_of(conn)
        conn.sendall(bytes([21, 3, 3, 0, 2, level, description]))
        time.sleep(0.05)
    return each


def flood(record):
    def each(conn, _):
        hello_of(conn)
        while True:
            conn.sendall(record)
    return each


def odd_hello(conn, _):
    hello_of(conn)
    conn.sendall(b"\x16\x03\x03\x00\x50\x02\x00\x00\x4c\x03\x03" + bytes(32) + b"\xff" + bytes(41))
    time.sleep(0.1)


for what, each, status in (("an alert, version", alert(2, 70), 4), ("an alert, failure", alert(2, 40), 4), ("an alert, internal", alert(2, 80), 4),
                           ("close_notify", alert(1, 0), 4), ("a certificate is wanted at once", alert(2, 116), 6), ("warnings", flood(b"\x15\x03\x03\x00\x02\x01\x5a" * 100), 4),
                           ("change_cipher_spec", flood(b"\x14\x03\x03\x00\x01\x01" * 100), 4), ("handshake garbage", flood(b"\x16\x03\x03\x40\x00" + os.urandom(16384)), 4),
                           ("an odd ServerHello", odd_hello, 4), ("it hangs up", lambda conn, _: None, 4), ("it resets", lambda conn, _: (conn.recv(10), reset(conn)), 4)):
    port = serving(each)
    answer, found = assess(port)
    check(f"{what}: the failure, and no finding", answer["exit"] == status and not found and "failure" in answer and "certificate" not in answer, answer)
    if status == 4 and what.startswith("an alert"):
        log = json.loads(tell(port, "sarif")[1])["runs"][0]
        check("SARIF says so", log["results"] == [] and not log["invocations"][0]["executionSuccessful"], log)
        suite = ElementTree.fromstring(tell(port, "junit")[1]).find("testsuite")
        check("JUnit says so", suite.get("errors") == "1" and suite.get("tests") == "1", ElementTree.tostring(suite))
with open(f"{D}/chain.pem", "w", encoding="ascii") as f:
    f.write(open(CERT, encoding="ascii").read() + 19 * open(CA, encoding="ascii").read())
crowd = context(f"{D}/chain.pem")
answer, found = assess(serving(lambda conn, _: crowd.wrap_socket(conn, server_side=True).recv(100)))
check("20 certificates", answer["exit"] == 4 and answer["failure"]["code"] == "tls.chain-too-long" and not found, answer)


# ---- it answers, and then no more
good = context()


def talks(conn):
    good.wrap_socket(conn, server_side=True).recv(100)


refuses = socket.create_server(("127.0.0.1", 0))


def only_once():
    conn, _ = refuses.accept()
    refuses.close()
    talks(conn)


threading.Thread(target=only_once, daemon=True).start()
for what, port in (("hangs up", serving(lambda conn, i: None if i else talks(conn))), ("resets", serving(lambda conn, i: reset(conn) if i else talks(conn))),
                   ("hangs up after seven", serving(lambda conn, i: None if i > 7 else talks(conn))),
                   ("stalls", serving(lambda conn, i: time.sleep(60) if i else talks(conn))), ("is gone", refuses.getsockname()[1])):
    began = time.time()
    answer, found = assess(port)
    check(f"and then {what}: what it spoke counts, what it did not does not", answer["exit"] == 1 and set(found) == {"check.unsteady"} and answer["certificate"] == "ok" and
          "TLS 1.3" in answer["versions"] and time.time() - began < 20, (answer, time.time() - began))
answer, found = assess(serving(lambda conn, i: None if i % 3 == 2 else talks(conn)))
check("every third connection ends without a word: asked again", answer["versions"] == ["TLS 1.3", "TLS 1.2"] and len(answer["suites"]) == 6 and
      set(found) <= {"check.no-post-quantum"}, answer)


# ---- who wants a certificate has spoken before
for most, versions in ((ssl.TLSVersion.TLSv1_3, ["TLS 1.3", "TLS 1.2"]), (ssl.TLSVersion.TLSv1_2, ["TLS 1.2"])):
    strict = context(maximum_version=most, verify_mode=ssl.CERT_REQUIRED)
    strict.load_verify_locations(CA)
    answer, found = assess(serving(lambda conn, _: strict.wrap_socket(conn, server_side=True).recv(100)))
    check(f"{versions}, with a certificate of ours", answer["versions"] == versions and answer["certificate"] == "ok" and "check.only-tls13" not in found and
          answer["exit"] == 0, answer)


# ---- of the handshake troth itself can do nothing, but old ones are answered
def fails_new(conn, _):
    hello = hello_of(conn)
    if hello[9:11] != b"\x03\x02":
        conn.sendall(bytes([21, 3, 3, 0, 2, 2, 70]))
    else:
        conn.sendall(b"\x16\x03\x02\x00\x2a\x02\x00\x00\x26\x03\x02" + bytes(32) + b"\x00\xc0\x13\x00")
    time.sleep(0.05)


answer, found = assess(serving(fails_new))
check("TLS 1.1 alone: high, and no certificate is called good", answer["exit"] == 1 and set(found) == {"tls.version", "check.tls11"} and
      answer["certificate"] == "tls.version" and answer["versions"] == ["TLS 1.1"], answer)
for group in ("X25519", "P-521"):
    for more in ((), ("-no_tls1_3",)):
        p, port = openssl_server("-cert", CERT, "-key", KEY, "-groups", group, *more)
        answer, found = assess(port)
        p.terminate()
        p.wait()
        check(f"{group} alone {more}", [g.lower() for g in answer["groups"]] == [{"X25519": "x25519", "P-521": "secp521r1"}[group]] and answer["exit"] == 0, answer)
finish()
