"""troth explain as users call it: live, failed, captured, recorded, one message, a code, somebody else's error."""
import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

troth, here = os.environ["TROTH"], os.path.join(os.environ["SRC_DIR"], "tests/explain/data")
if not os.path.exists(troth) or not shutil.which("openssl"):
    sys.exit(77)
work = tempfile.mkdtemp()
os.environ.update(LC_ALL="C.UTF-8", NO_COLOR="1")


def run(*args, status=0, stdin=None):
    r = subprocess.run([troth, *args], capture_output=True, input=stdin, timeout=60)
    assert r.returncode == status, (args, r.returncode, r.stdout[-600:], r.stderr[-1200:])
    return r.stdout.decode()


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=work)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def serve(*args):
    port = free_port()
    p = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-www", *args], cwd=work,
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return p, port
        except OSError:
            time.sleep(.05)
    raise RuntimeError("no server")


openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "authority.key", "-out", "authority.pem",
        "-days", "30", "-subj", "/CN=Story Root", "-addext", "keyUsage=critical,keyCertSign")
open(f"{work}/ext", "w").write("subjectAltName=DNS:localhost\nbasicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\n"
                               "extendedKeyUsage=serverAuth\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n")
openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", "/CN=localhost")
openssl("x509", "-req", "-in", "leaf.csr", "-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial", "-days", "20", "-extfile", "ext", "-out", "leaf.pem")
ca = f"{work}/authority.pem"
server, port = serve("-cert", "leaf.pem", "-key", "leaf.key")
try:
    where = f"localhost:{port}"
    # ---- live
    text = run("explain", where, "--ca", ca, "--html", f"{work}/page.html", "--record", f"{work}/it.troth", "--danger-record-secrets")
    for word in ("1 Hello", "Your client introduced itself", "ClientHello", "ServerHello", "Story Root", "host name", "Finished",
                 "recomputed, equal", "GET / HTTP/1.1", "HTTP/1.0 200 ok", "Times"):
        assert word in text, word
    assert "DIFFERENT" not in text and "danger" not in text
    page = open(f"{work}/page.html", encoding="utf-8").read()
    assert page.rstrip().endswith("</html>") and len(page) < 1_000_000 and "Story Root" in page
    story = json.loads(run("explain", where, "--ca", ca, "--json"))
    assert story["ok"] and story["schema"] == "troth.explain/1" and all(k["recomputed"] != "different" for k in story["keys"])
    assert [k["label"] for k in story["keys"] if k["recomputed"] == "equal" and k.get("from")]
    assert {c["subject"] for c in story["certificates"]} == {"localhost", "Story Root"}
    assert any(d["what"] == "cipher suite" and len(d["ours"]) > 3 for d in story["decisions"])
    assert not any("danger_value" in k for k in story["keys"])
    assert any("danger_value" in k for k in json.loads(run("explain", where, "--ca", ca, "--json", "--danger-show-secrets"))["keys"])
    depths = [len(run("explain", where, "--ca", ca, "--depth", d).splitlines()) for d in ("summary", "steps", "fields", "bytes")]
    assert depths == sorted(depths) and depths[0] < 40 < depths[1] < depths[2] < depths[3], depths
    for width in ("50", "100"):
        lines = run("explain", where, "--ca", ca, "--depth", "summary", "--width", width).splitlines()
        assert max(map(len, lines)) <= int(width), max(lines, key=len)
    hidden = run("explain", where, "--ca", ca, "--redact", "--html", f"{work}/hidden.html") + open(f"{work}/hidden.html", encoding="utf-8").read()
    for secret in ("localhost", "Story Root", str(port), "127.0.0.1", work):
        assert secret not in hidden.replace(f"{work}/hidden.html", ""), secret
    # ---- recorded
    assert os.stat(f"{work}/it.troth").st_mode & 0o777 == 0o600
    again = json.loads(run("explain", f"{work}/it.troth", "--json"))
    assert again["ok"] and any(m["type"] == "Finished" for m in again["messages"]) and any("HTTP/1.0 200" in d["text"] for d in again["data"])
    # ---- failed
    bad = run("explain", f"127.0.0.1:{port}", "--ca", ca, status=5)
    assert "[cert." in "".join(bad.splitlines()[:2]) and "it broke here" in bad and "(not reached)" in bad
finally:
    server.terminate()
    server.wait()
gone = run("explain", where, "--ca", ca, status=3)
assert "[net.refused]" in gone

