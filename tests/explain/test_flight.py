"""The flight recorder: failed handshakes of serve, proxy and connect are kept, hold no secret unasked, and run through the engine again.
ctest: label=interop slow timeout=600

For each failure: the recording's replay comes to the same code; without secrets it says what it could not do, with them every byte of
ours comes out again; what it must never hold (keys, secrets) is looked for in the file itself."""
import base64
import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import time

try:
    import jsonschema
except ImportError:
    jsonschema = None
TROTH, SRC = os.environ["TROTH"], os.environ["SRC_DIR"]
if not os.path.exists(TROTH) or not shutil.which("openssl"):
    print("no program, or no openssl")
    sys.exit(77)
sys.path.insert(0, f"{os.environ['SRC_DIR']}/tests/cli")
from serving import D, check, finish, keeper_of  # noqa: E402

os.environ.update(LC_ALL="C.UTF-8", NO_COLOR="1")
P = D + "/pki"
os.mkdir(P)
subprocess.run(["bash", f"{SRC}/tests/lab/pki.sh", P], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Troth:
    """serve or proxy, with a flight recorder"""

    def __init__(self, verb, records, *args):
        self.records, port_file = f"{D}/{records}", f"{D}/{records}.port"
        self.log = open(f"{D}/{records}.log", "w+", encoding="utf-8")
        self.p = subprocess.Popen([TROTH, verb, "--listen", "127.0.0.1:0", "--port-file", port_file, "--record", self.records, "--timeout", "5",
                                   *args], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.log)
        for _ in range(400):
            if os.path.exists(port_file) and open(port_file, encoding="utf-8").read().endswith("\n"):
                self.port = int(open(port_file, encoding="utf-8").read())
                return
            time.sleep(.05)
        raise RuntimeError(open(self.log.name, encoding="utf-8").read())

    def files(self):
        return sorted(glob.glob(self.records + "/*"))

    def fails(self, how):
        """What `how` leaves behind: the one new recording."""
        before = set(self.files())
        how(self.port)
        for _ in range(200):
            new = set(self.files()) - before
            if new:
                time.sleep(.05)
                return new.pop()
            time.sleep(.05)
        raise AssertionError("nothing was recorded: " + open(self.log.name, encoding="utf-8").read()[-600:])

    def end(self):
        self.p.terminate()
        return self.p.wait(20)


def client(*args):
    return lambda port: subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *args], stdin=subprocess.DEVNULL,
                                       capture_output=True, timeout=20)


def raw(data, wait=.3):
    def go(port):
        with socket.create_connection(("127.0.0.1", port), 5) as s:
            s.sendall(data)
            time.sleep(wait)
    return go


