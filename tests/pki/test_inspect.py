"""troth inspect against `openssl x509': odd names, serials, long and unknown extensions; what is damaged is shown, and has its exit status."""
import base64
import datetime
import json
import os
import shutil
import subprocess
import sys
import tempfile

TROTH = os.environ["TROTH"]
if not os.path.exists(TROTH) or not shutil.which("openssl"):
    sys.exit(77)
home = tempfile.TemporaryDirectory(prefix="inspect")
D = home.name


def openssl(*args, data=None):
    r = subprocess.run(["openssl", *args], capture_output=True, cwd=D, input=data, check=False)
    assert r.returncode == 0, (args, r.stderr)
    return r.stdout


def inspect(path, *args, status=0):
    r = subprocess.run([TROTH, "inspect", path, *args], capture_output=True, cwd=D)
    assert r.returncode == status, (path, r.returncode, r.stdout, r.stderr)
    return json.loads(r.stdout)["objects"] if "--json" in args else r.stdout.decode("utf-8")


def certificate(subject, *ext, serial="0x0123", name="cert", mask="utf8only"):
    with open(f"{D}/cnf", "w", encoding="utf-8") as f:
        f.write(f"[req]\ndistinguished_name=n\nprompt=no\nutf8=yes\nstring_mask={mask}\nx509_extensions=x\n[n]\n{subject}\n[x]\nsubjectAltName=DNS:a.example\n" +
                "\n".join(ext) + "\n")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key", "-config", "cnf", "-set_serial", serial, "-days",
            "9", "-outform", "DER", "-out", name + ".der")
    return name + ".der"


def openssl_says(path, *what):
    return openssl("x509", "-in", path, "-inform", "DER", "-noout", *what).decode("utf-8").strip().split("=", 1)[1]


# ---- names, serials, times: as openssl says them
for subject, mask in (("O=Probe, Inc.\nCN=a+b <c> \\\"d\\\"", "utf8only"), ("O=\\#lead\nCN=\u00fc\u00f1\u4e2d\U0001f600", "utf8only"), ("O=Caf\u00e9\nCN=x", "default"),
                      ("O=\u4e2d\u6587\nCN=y", "MASK:0x800"), ("0.DC=example\n1.DC=a\nemailAddress=x@a.example\nUID=u\nCN=z", "default"),
                      ("C=DE\nST=s\nL=l\nstreet=1 st\nO=o\n0.OU=one\n1.OU=two\nserialNumber=7\nCN=many", "pkix")):
    for serial in ("0x01", "0x80ff", "0x7fffffffffffffffffffffffffffffffffffffff"):
        path = certificate(subject, serial=serial, mask=mask)
        o = inspect(path, "--json")[0]
        theirs = openssl_says(path, "-subject", "-nameopt", "RFC2253,-esc_msb,utf8")
        assert o["subject"] == theirs.replace("street=", "STREET="), (o["subject"], theirs)
        assert int(o["serial"], 16) == int(openssl_says(path, "-serial"), 16) == int(serial, 16)
        ends = datetime.datetime.strptime(openssl_says(path, "-enddate"), "%b %d %H:%M:%S %Y GMT")
        assert o["validity"]["not_after"] == ends.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert o["sha256"] == openssl_says(path, "-fingerprint", "-sha256").replace(":", "").lower()

# ---- what turns or hides text never comes out
hidden = "\u202e\u2066\u200f\u061c\u00ad\ufeff\u180e\U000e0041\x1b[31m"
path = certificate("O=x" + hidden.replace("\x1b", "") + "y\nCN=n")
for text in (inspect(path), json.dumps(inspect(path, "--json"), ensure_ascii=False)):
    assert not any(c in text for c in hidden.replace("[31m", "")) and "x\\" in text, text[:400]

for locale, seen in (("C", "Pr\\xc3\\x9bf"), ("C.UTF-8", "Pr\u00dbf")):      # 0x9b is a command to some terminals
    os.environ["LC_ALL"] = locale
    assert f"CN={seen}" in inspect(certificate("CN=Pr\u00dbf"))

# ---- extensions: none is left out, none is cut without a word
long = "ab" * 5000
path = certificate("CN=long", f"1.2.3.4=DER:0482{5000:04x}{long}", "tlsfeature=status_request_v2")
o = inspect(path, "--json")[0]
assert o["other_extensions"][0]["value"] == f"0482{5000:04x}{long}" and o["tls_features"] == [17] and "must_staple" not in o
assert "(5004 bytes)" in inspect(path) and "status_request_v2" in inspect(path)
assert inspect(certificate("CN=must", "tlsfeature=status_request"), "--json")[0]["must_staple"] is True

# ---- damaged: shown as far as it goes, and the status says so
whole = open(f"{D}/{path}", "rb").read()
at = whole.index(bytes.fromhex("551d11"))       # subjectAltName: its string begins a few bytes behind
broken = bytearray(whole)
broken[whole.index(b"a.example", at) - 1] = 0x7f
for name, content in (("flaw", bytes(broken)), ("cut", whole[:200] + b"\xff" * (len(whole) - 200))):
    with open(f"{D}/{name}.pem", "wb") as f:
        f.write(b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(content) + b"-----END CERTIFICATE-----\n")
    o = inspect(f"{name}.pem", "--json", status=1)[0]
    assert o["kind"] == "certificate" and ("flaw" in o or "error" in o), o
    inspect(f"{name}.pem", "-q", status=1)
inspect("cut.pem", path, status=1)      # a good one beside it does not hide it
with open(f"{D}/nothing", "w", encoding="ascii") as f:
    f.write("nothing of the kind")
inspect("nothing", status=8)
print("the same as openssl")
