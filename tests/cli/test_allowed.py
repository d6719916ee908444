"""--allow-san, --allow-cn, --allow-key of serve and proxy: who of those with a good certificate comes in, also where a session goes on under other
rules than it began with; and whom --wrap takes for the backend.
ctest: timeout=200"""
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess

from serving import D, Server, authority, check, finish, home_page, refused, run

authority()
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"
web = home_page()
for name, file in (("me.example", "me"), ("URI:spiffe://org.example/web/1", "svc"), ("you@mail.example", "you")):
    os.makedirs(f"{D}/{file}")
    for f in ("ca.pem", "ca-key.pem"):
        os.symlink(f"{D}/{f}", f"{D}/{file}/{f}")
    run("ca", "issue", "--client", name, "--out", f"{D}/{file}")
pem = {f: [f"{D}/{f}/{x}" for x in sorted(os.listdir(f"{D}/{f}"), key=lambda x: x.endswith("-key.pem")) if not x.startswith("ca")] for f in ("me", "svc", "you")}
pin = {f: json.loads(run("inspect", "--json", pem[f][0]).stdout)["objects"][0]["key"]["sha256"] for f in pem}


def comes_in(s, who, **options):
    """Is this one answered?  A page of serve."""
    context = ssl.create_default_context(cafile=CA)
    for key, value in options.items():
        setattr(context, key, value)
    if who:
        context.load_cert_chain(*pem[who])
    try:
        with socket.create_connection(("127.0.0.1", s.port), timeout=20) as plain, context.wrap_socket(plain, server_hostname="localhost") as c:
            c.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = b""
            while more := c.recv(4096):
                answer += more
            return "in" if b"200" in answer else answer
    except OSError as e:
        return "denied" if "ACCESS_DENIED" in str(e).upper() else repr(e)


def of(*rules, **more):
    return Server(web, "--client-ca", CA, *rules, cert=CERT, key=KEY, **more)


# ---- each kind of rule
for rules, who in ((["--allow-san", "DNS:me.example"], "me"), (["--allow-san", "DNS:*.example"], "me"), (["--allow-cn", "me.example"], "me"),
                   (["--allow-san", "URI:spiffe://org.example/web/*"], "svc"), (["--allow-san", "URI:spiffe://org.example/**"], "svc"),
                   (["--allow-san", "EMAIL:you@MAIL.example"], "you"), (["--allow-key", pin["you"]], "you"),
                   (["--allow-cn", "nobody", "--allow-key", pin["svc"], "--allow-san", "DNS:me.exampl"], "svc")):
    s = of(*rules)
    got = {w: comes_in(s, w) for w in pem}
    check(f"{' '.join(rules)}", got == {w: "in" if w == who else "denied" for w in pem}, (got, s.log()[-900:]))
    check("the log says who came, and who may", "code=app.access-denied" in s.log() and "it has " in s.log() and "let in: " in s.log(), s.log()[-600:])
    check("ends in order", s.end() == 0, s.log()[-400:])


# ---- what only looks like a name that is let in
def made(file, subject, sans):
    """A client's certificate by openssl, with these GeneralNames, tag and bytes, as they are."""
    def der(tag, body):
        return bytes([tag, len(body)]) + body if len(body) < 128 else bytes([tag, 0x82]) + len(body).to_bytes(2, "big") + body
    names = der(0x30, b"".join(der(tag, body) for tag, body in sans))
    with open(f"{D}/{file}.ext", "w", encoding="ascii") as f:
        f.write("keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\nbasicConstraints=critical,CA:FALSE\n" +
                (f"subjectAltName=DER:{names.hex(':')}\n" if sans else ""))
    for command in (["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{D}/{file}.key", "-subj", subject, "-out", f"{D}/{file}.csr"],
                    ["x509", "-req", "-in", f"{D}/{file}.csr", "-CA", CA, "-CAkey", f"{D}/ca-key.pem", "-extfile", f"{D}/{file}.ext", "-days", "5", "-out", f"{D}/{file}.pem"]):
        subprocess.run(["openssl", *command], check=True, capture_output=True)
    pem[file] = [f"{D}/{file}.pem", f"{D}/{file}.key"]
    return file


