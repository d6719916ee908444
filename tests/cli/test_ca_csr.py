"""Certificates for other people's keys: the names of a request are kept and checked, nothing else of it is believed, its key is proved and strong.
ctest: timeout=120"""
import json
import os
import subprocess

from serving import D, TROTH, authority, check, finish, refused, run

authority()
CA = f"{D}/ca.pem"
EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")


def request(name, *args, subject="/CN=asked.example/O=Nobody", san=None, key=EC, ext=()):
    path = f"{D}/{name}.csr"
    extensions = [*(["-addext", f"subjectAltName={san}"] if san else []), *(a for e in ext for a in ("-addext", e))]
    subprocess.run(["openssl", "req", "-new", *key, "-nodes", "-keyout", f"{D}/{name}.key", "-subj", subject, *extensions, "-out", path, *args],
                   check=True, capture_output=True)
    return path


def made(*args, name):
    """(names, subject, the text of it) as openssl reads them, and troth's own answer."""
    answer = json.loads(run("ca", "issue", "--json", "--out", D, *args).stdout)
    text = subprocess.run(["openssl", "x509", "-in", f"{D}/{name}.pem", "-noout", "-text"], capture_output=True, text=True, check=True).stdout
    lines = [line.strip() for line in text.split("\n")]
    san = next((lines[i + 1] for i, line in enumerate(lines) if line.startswith("X509v3 Subject Alternative Name")), "")
    return san, next(line for line in lines if line.startswith("Subject:")), text, answer


# ---- what is asked for, and what is made of it
names = "DNS:shop.example,DNS:*.shop.example,IP:192.0.2.7,IP:2001:db8::1,email:it@shop.example,URI:spiffe://shop.example/web"
path = request("shop", san=names, ext=("basicConstraints=CA:FALSE", "keyUsage=digitalSignature,keyCertSign", "extendedKeyUsage=codeSigning"))
san, subject, text, answer = made("--csr", path, name="shop.example")
check("every name is kept", san.replace("IP Address", "IP").replace("2001:DB8:0:0:0:0:0:1", "2001:db8::1").replace(", ", ",") == names, san)
check("and nothing else", subject == "Subject: CN = shop.example" and "Code Signing" not in text and "Certificate Sign" not in text and "CA:TRUE" not in text, text)
check("no key is written", answer["key"] is None and not os.path.exists(f"{D}/shop.example-key.pem"), answer)
same = [subprocess.run(c, capture_output=True, check=True).stdout for c in
        (["openssl", "x509", "-in", f"{D}/shop.example.pem", "-noout", "-pubkey"], ["openssl", "pkey", "-in", f"{D}/shop.key", "-pubout"])]
