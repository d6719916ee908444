"""Live connections whose stories have something special: a resumed session, early data taken and refused, Encrypted Client Hello, client
certificates shown and refused, a key exchange that resists quantum computers; and the same replayed from recordings.
ctest: label=interop slow timeout=600"""
import json
import os
import subprocess
import sys
import tempfile
import time

TROTH = os.environ["TROTH"]
if not os.path.exists(TROTH):
    sys.exit(77)
sys.path.insert(0, f"{os.environ['SRC_DIR']}/tests/cli")
from serving import D, check, finish  # noqa: E402

os.environ.update(LC_ALL="C.UTF-8", NO_COLOR="1")


def run(*args, status=0):
    r = subprocess.run([TROTH, *args], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, cwd=D)
    check(f"{' '.join(args[:2])}: exit status {status}", r.returncode == status, (r.returncode, r.stdout[-300:], r.stderr[-600:]))
    return r.stdout


class Serve:
    def __init__(self, *args):
        port_file = tempfile.mktemp(dir=D)
        self.p = subprocess.Popen([TROTH, "serve", "www", "--listen", "127.0.0.1:0", "--port-file", port_file, "--cert", "localhost.pem", "--key",
                                   "localhost-key.pem", *args], cwd=D, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=open(f"{D}/serve.log", "a", encoding="utf-8"))
        for _ in range(400):
            if os.path.exists(port_file) and open(port_file, encoding="utf-8").read().endswith("\n"):
                self.where = "localhost:" + open(port_file, encoding="utf-8").read().strip()
                return
            time.sleep(.05)
        raise RuntimeError(open(f"{D}/serve.log", encoding="utf-8").read())

    def end(self):
        self.p.terminate()
        check("the server ends well", self.p.wait(20) == 0)


def story(where, *args, status=0):
    """The story as JSON and in words."""
    return json.loads(run("explain", where, "--ca", "ca.pem", *args, "--json", status=status)), run("explain", where, "--ca", "ca.pem", *args, status=status)


def resumed(where):
    """The same of a connection that resumes the session of one just before."""
    run("connect", "--ca", "ca.pem", "--session", "ticket", where)
    told = json.loads(run("explain", where, "--ca", "ca.pem", "--session", "ticket", "--json"))
    run("connect", "--ca", "ca.pem", "--session", "ticket", where)
    return told, run("explain", where, "--ca", "ca.pem", "--session", "ticket")


run("ca", "init", "--out", D)
run("ca", "issue", "localhost", "--out", D)
run("ca", "issue", "--client", "me", "--out", D)
os.mkdir(f"{D}/www")
open(f"{D}/www/index.html", "w", encoding="utf-8").write("it works")

s = Serve("--always-retry")
told, text = story(s.where)
text = " ".join(text.split())
check("a retry for a cookie alone", told["facts"]["hello_retry"] and "first asked for another hello that gives back a cookie" in text and "different key" not in text, text)
told, text = story(s.where, "--key-shares", "none")
check("a retry for a share", "first asked for a different key share" in " ".join(text.split()), text)
s.end()

s = Serve("--early-max", "16384")
told, text = story(s.where)
check("hybrid", told["facts"]["group"] == "X25519MLKEM768" and "resists quantum computers" in text, (told["facts"], told["certificates"], " ".join(text.split())[:900]))
told, text = resumed(s.where)
check("resumed", told["facts"]["resumed"] and not told["certificates"] and "recognised the client from an earlier session" in " ".join(text.split()), (told["facts"], told["certificates"], " ".join(text.split())[:900]))
open(f"{D}/early", "w", encoding="utf-8").write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
for n, (want, sentence) in enumerate(((True, "It also accepted data sent before this answer (0-RTT)."), (False, "It did not take the early data (0-RTT)."))):
    run("connect", "--ca", "ca.pem", "--session", "ticket", s.where)
    if not want:  # the ticket is of a server that is not there any more
        s.end()
        s = Serve("--early-max", "16384")
    r = subprocess.run([TROTH, "connect", "--ca", "ca.pem", "--session", "ticket", "--early-data", "early", "-v", s.where], capture_output=True, text=True,
                       timeout=60, stdin=subprocess.DEVNULL, cwd=D)
    said = " ".join(r.stderr.split())
    check(f"early data {'taken' if want else 'refused'}: told", sentence in said, said[:1500])
    check(f"early data {'taken' if want else 'refused'}: answered", r.returncode == 0 and "it works" in r.stdout, (r.returncode, r.stdout))
s.end()

run("ech", "keygen", "--public-name", "localhost", "--output", "ech.pem")
other = run("ech", "keygen", "--public-name", "localhost")
open(f"{D}/other.pem", "w", encoding="utf-8").write(other)
config = "".join(other.split("-----BEGIN ECHCONFIG-----")[1].split("-----END")[0].split())
mine = "".join(open(f"{D}/ech.pem", encoding="utf-8").read().split("-----BEGIN ECHCONFIG-----")[1].split("-----END")[0].split())
s = Serve("--ech-key", "ech.pem")
told, text = story(s.where, "--ech-config", mine)
check("ECH opened", "It opened the encrypted hello (ECH)" in " ".join(text.split()), text[:1500])
told, text = story(s.where, "--ech-config", config, status=4)
check("ECH refused", told["code"] == "tls.ech-rejected" and "could not open the encrypted hello" in " ".join(text.split()), (told["code"], text[:900]))
told, text = story(s.where, "--ech-grease")
check("ECH as GREASE", "a decoy that looks like an encrypted hello" in " ".join(text.split()), text[:900])
for more in (), ("--danger-record-secrets",):
    run("explain", s.where, "--ca", "ca.pem", "--ech-config", mine, "-q", "--record", "ech.troth", *more)
    again = json.loads(run("explain", "ech.troth", "--json"))
    notes = " ".join(again["notes"])
    if more:
        check("ECH replayed, every byte", "the same." in notes and "needs keys" not in notes, notes)
    else:
        said = " ".join(run("explain", "ech.troth").split())
        check("ECH without its key: nothing is made up", "rests on the key" in notes and not again["keys"] and "the encrypted hello (ECH)" not in said.split("1 Hello")[1], said)
        check("but what was on the wire is told", any(m["type"] == "ServerHello" for m in again["messages"]), again["messages"])
s.end()

s = Serve("--client-ca", "ca.pem")
me = ("--cert", "me-client.pem", "--key", "me-client-key.pem")
told, text = story(s.where, *me)
check("a client certificate", told["facts"]["client_certificate"] and "asked the client for a certificate, and got one" in " ".join(text.split()), text[:900])
told, text = story(s.where, status=6)
check("none to show", told["code"] == "client-cert.required" and told["error"]["from_peer"], told["code"])
run("explain", s.where, "--ca", "ca.pem", *me, "-q", "--record", "me.troth", "--danger-record-secrets")
notes = " ".join(json.loads(run("explain", "me.troth", "--json"))["notes"])
check("a client certificate, replayed", "the same." in notes and "needs keys" not in notes, notes)
s.end()

s = Serve("--max", "1.2")
told, text = resumed(s.where)
check("TLS 1.2 resumed", told["facts"]["resumed"] and told["facts"]["version"] == "TLS 1.2" and text.split("\n")[0].count("Resumed"), (told["facts"], text[:200]))
s.end()
finish()