EMAIL, DNS, URI, IP = 0x81, 0x82, 0x86, 0x87
if shutil.which("openssl"):
    s = of("--allow-san", "DNS:good.example", "--allow-san", "DNS:*.wild.example", "--allow-san", "URI:spiffe://good/*", "--allow-san", "IP:192.0.2.1", "--allow-cn", "good")
    for i, (subject, sans, what) in enumerate((
            ("/O=x", [(EMAIL, b"good.example")], "denied"), ("/O=x", [(URI, b"good.example")], "denied"), ("/O=x", [(URI, b"DNS:good.example")], "denied"),
            ("/O=x", [(EMAIL, b"DNS:good.example")], "denied"), ("/O=x", [(DNS, b"DNS:good.example")], None), ("/O=x", [(DNS, b"good.example\0.evil.example")], None),
            ("/O=x", [(DNS, b"good.example\0")], None), ("/O=x", [(DNS, b"good.example.")], None), ("/O=x", [(DNS, b" good.example")], None), ("/O=x", [(DNS, b"*.example")], "denied"),
            ("/O=x", [(DNS, b"192.0.2.1")], None), ("/O=x", [(IP, bytes([192, 0, 2, 1, 255, 255, 255, 255]))], None), ("/O=x", [(DNS, b"a.b.wild.example")], "denied"),
            ("/O=x", [(DNS, b"wild.example")], "denied"), ("/O=x", [(URI, b"spiffe://good/a/b")], "denied"), ("/O=x", [(URI, b"spiffe://good/%2e%2e")], "denied"),
            ("/O=x", [(URI, b"spiffe://good/" + 3000 * b"a" + b"/b")], "denied"), ("/O=x", [(URI, b"spiffe://good/a\0b")], None),
            ("/O=CN=good", [(DNS, b"x.example")], "denied"), ("/O=x,CN=good", [(DNS, b"x.example")], "denied"), ("/CN=good.evil", [(DNS, b"x.example")], "denied"),
            ("/CN=Good", [(DNS, b"x.example")], "denied"), ("/CN=good ", [(DNS, b"x.example")], "denied"), ("/CN=good.example", [(DNS, b"x.example")], "denied"),
            ("/CN=good/emailAddress=x@y.example", [(DNS, b"x.example")], "in"), ("/O=x", [(DNS, b"x.example"), (URI, b"a:b"), (DNS, b"GOOD.example")], "in"),
            ("/O=x", [(IP, bytes([192, 0, 2, 1]))], "in"), ("/O=x", [(DNS, b"a.WILD.example")], "in"), ("/O=x", [(URI, b"spiffe://good/a")], "in"))):
        got = comes_in(s, made(f"odd{i}", subject, sans))
        check(f"{subject} {sans}"[:120], got == what if what else got != "in", (got, s.log()[-500:]))  # None: it may be refused before
    check("ends in order", s.end() == 0, s.log()[-400:])
s = of("--allow-san", "DNS:me.example")
check("TLS 1.2", [comes_in(s, w, maximum_version=ssl.TLSVersion.TLSv1_2) for w in ("me", "svc")] == ["in", "denied"], s.log()[-600:])
comes_in(s, "svc")
check("word for word", 'saw="it has CN=org.example, URI:spiffe://org.example/web/1; let in: DNS:me.example"' in s.log() or
      'URI:spiffe://org.example/web/1; let in: DNS:me.example"' in s.log(), s.log()[-600:])