check("it is for their key", same[0] == same[1])
run("verify", "--roots", CA, "--host", "www.shop.example", f"{D}/shop.example.pem")
kept = json.loads(run("ca", "list", "--json", "it@shop.example", "--out", D).stdout)["certificates"]
check("it is in the records", len(kept) == 1 and kept[0]["file"] == "shop.example.pem", kept)
san, _, text, _ = made("--csr", path, "--client", name="shop.example-client")
check("--client", "TLS Web Client Authentication" in text and "Server" not in text)
san, _, _, _ = made("--csr", path, "mine.example", "192.0.2.9", name="mine.example")
check("names that are given stand instead", san == "DNS:mine.example, IP Address:192.0.2.9", san)
_, _, text, _ = made("--csr", request("staple", san="DNS:staple.example", ext=("tlsfeature=status_request",)), name="staple.example")
check("must-staple is kept", "TLS Feature" in text or "1.3.6.1.5.5.7.1.24" in text, text)
for kind, key in (("ed25519", ("-newkey", "ed25519")), ("rsa", ("-newkey", "rsa:2048")), ("p384", ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"))):
    made("--csr", request(kind, san=f"DNS:{kind}.example", key=key), name=f"{kind}.example")
with open(request("piped", "-outform", "DER", san="DNS:piped.example"), "rb") as f:
    r = subprocess.run([TROTH, "ca", "issue", "--csr", "-", "--out", D], stdin=f, capture_output=True, text=True, check=False)
check("from standard input, and DER", r.returncode == 0 and "piped.example.pem" in r.stdout and "private key" not in r.stdout, r)
refused(["is there already"], "ca", "issue", "--csr", path, "--out", D, status=8)

# ---- what is refused, and leaves nothing
before = sorted(os.listdir(D))


def no(words, *args, status=2, **what):
    name = f"bad{len(os.listdir(D))}"
    refused(words, "ca", "issue", "--csr", request(name, **what), *args, "--out", D, status=status)


no(["no name", "asked.example"])
no(["an authority"], san="DNS:ca.example", ext=("basicConstraints=CA:TRUE",))
no(["an authority"], "other.example", san="DNS:ca.example", ext=("basicConstraints=CA:TRUE",))
no(["not issued here", "RID:"], san="DNS:a.example,RID:1.2.3.4")
no(["not issued here", "other:"], san="otherName:1.2.3.4;UTF8:me")
no(["no DNS name"], san="DNS:a b.example")
no(["cannot issue for"], san="DNS:192.0.2.1")
no(["not issued here"], san="DNS:x\x1b[2Jy.example")
no(["not issued here"], san="email:a\\\\nb@x.example")
no(["cert.weak"], san="DNS:weak.example", key=("-newkey", "rsa:1024"))
no(["cert.unknown-algorithm"], san="DNS:odd.example", key=("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"), status=8)
no(["Features", "[der."], san="DNS:a.example", ext=("1.3.6.1.5.5.7.1.24=DER:0500",), status=8)
with open(f"{D}/changed.csr", "wb") as out, open(f"{D}/piped.csr", "rb") as f:
    whole = bytearray(f.read())
    whole[whole.index(b"piped.example")] = ord("q")
    out.write(whole)
refused([f"{D}/changed.csr", "csr.signature"], "ca", "issue", "--csr", f"{D}/changed.csr", "--out", D, status=8)
with open(f"{D}/cut.csr", "wb") as out:
    out.write(whole[:-20])
for words, file in ((["cut.csr"], "cut.csr"), (["not a certificate request"], "ca.pem"), (["not a certificate request"], "ca-key.pem"), (["No such"], "none.csr"), (["directory"], "")):
    refused(words, "ca", "issue", "--csr", f"{D}/{file}", "--out", D, status=8)
with open(f"{D}/huge.csr", "wb") as out:
    out.truncate((64 << 20) + 1)
refused(["larger than"], "ca", "issue", "--csr", f"{D}/huge.csr", "--out", D, status=8)
with open(f"{D}/long.csr", "wb") as out:
    out.write(b"x" * (8 << 20))
refused(["long.csr"], "ca", "issue", "--csr", f"{D}/long.csr", "--out", D, status=8)
many = request("many", san=",".join(f"DNS:h{i}.example" for i in range(1001)))
refused(["than 1000 names"], "ca", "issue", "--csr", many, "--out", D)
left = [f for f in os.listdir(D) if f not in before and not f.endswith((".csr", ".key"))]
check("nothing is left of any of them", not left, left)
check("nor in the records", len(json.loads(run("ca", "list", "--json", "--out", D).stdout)["certificates"]) == 9)

# ---- one request in a file, and never for the authority's own key
with open(f"{D}/two.csr", "w", encoding="utf-8") as out:
    for name in ("shop", "rsa"):
        with open(f"{D}/{name}.csr", encoding="utf-8") as f:
            out.write(f.read())
refused(["more than one request"], "ca", "issue", "--csr", f"{D}/two.csr", "two.example", "--out", D, status=8)
refused(["authority's own"], "ca", "issue", "--csr", request("own", "-key", f"{D}/ca-key.pem", key=(), san="DNS:own.example"), "--out", D)
check("nothing came of them", not os.path.exists(f"{D}/two.example.pem") and not os.path.exists(f"{D}/own.example.pem"))

# ---- one for somebody else: openssl reads it, and an authority takes it
away = f"{D}/away"
os.mkdir(away)
for kind, say in ((None, "id-ecPublicKey"), ("ed25519", "ED25519"), ("rsa2048", "rsaEncryption")):
    name = f"asks-{kind or 'usual'}.example"
    o = json.loads(run("ca", "request", name, "*." + name, "192.0.2.7", "--out", away, "--json", *(("--key-type", kind) if kind else ())).stdout)
    text = subprocess.run(["openssl", "req", "-in", o["request"], "-noout", "-text", "-verify"], capture_output=True, text=True, check=True)
    check(f"a request, {kind}", o["names"] == [f"DNS:{name}", f"DNS:*.{name}", "IP:192.0.2.7"] and o["subject"] == "CN=" + name and say in text.stdout
          and f"DNS:{name}, DNS:*.{name}, IP Address:192.0.2.7" in text.stdout and "verify OK" in text.stderr, (o, text))
    keys = [subprocess.run(["openssl", *c], capture_output=True, check=True).stdout for c in (["req", "-in", o["request"], "-noout", "-pubkey"], ["pkey", "-in", o["key"], "-pubout"])]
    check(f"its key, {kind}", keys[0] == keys[1] and os.stat(o["key"]).st_mode & 0o777 == 0o600 and o["key"] == f"{away}/{name}-key.pem", (o, keys))
    run("ca", "issue", "--csr", o["request"], "--out", D)
    run("verify", f"{D}/{name}.pem", "--roots", f"{D}/ca.pem", "--host", name)
    refused([f"{name}.csr", "not overwritten"], "ca", "request", name, "--out", away, status=8)
said = run("ca", "request", "b\u00fccher.example", "--out", away).stdout
check("in words", "xn--bcher-kva.example.csr" in said and "private key" in said and "P-256" in said, said)
os.remove(f"{away}/xn--bcher-kva.example.csr")
refused(["xn--bcher-kva.example-key.pem", "not overwritten"], "ca", "request", "b\u00fccher.example", "--out", away, status=8)
check("nothing half", not os.path.exists(f"{away}/xn--bcher-kva.example.csr"))
refused(["needs a name", "troth ca request"], "ca", "request", "--out", away)
refused(["mailbox"], "ca", "request", "@x.example", "--out", away)
refused(["--days", "troth ca"], "ca", "request", "x.example", "--days", "9", "--out", away)
refused(["No such file"], "ca", "request", "x.example", "--out", f"{away}/none", status=8)

# ---- an authority with limits of its own
small = f"{D}/small"
run("ca", "init", "--out", small, "--constrain", "inside.example")
refused(["cert.name-constraint"], "ca", "issue", "--csr", request("outside", san="DNS:www.inside.example,DNS:outside.example"), "--out", small)
run("ca", "issue", "--csr", request("inside", san="DNS:www.inside.example"), "--out", small)
finish()
