"""By which rules a server's certificates are judged: those for public authorities are not asked of authorities of one's own, unless --profile says so.
ctest: slow timeout=120"""
import json
import os
import shutil
import subprocess
import sys

from serving import D, Server, check, finish, refused, run

if not shutil.which("openssl"):
    print("no openssl")
    sys.exit(77)
os.makedirs(f"{D}/web")


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=D)


EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
openssl("req", "-x509", *EC, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ours", "-days", "30")
# as most people make one: a name, and nothing else; what a CA of old may have made; what is made for itself
for name, extensions in (("plain", ""), ("old", "subjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n")):
    with open(f"{D}/{name}.ext", "w", encoding="ascii") as f:
        f.write("subjectAltName=DNS:localhost\n" + extensions)
    openssl("req", *EC, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "30", "-extfile", f"{name}.ext", "-out", f"{name}.pem")
openssl("req", "-x509", *EC, "-keyout", "self.key", "-out", "self.pem", "-subj", "/CN=self", "-days", "30", "-addext", "subjectAltName=DNS:localhost")


def judged(server, *options, verb="connect", env=None):
    """What becomes of the server's certificate: "ok", or the code of what was wrong."""
    r = run(verb, f"localhost:{server.port}", "--json", *options, status=None, env={**os.environ, **(env or {})})
    said = json.loads(r.stdout)
    return said["certificate"] if verb == "check" else said["code"]


CA, SELF = ("--ca", f"{D}/ca.pem"), ("--ca", f"{D}/self.pem")
plain, old, own = (Server(f"{D}/web", cert=f"{D}/{n}.pem", key=f"{D}/{n}.key") for n in ("plain", "old", "self"))
check("a name and nothing else", judged(plain, *CA) == "ok", judged(plain, *CA))
check("likewise for check", judged(plain, *CA, verb="check") == "ok")
r = run("get", f"https://localhost:{plain.port}/", *CA, status=None)
check("likewise for get", "cert." not in r.stderr and r.returncode != 5, r.stderr)
check("as a public one it is refused", judged(plain, *CA, "--profile", "web") == "cert.profile")
check("and of the system's store it is a public one", judged(plain, env={"SSL_CERT_FILE": f"{D}/ca.pem"}) == "cert.profile")
check("also where that is named", judged(plain, "--roots", "system", env={"SSL_CERT_FILE": f"{D}/ca.pem"}) == "cert.profile")
check("made for itself", judged(own, *SELF) == "ok", judged(own, *SELF))
check("as a public one that is an authority's", judged(own, *SELF, "--profile", "web") == "cert.ca-as-leaf")
check("without identifiers of keys: RFC 5280 4 wants them", judged(old, *CA) == "cert.profile")
check("path validation does without", judged(old, *CA, "--profile", "path") == "ok", judged(old, *CA, "--profile", "path"))

# ---- a recording is judged by the rules that it was made under
for options, want in (((), "ok"), (("--profile", "web"), "cert.profile")):
    file = f"{D}/{want}.troth"
    judged(plain, *CA, *options, "--record", file)
    r = run("explain", file, "--json", status=None)
    check(f"recorded: {want}", ("cert.profile" in r.stdout) == (want != "ok"), r.stdout[-2000:])
for server in (plain, old, own):
    server.end()

for name, profile, want in (("plain", None, 1), ("plain", "web", 1), ("plain", "rfc5280", 0), ("old", "rfc5280", 1), ("old", "path", 0)):
    options = ["--profile", profile] if profile else []
    r = run("verify", f"{D}/{name}.pem", "--ca", f"{D}/ca.pem", "--host", "localhost", *options, status=None)
    check(f"verify {name}, {profile or 'web, unasked'}", r.returncode == want, (r.returncode, r.stdout))
refused(["--profile", "`strict' is none of web, rfc5280, lint, path"], "connect", "--profile", "strict", "localhost:1")
finish()
