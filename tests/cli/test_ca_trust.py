"""An authority's root in the stores of this machine's programs and out of them again: the system's, NSS's, Java's; what cannot be changed is said.
ctest: slow timeout=300"""
import json
import os
import shutil
import stat
import subprocess
import sys

from serving import D, TROTH, Server, check, finish, home_page, openssl_server, refused, run

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../explain"))
from browser import Browser, find  # noqa: E402

HOME, JAVA = f"{D}/home", f"{D}/java"
MINE = os.environ | {"HOME": HOME, "JAVA_HOME": JAVA}
CHROMIUM, FIREFOX = f"{HOME}/.pki/nssdb", f"{HOME}/.mozilla/firefox/a b.default"


def tool(*args, status=0, env=None):
    r = subprocess.run(args, capture_output=True, text=True, check=False, env=env or MINE)
    assert status is None or r.returncode == status, (args, r)
    return r.stdout + r.stderr


def database(folder):
    os.makedirs(folder)
    tool("certutil", "-N", "-d", f"sql:{folder}", "--empty-password")


def trust(*args, out=D, status=0, verb="trust", env=None):
    """[(store, path, trusts, changed, error)] of one run."""
    o = json.loads(run("ca", verb, "--out", out, "--json", *args, status=status, env=env or MINE).stdout)
    assert o["schema"] == "troth.ca-trust/1" and len(o["sha256"]) == 64, o
    return [(s["store"], s["path"], s["trusts"], s["changed"], s["error"]) for s in o["stores"]]


def flags(folder):
    """What a database has: {nickname: flags}."""
    rows = [line.rsplit(None, 1) for line in tool("certutil", "-L", "-d", f"sql:{folder}").split("\n") if line.endswith(" ") or ",," in line]
    return {name.strip(): f for name, f in (r for r in rows if len(r) == 2) if "," in f and "S/MIME" not in f}


run("ca", "init", "--out", D, "--name", "Our tests", "--constrain", "localhost")
run("ca", "issue", "localhost", "--out", D)
run("ca", "init", "--out", f"{D}/two", "--name", "Our tests", "--intermediate")
run("ca", "init", "--out", f"{D}/free", "--name", "Our tests")

# ---- what cannot be meant
refused(["--status", "troth ca trust"], "ca", "distrust", "--status", "--out", D)
refused(["--constrain", "troth ca init"], "ca", "trust", "--constrain", "x.example", "--out", D)
refused(["firefox", "system, nss or java"], "ca", "trust", "firefox", "--out", D)
refused(["no store", "cert9.db"], "ca", "trust", D, "--out", D)
refused(["ca.pem", "troth ca init"], "ca", "trust", "nss", "--out", f"{D}/nowhere", status=8)
r = run("ca", "trust", "nss", "--out", D, status=8, env=MINE)
check("a browser that was never started", "nss: there is no such store here (Firefox, Chromium)" in r.stderr, r)
os.makedirs(f"{D}/half")
shutil.copy(f"{D}/two/ca.pem", f"{D}/half/ca.pem")
refused(["root.pem", "Our tests"], "ca", "trust", "nss", "--out", f"{D}/half", status=8)

# ---- NSS: each profile has a database
for db in (CHROMIUM, FIREFOX):
    database(db)
check("who trusts it", trust("nss", "--status", status=1) == [("nss", p, False, False, None) for p in (CHROMIUM, FIREFOX)])
check("nothing was changed by asking", flags(CHROMIUM) == {}, flags(CHROMIUM))
check("added", trust("nss") == [("nss", p, True, True, None) for p in (CHROMIUM, FIREFOX)])
check("for servers alone", list(flags(CHROMIUM).values()) == list(flags(FIREFOX).values()) == ["C,,"], flags(CHROMIUM))
check("a second time there is nothing to do", trust("nss") == [("nss", p, True, False, None) for p in (CHROMIUM, FIREFOX)])
check("another authority of the same name is another one", [s[2] for s in trust("nss", "--status", out=f"{D}/free", status=1)] == [False, False])
check("of an intermediate it is the root", trust(FIREFOX, out=f"{D}/two") == [("nss", FIREFOX, True, True, None)])
check("both", len(flags(FIREFOX)) == 2 and len(flags(CHROMIUM)) == 1, flags(FIREFOX))
check("no longer", trust(FIREFOX, verb="distrust") == [("nss", FIREFOX, False, True, None)])
check("the others stay", len(flags(FIREFOX)) == 1 and flags(CHROMIUM), flags(FIREFOX))
trust("nss", verb="distrust")
check("gone", trust("nss", "--status", status=1)[0][2:] == (False, False, None) and not flags(CHROMIUM), flags(CHROMIUM))

# somebody put it there before, by another name, and not to trust it
tool("certutil", "-A", "-d", f"sql:{CHROMIUM}", "-n", "by hand, once", "-t", ",,", "-a", "-i", f"{D}/ca.pem")
check("there, and not trusted", not trust(CHROMIUM, "--status", status=1)[0][2])
check("trusted from now on", trust(CHROMIUM)[0][2:] == (True, True, None) and flags(CHROMIUM) == {"by hand, once": "C,,"}, flags(CHROMIUM))
check("and out again", trust(CHROMIUM, verb="distrust")[0][2:] == (False, True, None) and not flags(CHROMIUM), flags(CHROMIUM))

# a browser believes it
if find():
    server = Server(home_page(), cert=f"{D}/localhost.pem", key=f"{D}/localhost-key.pem")
    for trusted in (False, True):
        if trusted:
            trust(CHROMIUM)
        b = Browser(environment={"HOME": HOME})
        text = b.open(f"https://localhost:{server.port}/").js("document.body.innerText")
        b.close()
        check(f"Chromium, {'then' if trusted else 'before'}", ("home" == text.strip()) == trusted and ("ERR_CERT_AUTHORITY_INVALID" in text) != trusted, text)
    server.end()

