"""troth check: what is found by looking closer - rules for browsers, certificates that nobody needs, servers that a large hello or a man in
between breaks.
ctest: label=interop slow timeout=300"""
import json
import os
import shutil
import socket
import ssl
import sys
import threading

from serving import D, Server, authority, check, finish, hello_of, openssl_server, run

if not shutil.which("openssl"):
    print("no openssl")
    sys.exit(77)
authority()
os.makedirs(f"{D}/web")
CA = f"{D}/ca.pem"
run("ca", "issue", "site.test", "localhost", "--out", D)
CERT, KEY = f"{D}/site.test.pem", f"{D}/site.test-key.pem"


def read(*names):
    return "".join(open(n, encoding="ascii").read() for n in names)


def write(name, text):
    with open(f"{D}/{name}", "w", encoding="ascii") as f:
        f.write(text)
    return f"{D}/{name}"


def assess(port, *options, host="site.test", ca=CA):
    r = run("check", f"{host}:{port}", "--connect-to", f"127.0.0.1:{port}", "--ca", ca, "--json", "--timeout", "5", *options, status=None)
    assert r.stdout, r.stderr
    answer = json.loads(r.stdout)
    return answer, {f["code"]: f["severity"] for f in answer["findings"]}, {f["code"]: f["evidence"] for f in answer["findings"]}


def serving(listener, each):
    """Every connection in a thread of its own, until the listener is closed."""
    def one(conn):
        try:
            each(conn)
        except (OSError, ssl.SSLError):
            pass
        finally:
            conn.close()

    def loop():
        while True:
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(conn,), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()
    return listener.getsockname()[1]


def listener():
    return socket.create_server(("127.0.0.1", 0))


# ---- a web server with these headers
def web(*headers, status="200 OK", alpn=("http/1.1",), cert=CERT, key=KEY):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    context.set_alpn_protocols(list(alpn)) if alpn else None
    lines = "".join(h + "\r\n" for h in headers)
    door = listener()

    def each(conn):
        with context.wrap_socket(conn, server_side=True) as tls:
            if b"\r\n" in tls.recv(4096):
                tls.sendall(f"HTTP/1.1 {status}\r\n{lines}Content-Length: 5\r\n\r\n".encode())
                tls.unwrap()

    return door, serving(door, each)


HSTS = "Strict-Transport-Security: "
for headers, code, severity, saw in (
        ((), "check.no-hsts", "low", "no Strict-Transport-Security"), ((HSTS + "max-age=0",), "check.no-hsts", "low", "max-age=0"),
        ((HSTS + "includeSubDomains",), "check.no-hsts", "low", "includeSubDomains"),
        ((HSTS + "includeSubDomains; Max-Age = \"86400\"",), "check.short-hsts", "low", "86400"),
        ((HSTS + "max-age=31536000; preload",), None, None, None)):
    door, port = web(*headers)
    answer, found, evidence = assess(port)
    door.close()
    said = {"check.no-hsts", "check.short-hsts"} & set(found)
    check(f"{headers}: {code}", said == ({code} if code else set()) and (not code or (found[code] == severity and saw in evidence[code])), answer["findings"])
door, port = web(HSTS + "max-age=31536000", "Location: http://site.test/", status="301 Moved Permanently")
answer, found, evidence = assess(port)
door.close()
check("away to http: high, and exit status 1", found.get("check.redirect-to-http") == "high" and answer["exit"] == 1, answer)
door, port = web(HSTS + "max-age=31536000", "Location: https://elsewhere.test/", status="301 Moved Permanently")
answer, found, evidence = assess(port)
door.close()
check("away to https is fine", "check.redirect-to-http" not in found and answer["exit"] == 0, answer)
door, port = web()
check("no rules are wanted of this machine itself", "check.no-hsts" not in assess(port, host="localhost")[1])
door.close()
door, port = web(alpn=())
check("nor of what may be no web server", "check.no-hsts" not in assess(port)[1])
door.close()

for seconds, code in (("31536000", None), ("60", "check.short-hsts"), ("0", "check.no-hsts")):
    s = Server(f"{D}/web", "--alpn", "http/1.1", "--hsts", seconds, cert=CERT, key=KEY)
    answer, found, evidence = assess(s.port)
    check(f"troth serve --hsts {seconds}", {"check.no-hsts", "check.short-hsts"} & set(found) == ({code} if code else set()), answer["findings"])
    check("it ends", s.end() == 0, s.log()[-600:])