check("none is still required", "denied" != comes_in(s, None) != "in", s.log()[-400:])
s.end()
s = of("--allow-san", "DNS:me.example", "--record", f"{D}/failures")
comes_in(s, "svc")
check("a refusal is recorded", s.said("event=recording code=app.access-denied"), s.log()[-600:])
r = run("explain", *(f"{D}/failures/{f}" for f in os.listdir(f"{D}/failures")), status=None)
check("and comes out again", "app.access-denied" in r.stdout and "came out again the same" in r.stdout + r.stderr and "another way" not in r.stdout, (r.stdout[-1500:], r.stderr))
s.end()
s = of("--allow-san", "DNS:me.example", "--client-auth", "optional")
check("optional: who shows none is nobody, and comes in as before", [comes_in(s, w) for w in (None, "me", "svc")] == ["in", "in", "denied"], s.log()[-600:])
s.end()

# ---- a session that began under other rules
open(f"{D}/ticket.key", "wb").write(os.urandom(48))
conf = f"{D}/serve.yaml"


def write(rules):
    with open(conf, "w", encoding="utf-8") as f:
        f.write(f"dir: {web}\ncert: {CERT}\nkey: {KEY}\nclient-ca: {CA}\nticket-key: {D}/ticket.key\n{rules}")


write("allow-san: [ DNS:me.example, URI:spiffe://org.example/web/1 ]\n")
s = Server("--config", conf)


def page(who, version, kept=False):
    """With a session, if there is one; `kept`: the one that was there before it was used, as a ticket serves once."""
    session = f"{D}/{who}-{version}.session"
    if kept:
        shutil.copy(session + ".kept", session)
    elif os.path.exists(session):
        shutil.copy(session, session + ".kept")
    r = run("get", f"https://localhost:{s.port}/", "--ca", CA, "--cert", pem[who][0], "--key", pem[who][1], "--session", session, "--max", version, "-v", status=None)
    return r.returncode, r.stdout + r.stderr, os.path.exists(session)


for version in ("1.3", "1.2"):
    for who in ("me", "svc"):
        status, said, kept = page(who, version)
        check(f"{version}, {who}: comes in, and may come again", status == 0 and kept, said[-900:])
    status, said, kept = page("svc", version)
    check(f"{version}: comes again", status == 0 and "No certificate had to be shown" in said, said[-2500:])


def openssl(who, *options):
    """What openssl is answered, with a session of TLS 1.2: a page or an alert, and whether the session was taken."""
    r = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{s.port}", "-servername", "localhost", "-tls1_2", "-CAfile", CA, "-cert", pem[who][0],
                        "-key", pem[who][1], "-ign_eof", *options], input=b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", capture_output=True, timeout=60)
    said = r.stdout + r.stderr
    return "in" if b"<h1>home" in said else "denied" if b"access denied" in said else said, b"Reused, TLSv1.2" in said


others = bool(shutil.which("openssl"))
for who in ("me", "svc") if others else ():
    check(f"openssl, {who}: comes in", openssl(who, "-sess_out", f"{D}/{who}.sess") == ("in", False), s.log()[-600:])
    check(f"openssl, {who}: and again", openssl(who, "-sess_in", f"{D}/{who}.sess") == ("in", True), s.log()[-600:])
write("allow-san: [ DNS:me.example ]\n")
s.kill(signal.SIGHUP)
check("other rules", s.said("result=ok"), s.log()[-600:])
for version in ("1.3", "1.2"):
    before = s.log().count("app.access-denied")
    status, said, kept = page("svc", version, kept=True)
    check(f"{version}: a session is not let in by the rules that it was made under", status == 6 and s.log().count("app.access-denied") == before + 1,
          (status, said[-600:], s.log()[-600:]))
    status, said, kept = page("me", version)
    check(f"{version}: who still may comes in again, with his session", status == 0 and "No certificate had to be shown" in said, (said[-2500:], s.log()[-600:]))
if others:
    check("openssl: nor is its session", openssl("svc", "-sess_in", f"{D}/svc.sess")[0] == "denied", s.log()[-600:])
    check("openssl: who still may comes in with it", openssl("me", "-sess_in", f"{D}/me.sess") == ("in", True), s.log()[-600:])
    check("openssl: and it is by the rules that others do not", openssl("svc")[0] == "denied", s.log()[-600:])