# what goes wrong is the tool's own word, or that there is none
open(f"{FIREFOX}/cert9.db", "wb").write(b"no database" * 100)
r = trust("nss", status=8)
check("a broken one stops no other", r[0][2:] == (True, False, None) and "certutil, exit status" in r[1][4] and "BAD_DATABASE" in r[1][4], r)
text = run("ca", "trust", "nss", "--out", D, status=8, env=MINE).stdout
check("in words", "not changed" in text and "bad database" in text and "trusted it already" in text, text)
os.makedirs(f"{D}/bin")
r = trust("nss", "--status", status=8, env=MINE | {"PATH": f"{D}/bin"})
check("without the tool", "certutil is needed" in r[0][4] and "libnss3-tools" in r[0][4], r)
shutil.rmtree(FIREFOX)

# ---- words
database(FIREFOX)
said = run("ca", "trust", "nss", "--out", f"{D}/free", env=MINE).stdout
check("whoever has its key may say anything", "trusts it from now on" in said and "--constrain" in said, said)
said = run("ca", "distrust", "nss", "--out", f"{D}/free", env=MINE).stdout
check("of two of one name it is the one that was meant", [trust("nss", "--status", out=o, status=s)[0][2] for o, s in ((D, 1), (f"{D}/free", 1))] == [True, False],
      flags(CHROMIUM))
tool("certutil", "-A", "-d", f"sql:{CHROMIUM}", "-n", "by hand", "-t", "C,,", "-a", "-i", f"{D}/two/root.pem")
check("which is which is not guessed", "of the same subject" in trust(CHROMIUM, verb="distrust", out=f"{D}/two", status=8)[0][4] and len(flags(CHROMIUM)) == 2, flags(CHROMIUM))
check("no more", "trusts it no longer" in said and "--constrain" not in said, said)
said = run("ca", "trust", FIREFOX, "--out", D, env=MINE).stdout
check("one for few names is no such danger", "trusts it from now on" in said and "--constrain" not in said, said)
check("quiet", not run("ca", "trust", "nss", "--out", D, "-q", env=MINE).stdout)

# ---- Java
if shutil.which("keytool"):
    os.makedirs(f"{JAVA}/lib/security")
    CACERTS = f"{JAVA}/lib/security/cacerts"
    tool("keytool", "-importcert", "-noprompt", "-alias", "another", "-file", f"{D}/free/ca.pem", "-keystore", CACERTS, "-storepass", "changeit")

    def aliases():
        return sorted(line.split(",")[0] for line in tool("keytool", "-list", "-keystore", CACERTS, "-storepass", "changeit").split("\n") if "trustedCertEntry" in line)

    check("Java: added", trust("java") == [("java", CACERTS, True, True, None)] and len(aliases()) == 2 and "another" in aliases(), aliases())
    check("Java: by its path, already", trust(CACERTS) == [("java", CACERTS, True, False, None)])
    check("Java: removed", trust("java", verb="distrust") == [("java", CACERTS, False, True, None)] and aliases() == ["another"], aliases())
    check("Java: by whatever name", trust("java", verb="distrust", out=f"{D}/free") == [("java", CACERTS, False, True, None)] and not aliases(), aliases())
    open(CACERTS, "wb").write(b"no store")
    check("Java: a broken one", "keytool, exit status 1: keytool error" in trust("java", status=8)[0][4])

# ---- the system: with folders of our own in the place of its
inside = ["unshare", "-Urm", "sh", "-c", f'mount --bind {D}/local /usr/local/share/ca-certificates && mount --bind {D}/ssl /etc/ssl/certs && exec "$@"', "sh"]
if os.path.exists("/usr/sbin/update-ca-certificates") and not subprocess.run(["unshare", "-Urm", "true"], check=False).returncode:
    os.makedirs(f"{D}/local")
    subprocess.run(["cp", "-a", "/etc/ssl/certs", f"{D}/ssl"], check=True)
    p, port = openssl_server("-cert", f"{D}/localhost.pem", "-key", f"{D}/localhost-key.pem")

    def system(*args, status=0):
        return json.loads(tool(*inside, TROTH, "ca", *args, "--out", D, "--json", "system", status=status))["stores"]

    def curl():
        return subprocess.run([*inside, "curl", "-s", "-o", "/dev/null", f"https://localhost:{port}/"], check=False, env=MINE).returncode

    check("curl, before", curl() == 60)
    s = system("trust")
    check("the system: added", s[0]["trusts"] and s[0]["changed"] and s[0]["path"] == "/usr/local/share/ca-certificates", s)
    check("one file", len(os.listdir(f"{D}/local")) == 1 and stat.S_IMODE(os.stat(f"{D}/local/" + os.listdir(f"{D}/local")[0]).st_mode) == 0o644)
    check("curl, then", curl() == 0)
    check("the system: asked", system("trust", "--status")[0]["trusts"])
    s = system("distrust")
    check("the system: removed", not s[0]["trusts"] and s[0]["changed"] and not os.listdir(f"{D}/local"), s)
    check("curl, after", curl() == 60 and not system("trust", "--status", status=1)[0]["trusts"])
    shutil.copy(f"{D}/ca.pem", f"{D}/local/by-hand.crt")
    tool(*inside, "update-ca-certificates")
    s = system("distrust", status=8)
    check("what somebody else put there stays", "somebody else" in s[0]["error"] and os.listdir(f"{D}/local") == ["by-hand.crt"], s)
    p.kill()
finish()