# ---- certificates that nobody needs
run("ca", "init", "--out", f"{D}/other", "--name", "another")
for what, names, code, saw in (("the root", (CERT, CA), "check.root-sent", "certificate 2 of 2"),
                               ("somebody else's", (CERT, f"{D}/other/ca.pem"), "check.spare-certificate", "another, certificate 2 of 2"),
                               ("itself again", (CERT, CERT), "check.spare-certificate", "certificate 2 of 2"), ("nothing more", (CERT,), None, None)):
    door, port = web(HSTS + "max-age=31536000", cert=write("chain.pem", read(*names)))
    answer, found, evidence = assess(port)
    door.close()
    said = {"check.root-sent", "check.spare-certificate"} & set(found)
    check(f"beside its own: {what}", said == ({code} if code else set()) and (not code or saw in evidence[code]), answer["findings"])


# ---- between a client and servers
def openssl(*options):
    return openssl_server("-cert", CERT, "-key", KEY, *options)


def pump(a, b):
    try:
        while True:
            some = a.recv(16384)
            if not some:
                break
            b.sendall(some)
    except OSError:
        pass
    try:  # however it ended: who is reset by the one may not keep the other waiting
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def relay(choose):
    """choose(hello): the port to go to; None: hang up."""
    door = listener()

    def each(conn):
        hello = hello_of(conn)
        to = choose(hello)
        if to is None:
            return
        with socket.create_connection(("127.0.0.1", to)) as far:
            far.sendall(hello)
            back = threading.Thread(target=pump, args=(far, conn), daemon=True)
            back.start()
            pump(conn, far)
            back.join(10)

    return door, serving(door, each)


both, at_both = openssl()
old, at_old = openssl("-no_tls1_3")
door, port = relay(lambda hello: at_both)
answer, found, evidence = assess(port)
door.close()
check("whoever only passes on breaks nothing", not {"check.no-sentinel", "check.large-hello"} & set(found), answer["findings"])
door, port = relay(lambda hello: at_both if b"\x03\x04" in hello[43:] and b"\x00\x2b" in hello[43:] and b"\x00\x33" in hello[43:] else at_old)
answer, found, evidence = assess(port)
door.close()
check("TLS 1.2 of somebody who does not know of TLS 1.3", found.get("check.no-sentinel") == "medium" and answer["versions"] == ["TLS 1.3", "TLS 1.2"], answer)
door, port = relay(lambda hello: at_both if len(hello) < 1000 else None)
answer, found, evidence = assess(port)
door.close()
check("large hellos break it: high", found.get("check.large-hello") == "high" and "net.eof-on-hello" in evidence["check.large-hello"], answer)
check("and all the rest is found out by small ones", answer["versions"] == ["TLS 1.3", "TLS 1.2"] and "x25519" in answer["groups"] and answer["suites"], answer)
check("where no hello is answered it is not the size", assess(relay(lambda hello: None)[1])[0]["failure"]["code"] == "net.eof-on-hello")
for p in (both, old):
    p.terminate()
    p.wait()
old, at_old = openssl("-no_tls1_3")
answer, found, evidence = assess(at_old)
old.terminate()
old.wait()
check("groups of TLS 1.2", {"x25519", "secp256r1"} <= set(answer["groups"]) and "check.no-post-quantum" not in found, answer)

# ---- extended master secret: not looked for where a handshake ended before its time
os.environ["OPENSSL_CONF"] = write("no-ems.cnf", "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nOptions = -ExtendedMasterSecret\n")
both, at_both = openssl()
del os.environ["OPENSSL_CONF"]
answer, found, evidence = assess(at_both)
both.terminate()
both.wait()
check("TLS 1.2 without extended master secret", found.get("check.no-ems") == "medium" and answer["versions"] == ["TLS 1.3"] and "check.only-tls13" not in found, answer)
old, at_old = openssl("-no_tls1_3")
answer, found, evidence = assess(at_old, ca=f"{D}/other/ca.pem")
old.terminate()
old.wait()
check("it has it, though its certificate is refused first", answer["versions"] == ["TLS 1.2"] and answer["certificate"] != "ok" and "check.no-ems" not in found, answer)
finish()
