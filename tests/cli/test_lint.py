"""What serve says at its start of certificates that clients will refuse, and that it says nothing of those that they take.
ctest: timeout=120"""
import os
import re
import signal
import subprocess

from serving import D, Server, check, finish, home_page, run

web = home_page()
os.chdir(D)
BASE = "basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
EKU, SAN = "extendedKeyUsage=serverAuth\n", "subjectAltName=DNS:localhost\n"
AIA = "authorityInfoAccess=caIssuers;URI:http://ca.example/issuer.der\n"
AUTHORITY = "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n"
EC, RSA1024 = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"), ("-newkey", "rsa:1024")


def make(name, subject, extensions, issuer=None, key=EC, digest="-sha256"):
    """NAME.pem and NAME.key, signed by ISSUER or by itself."""
    with open(f"{name}.ext", "w", encoding="ascii") as f:
        f.write(extensions)
    openssl("req", *key, "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={subject}")
    signer = ("-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key") if issuer else ("-signkey", f"{name}.key")
    openssl("x509", "-req", "-in", f"{name}.csr", *signer, digest, "-days", "30", "-extfile", f"{name}.ext", "-out", f"{name}.pem")


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


def warnings(key, *certs):
    """The lines of --check-config that warn of a chain of these, and those of the log, which has to say the same."""
    with open("chain.pem", "w", encoding="ascii") as f:
        for name in certs:
            f.write(open(f"{name}.pem", encoding="ascii").read())
    own = ("--cert", "chain.pem", "--key", f"{key}.key")
    told = [line for line in run("serve", web, *own, "--check-config").stderr.splitlines() if ": warning: " in line]
    s = Server(web, *own)
    logged = [line for line in s.log().splitlines() if "event=certificate" in line]
    s.end()
    check(f"{certs}: the log says the same", len(logged) == len(told) and all(line.split("[")[1].split("]")[0] in "".join(logged) for line in told), (told, logged))
    return told


make("root", "Root", AUTHORITY)
make("sub", "Sub", AUTHORITY + "authorityKeyIdentifier=keyid\n", "root")
make("subs-namesake", "Sub", AUTHORITY + "authorityKeyIdentifier=keyid\n", "root")
make("good", "localhost", BASE + EKU + SAN + AIA, "sub")
make("plain", "localhost", BASE + EKU + SAN, "root")
for what, chain in (("its whole chain", ("good", "sub")), ("its root as well", ("good", "sub", "root")), ("put in order", ("sub", "good")), ("by a root", ("plain",))):
    told = warnings(chain[0] if chain[0] != "sub" else "good", *chain)
    check(f"{what}: nothing is wrong", [w for w in told if "config.chain-order" not in w] == [], told)

make("no-san", "localhost", BASE + EKU, "root")
make("client", "localhost", BASE + SAN + "extendedKeyUsage=clientAuth\n", "root")
make("weak", "localhost", BASE + EKU + SAN, "root", key=RSA1024)
make("sha1", "localhost", BASE + EKU + SAN, "root", digest="-sha1")
make("authority", "localhost", AUTHORITY + SAN)
for chain, code, words in ((("good",), "cert.missing-intermediate", 'its issuer "CN=Sub" is not there'),
                           (("good", "root"), "cert.missing-intermediate", 'its issuer "CN=Sub" is none of the 1 certificates'),
                           (("good", "subs-namesake", "root"), "chain.wrong-intermediate", "Sub"),
                           (("good", "subs-namesake"), "chain.wrong-intermediate", "Sub"), (("no-san",), "cert.profile", "without subjectAltName"),
                           (("client",), "cert.wrong-eku", "clientAuth"), (("weak",), "cert.weak-key", "1024"), (("sha1", "root"), "cert.weak-signature", "SHA1"),
                           (("authority",), "cert.ca-as-leaf", "cA is TRUE")):
    told = warnings(chain[0], *chain)
    check(f"{chain}: {code}", len(told) == 1 and f"[{code}]" in told[0] and words in told[0], told)

# ---- the same for the journal: the priority in front, and no time
s = Server(web, "--cert", "client.pem", "--key", "client.key", "--log", "journald", "-v")
run("connect", f"localhost:{s.port}", status=5)
s.said("event=handshake")
s.kill(signal.SIGUSR2)
s.said("event=state-identity")
s.kill(signal.SIGTERM)
s.end()
lines = s.log().splitlines()
PRIORITIES = {"info": 6, "notice": 5, "warn": 4, "error": 3}
wrong = [line for line in lines if not (m := re.match(r"<(\d)>level=(\w+) event=", line)) or PRIORITIES[m[2]] != int(m[1])]
check("--log journald: each line with the priority of its level", not wrong and {"<3>", "<4>", "<5>", "<6>"} <= {line[:3] for line in lines}, (wrong, lines))
finish()