def explain(path, *args, status=None):
    r = subprocess.run([TROTH, "explain", path, *args], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert status is None or r.returncode == status, (r.returncode, r.stdout[-400:], r.stderr)
    return r.stdout


def replayed(path):
    story = json.loads(explain(path, "--json"))
    return " ".join(story.get("notes", [])), story


def found_in(blob, *values):
    """Those of the values that are there, in any form."""
    return [form[:40] for v in values for form in (v, v.hex().encode(), v.hex().upper().encode(), base64.b64encode(v)[4:-8])
            if len(form) >= 12 and form in blob]


def no_secrets(what, path, *values):
    blob = open(path, "rb").read()
    found = found_in(blob, *values)
    check(f"{what}: no secret in the recording", not found and b"danger" not in blob and b"PRIVATE" not in blob, found)


def facts(path):
    """The facts of a recording, which keep to their schema."""
    blob = open(path, "rb").read()
    at = 0
    while at < len(blob):
        kind, length = int.from_bytes(blob[at:at + 4], sys.byteorder), int.from_bytes(blob[at + 4:at + 8], sys.byteorder)
        if kind == 0x80747274:
            n = int.from_bytes(blob[at + 8:at + 12], sys.byteorder)
            o = json.loads(blob[at + 12:at + 12 + n])
            if jsonschema:
                errors = list(jsonschema.Draft202012Validator(json.load(open(f"{SRC}/docs/schema/recording-1.json", encoding="utf-8"))).iter_errors(o))
                check("the facts keep to their schema", not errors, errors[:1])
            return o
        at += length
    raise AssertionError("no facts")


def key_log(path):
    return [bytes.fromhex(line.split()[2]) for line in open(path, encoding="utf-8") if len(line.split()) == 3]


def private_key(path):
    text = subprocess.run(["openssl", "pkey", "-in", path, "-outform", "DER"], capture_output=True, check=True).stdout
    scalar = subprocess.run(["openssl", "pkey", "-in", path, "-noout", "-text"], capture_output=True, text=True, check=True).stdout
    digits = scalar.split("priv:")[1].split("pub:")[0]
    return text, bytes.fromhex("".join(digits.split()).replace(":", ""))[-32:]


# ---- a server's failures, without secrets
both = f"{P}/both.pem"  # certificate and key in one file: the recording must take the one and leave the other
open(both, "w", encoding="utf-8").write(open(f"{P}/good.pem", encoding="utf-8").read() + open(f"{P}/good.ca.pem", encoding="utf-8").read() +
                                        open(f"{P}/good.key", encoding="utf-8").read())
os.chmod(both, 0o600)
serve = Troth("serve", "plain", D, "--cert", both, "--alpn", "http/1.1", "--record-keep", "4")
key = private_key(both)
CASES = [
    ("old version", client("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), "tls.version", True),
    ("no suite in common", client("-tls1_2", "-cipher", "AES128-SHA"), "tls.cipher", True),
    ("no group in common", client("-groups", "X448"), "tls.group", True),
    ("no protocol in common", client("-alpn", "spdy/1"), "tls.alpn", True),
    ("plain HTTP", raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "peer.not-tls.http", True),
    ("something else", raw(b"\x16\x03\x01\x00\x10\x01\x00\x00\x0c" + bytes(12)), "tls.", True),
]
for name, how, code, whole in CASES:
    path = serve.fails(how)
    said, story = replayed(path)
    check(f"serve, {name}: replayed to {code}", code in story.get("error", {}).get("code", ""), (story.get("error"), said))
    ours = said.split("of the ")[1].split(" bytes")[0], said.split("wrote, ")[1].split(" came")[0]
    check(f"serve, {name}: all that was written came out again", ours[0] == ours[1] and "other way" not in said, said)
    no_secrets(f"serve, {name}", path, *key)
o = facts(path)
check("the facts: the chain, never the key", o["setup"]["identities"][0][0].startswith("-----BEGIN CERTIFICATE") and "PRIVATE" not in json.dumps(o))
distrusting = client("-CAfile", f"{P}/stranger.pem", "-verify_return_error", "-keylogfile", f"{D}/client.keys", "-servername", "localhost", "-alpn", "http/1.1")
path = serve.fails(distrusting)
said, story = replayed(path)
check("serve, a client that distrusts us: the verdict is the recorded one", story["error"]["code"].startswith("peer.alert."), story.get("error"))
check("serve, a client that distrusts us: says that keys are missing", "no keys" in said and "needs keys" in said, said)
check("serve, a client that distrusts us: the decisions are made again",
      {"cipher suite", "ALPN"} <= {d["what"] for d in story["decisions"]}, [d["what"] for d in story["decisions"]])
check("serve, a client that distrusts us: keys that are stand-ins are not called equal",
      all(k.get("recomputed") != "equal" for k in story["keys"]), story["keys"][:2])
no_secrets("serve, a client that distrusts us", path, *key, *key_log(f"{D}/client.keys"))
text = explain(path)
check("serve: the text begins with the verdict", "[peer.alert." in "".join(text.splitlines()[:2]), text[:300])
check("the newest four are kept", len(serve.files()) == 4, serve.files())
check("for their owner alone", all(os.stat(f).st_mode & 0o777 == 0o600 for f in serve.files()) and os.stat(serve.records).st_mode & 0o77 == 0)
stranger = f"{serve.records}/notes.troth"
open(stranger, "w", encoding="utf-8").write("mine")
for _ in range(3):
    serve.fails(CASES[0][1])
check("a file that it did not make stays", os.path.exists(stranger) and len(serve.files()) == 5, serve.files())
for _ in range(40):
    raw(b"GET / HTTP/1.0\r\n\r\n", 0)(serve.port)
time.sleep(.5)
log = open(serve.log.name, encoding="utf-8").read()
seconds = {}
for line in log.splitlines():
    if "event=recording" in line:
        seconds[line[5:24]] = seconds.get(line[5:24], 0) + 1
check("not more than ten in any second", max(seconds.values()) <= 11, seconds)
check("serve ends well", serve.end() == 0)

# ---- with secrets: client certificates, judged to the end
serve = Troth("serve", "danger", D, "--cert", f"{P}/good.pem", "--key", f"{P}/good.key", "--client-ca", f"{P}/top.pem", "--danger-record-secrets")
for version in "-tls1_3", "-tls1_2":
    for name, args, code in (("no client certificate", (), "tls.client-without-certificate"),
                             ("a stranger's certificate", ("-cert", f"{P}/badclient.pem", "-key", f"{P}/badclient.key"), "chain.untrusted-root")):
        path = serve.fails(client(version, *args))
        said, story = replayed(path)
        check(f"serve {version}, {name}: {code} again", story["error"]["code"] == code, (story["error"], said))
        check(f"serve {version}, {name}: every byte again", "the same." in said and "needs keys" not in said, said)
        if args:
            check(f"serve {version}, {name}: its checks", any(c["verdict"] == "fail" for c in story["checks"]), story["checks"])
    recorded = json.loads(explain(path, "--json"))
    check(f"serve {version}: every secret recomputed", all(k.get("recomputed") != "different" for k in recorded["keys"]) and
          ("equal" in [k.get("recomputed") for k in recorded["keys"]]) == (version == "-tls1_3"), [k.get("recomputed") for k in recorded["keys"]])
    found = found_in(open(path, "rb").read(), *private_key(f"{P}/good.key"))
    check(f"serve {version}: a private key is no such secret", not found, found)
check("serve: its keys are kept elsewhere all the same", keeper_of(serve.p.pid))
serve.end()

# ---- the same without: the chain is in the recording, and is judged again
serve = Troth("serve", "chain", D, "--cert", f"{P}/good.pem", "--key", f"{P}/good.key", "--client-ca", f"{P}/top.pem")
path = serve.fails(client("-cert", f"{P}/badclient.pem", "-key", f"{P}/badclient.key", "-keylogfile", f"{D}/client2.keys"))
said, story = replayed(path)
check("serve, without keys: the client's chain is judged again", story["error"]["code"] == "chain.untrusted-root" and
      "judged again" in said and "chain.untrusted-root" in said and any(c["verdict"] == "fail" for c in story["checks"]), (said, story["error"]))
check("serve, without keys: cards of the chain", any("mallory" in c["subject"] for c in story["certificates"]), story["certificates"])
no_secrets("serve, without keys", path, *private_key(f"{P}/good.key"), *key_log(f"{D}/client2.keys"))
hidden = explain(path, "--redact") + explain(path, "--redact", "--json")
check("serve, redacted", "mallory" not in hidden and "127.0.0.1" not in hidden, hidden[:200])
serve.end()

# ---- proxy: in front of a service, and as a client of one
proxy = Troth("proxy", "proxy", "--cert", f"{P}/good.pem", "--key", f"{P}/good.key", "--backend", "127.0.0.1:9")
path = proxy.fails(client("-groups", "X448"))
check("proxy: tls.group again", replayed(path)[1]["error"]["code"] == "tls.group", replayed(path))
proxy.end()
other = subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", f"{P}/expired.pem", "-key", f"{P}/expired.key",
                          "-cert_chain", f"{P}/expired.ca.pem"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
port = None
for line in other.stdout:
    if line.startswith("ACCEPT "):
        port = int(line.strip().rsplit(":", 1)[1])
        break
wrap = Troth("proxy", "wrap", "--wrap", "localhost", "--backend", f"127.0.0.1:{port}", "--ca", f"{P}/top.pem")
path = wrap.fails(raw(b"hello"))
said, story = replayed(path)
check("proxy --wrap: cert.expired again", story["error"]["code"] == "cert.expired" and "judged again" in said, (story["error"], said))
wrap.end()

# ---- connect: what a colleague is sent
for more in (), ("--danger-record-secrets",):
    for options, code in ((("--max", "1.3"), "cert.expired"), (("--max", "1.2"), "cert.expired")):
        path = f"{D}/connect.troth"
        subprocess.run([TROTH, "connect", "--ca", f"{P}/top.pem", *options, "--record", path, *more, f"localhost:{port}"], capture_output=True,
                       stdin=subprocess.DEVNULL, timeout=30)
        said, story = replayed(path)
        check(f"connect {options[1]} {more}: {code} again, with its checks", story["error"]["code"] == code and
              any(c["verdict"] == "fail" and c["name"] == "validity" for c in story["checks"]), (story["error"], said))
        if not more:
            blob = open(path, "rb").read()
            check(f"connect {options[1]}: no secrets unasked", b"danger" not in blob and b"TRAFFIC_SECRET" not in blob)
    o = facts(path)
    check(f"connect {more}: dangerous members only when asked for", bool(more) or "danger" not in json.dumps(o))
other.terminate()
other.wait()

# ---- damaged recordings: told, never a crash
blob = bytearray(open(path, "rb").read())
at = blob.index(b'"answers"')
for k, change in enumerate((b"[\"answers\"", b"{", b"\0")):
    bad = bytes(blob[:at]) + change + bytes(blob[at + len(change):])
    open(f"{D}/bad.troth", "wb").write(bad)
    r = subprocess.run([TROTH, "explain", f"{D}/bad.troth"], capture_output=True, timeout=60)
    check(f"damaged {k}: an answer", r.returncode in (0, 1, 4, 5, 8) and b"Sanitizer" not in r.stderr, (r.returncode, r.stderr[-300:]))
for cut in range(0, len(blob), max(1, len(blob) // 60)):
    open(f"{D}/bad.troth", "wb").write(blob[:cut])
    r = subprocess.run([TROTH, "explain", f"{D}/bad.troth"], capture_output=True, timeout=60)
    if r.returncode not in (0, 1, 2, 4, 5, 8) or b"Sanitizer" in r.stderr:
        check(f"cut at {cut}", False, (r.returncode, r.stderr[-300:]))
if shutil.which("tshark"):
    seen = subprocess.run(["tshark", "-r", path, "-d", f"tcp.port=={port},tls", "-T", "fields", "-e", "tls.handshake.type"], capture_output=True, text=True).stdout
    check("Wireshark reads it too", "1" in seen.split() and "2" in ",".join(seen.split()).split(","), seen)
finish()