# ---- captures
full = json.loads(run("explain", "--pcap", f"{here}/full.pcapng", "--keylog", f"{here}/full.keys", "--json"))
assert full["facts"]["version"] == "TLS 1.3" and len(full["certificates"]) == 2
assert "Resumed" in run("explain", f"{here}/resumed.pcapng", "--keylog", f"{here}/resumed.keys", "--connection", "2", "--depth", "summary")
run("explain", "--pcap", f"{here}/full.pcapng", "--connection", "9", status=2)
run("explain", "--pcap", ca, status=8)
told = " ".join(run("explain", f"{here}/full.pcapng").split())  # a capture without its keys is no handshake that went wrong
assert "is encrypted, and could not be opened" in told and "a key log of one side has them" in told and "Whatever was sent is encrypted" in told, told
assert "No certificate was seen" not in told and "No key was made" not in told
by_host = json.loads(run("explain", f"{here}/resumed.pcapng", "--keylog", f"{here}/resumed.keys", "--connection", "localhost", "--json"))
assert by_host["messages"][0]["type"] == "ClientHello"
for n in ("1", "2"):
    one = json.loads(run("explain", f"{here}/resumed.pcapng", "--keylog", f"{here}/resumed.keys", "--connection", n, "--json"))
    assert one["facts"]["resumed"] == (n == "2"), n
r = subprocess.run([troth, "explain", f"{here}/resumed.pcapng", "--connection", "nobody.example"], capture_output=True, timeout=60)
assert r.returncode == 2 and b"it has 2:" in r.stderr and b"localhost" in r.stderr, r.stderr  # says which there are
udp = bytes.fromhex("450000240000000040110000c0000201c0000202") + struct.pack(">HHHH", 50000, 443, 16, 0) + b"\xc0\0\0\0\1\0\0\0"
open(f"{work}/quic.pcap", "wb").write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101) + struct.pack("<IIII", 0, 0, len(udp), len(udp)) + udp)
r = subprocess.run([troth, "explain", f"{work}/quic.pcap"], capture_output=True, timeout=60)
assert r.returncode == 1 and b"no TCP connection" in r.stderr and b"QUIC" in r.stderr, (r.returncode, r.stderr)
# ---- one message
first = full["messages"][0]
for form in (first["raw"], first["raw"].upper(), base64.b64encode(bytes.fromhex(first["raw"])).decode()):
    told = run("explain", form)
    assert "cipher_suites" in told and "x25519" in told and "RFC" not in told.splitlines()[0], form[:40]
told = run("explain", "-", stdin=("160301" + f"{len(first['raw']) // 2:04x}" + first["raw"]).encode())
assert "ClientHello" in told
assert "subjectAltName" in run("explain", f"{work}/leaf.pem")
assert "No certificate was seen" not in told and "The keys" not in told
cut = run("explain", first["raw"].replace("00bd0000000e", "00be0000000e"), status=1)
assert "tls.truncated-message" in cut and "\u2717extensions" in cut.replace(" ", "") or "extensions" in cut
assert "tls.truncated-message" in run("explain", first["raw"][:-40], status=1)
# ---- codes and other people's errors
assert "renew" in run("explain", "--error", "cert.expired")
run("explain", "--error", "cert.nonsense", status=2)
assert "cert.missing-intermediate" in run("explain-error", "unable to get local issuer certificate")
assert json.loads(run("explain-error", "--json", "curl: (60) certificate has expired"))["found"][0]["code"] == "cert.expired"
run("explain-error", "nothing of the kind", status=1)
run("explain", status=2)
print("every way to ask for an explanation is answered")

# ---- a terminal that knows no UTF-8 may take its bytes for commands: it gets none
openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "u.key", "-out", "u.pem", "-utf8", "-subj", "/CN=Pr\u00dbf")
for locale, seen in (("C", b"Pr\\xc3\\x9bf"), ("C.UTF-8", "Pr\u00dbf".encode())):
    out = subprocess.run([troth, "explain", f"{work}/u.pem"], capture_output=True, env={**os.environ, "LC_ALL": locale}).stdout
    assert seen in out and (locale != "C" or max(out) < 0x80), (locale, out[-300:])
    assert "Pr\u00dbf" in json.loads(subprocess.run([troth, "explain", f"{work}/u.pem", "--json"], capture_output=True, env={**os.environ, "LC_ALL": locale}).stdout)[
        "certificates"][0]["subject"]