# ---- nor by what comes before the handshake is over, to another server that opens its tickets
with open(f"{D}/request", "wb") as f:
    f.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
write("allow-san: [ URI:spiffe://org.example/web/1 ]\nearly-max: 4096\n")
there = Server("--config", conf)
write("allow-san: [ DNS:me.example ]\nearly-max: 4096\n")
here = Server("--config", conf, "-v")


def early(server, session):
    r = run("connect", f"localhost:{server.port}", "--ca", CA, "--cert", pem["svc"][0], "--key", pem["svc"][1], "--session", session, "--early-data", f"{D}/request",
            status=None)
    return r.stdout + r.stderr


for name, resumed in (("one", False), ("two", False), ("two", True)):
    said = early(there, f"{D}/{name}.session")
    check("early data: comes in, after the handshake", "<h1>home" in said and "no early data" in said and (", resumed" in said) == resumed, said)
said = early(here, f"{D}/one.session")
check("early data: is not answered before it is known whose it is", "<h1>home" not in said and here.said("app.access-denied") and "event=request" not in here.log(), (said, here.log()[-600:]))
for server in (there, here):
    check("ends in order", server.end() == 0, server.log()[-400:])

before = s.log()
write("allow-san: [ me.example ]\n")
s.kill(signal.SIGHUP)
check("a mistake keeps the rules", s.said("kept the old configuration") and f"serve.yaml:6: allow-san: `me.example' lets nobody in" in s.log() and comes_in(s, "svc") == "denied",
      s.log()[len(before):])
check("ends in order", s.end() == 0, s.log()[-400:])

# ---- proxy, and the other way round
behind = socket.create_server(("127.0.0.1", 0))
at = f"127.0.0.1:{behind.getsockname()[1]}"
behind.settimeout(1)
p = Server("--backend", at, "--client-ca", CA, "--allow-san", "DNS:me.example", verb="proxy", cert=CERT, key=KEY)
check("proxy: denied, and the backend hears nothing", comes_in(p, "svc") == "denied" and p.said("code=app.access-denied"), p.log()[-600:])
try:
    behind.accept()
    check("nothing", False)
except TimeoutError:
    check("nothing", True)
check("ends in order", p.end() == 0, p.log()[-400:])
s = Server(web, cert=CERT, key=KEY)
for rule, good in (("DNS:localhost", True), ("URI:spiffe://org.example/web/1", False)):
    p = Server("--wrap", "localhost", "--backend", f"127.0.0.1:{s.port}", "--ca", CA, "--allow-san", rule, verb="proxy")
    with socket.create_connection(("127.0.0.1", p.port), timeout=20) as c:
        c.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        try:
            got = c.recv(4096)
        except ConnectionError:
            got = b""
    check(f"--wrap: {rule}", (b"200" in got) == good and (good or p.said("code=app.access-denied")), (got, p.log()[-600:]))
    p.end()
s.end()

# ---- mistakes
for rules, words in ((["--allow-san", "me.example"], "DNS:, URI:, EMAIL:, IP:"), (["--allow-san", "URI:spiffe://*/x"], "at the end"), (["--allow-cn", ""], "empty"),
                     (["--allow-key", "12"], "SHA-256")):
    refused((words,), "serve", web, "--cert", CERT, "--key", KEY, "--client-ca", CA, *rules)
# 252 letters as A-labels: nor is half of it a rule
refused(("lets nobody in",), "serve", web, "--cert", CERT, "--key", KEY, "--client-ca", CA, "--check-config", "--allow-san", "DNS:" + 31 * "\u00e4." + "abcd")
refused(("--client-ca",), "serve", web, "--cert", CERT, "--key", KEY, "--allow-cn", "me")
refused(("--client-ca",), "proxy", "--backend", at, "--cert", CERT, "--key", KEY, "--allow-cn", "me")
finish()
