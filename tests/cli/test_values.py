"""Values that look right and are not: each is refused in one message, with the exit status of a mistake in the command or in a file.
ctest: slow timeout=120"""
import os
import re
import subprocess

from serving import D, authority, check, finish, refused, run

authority()
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"

# ---- times that are none, and one that is
for text in ("2026-02-29", "2026-02-31", "2026-04-31", "2100-02-29", "2026-00-01", "2026-01-00", "2026-01-01T00:00:00+99:00", "2026-01-01T00:00:00+00:60"):
    refused([text, "not a time"], "verify", CERT, "--roots", CA, "--time", text)
for text in ("2028-02-29", "2000-02-29T12:00:00-23:59"):
    run("verify", CERT, "--roots", CA, "--time", text, status=1)  # a time, if not one at which it is valid

# ---- numbers: digits
for text in ("+3", " 3", "3 ", "-3", "0x3", "3.0", "1e1", ""):
    refused(["--timeout", "is not a number from 1 to 86400"], "connect", "--timeout", text, "localhost:1")

# ---- an authority that nobody could use is not made
for args, words in ((("--constrain", "*.example"), ["without a star"]), (("--constrain", ".example"), ["without the dot"]),
                    (("--name", "n" * 65), ["65", "64 at most"]), (("--name", "n" * 300), ["300"])):
    refused(words, "ca", "init", "--out", f"{D}/none", *args)
check("nothing was made", not os.path.exists(f"{D}/none"))
run("ca", "init", "--out", f"{D}/long", "--name", "n" * 64)

# ---- a file that is wrong is no mistake of a peer's
with open(f"{D}/bad.pem", "w", encoding="utf-8") as f:
    f.write("-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n")
for verb, args in (("connect", ("localhost:1",)), ("get", ("https://localhost:1/",)), ("explain", ("localhost:1",)), ("check", ("localhost:1",)),
                   ("proxy", ("--wrap", "localhost:1", "--listen", "127.0.0.1:0"))):
    refused([f"{D}/bad.pem", "[der."], verb, *args, "--ca", f"{D}/bad.pem", status=8)
with open(f"{D}/empty-password", "w", encoding="utf-8") as f:
    f.write("\n")
subprocess.run(["openssl", "pkcs12", "-export", "-in", CERT, "-inkey", KEY, "-out", f"{D}/own.p12", "-passout", "pass:right"], check=True)
wrong = ("--passphrase-file", f"{D}/empty-password")
for verb, args in (("connect", ("localhost:1",)), ("get", ("https://localhost:1/",)), ("serve", ("--check-config",)), ("serve", ("--listen", "127.0.0.1:0")),
                   ("serve", ("--listen", "127.0.0.1:0", "--key-process", "no")), ("proxy", ("--backend", "127.0.0.1:1", "--listen", "127.0.0.1:0"))):
    refused([f"{D}/bad.pem", "[der."], verb, *args, "--cert", f"{D}/bad.pem", "--key", KEY, status=8)
    refused([f"{D}/own.p12", "[pkcs12.password]"], verb, *args, "--cert", f"{D}/own.p12", *wrong, status=8)
    refused([f"{D}/own.p12", "[pkcs12.password]"], verb, *args, "--cert", CERT, "--key", f"{D}/own.p12", *wrong, status=8)

# ---- a name that is almost one
for option, word, meant in (("--groups", "x25518", "x25519"), ("--groups", "x25519mlkem768,secp256r", "secp256r1"), ("--suites", "tls_aes_128_gcm_sha25", "TLS_AES_128_GCM_SHA256"),
                            ("--sigs", "ecdsa_secp256r1_sha25", "ecdsa_secp256r1_sha256"), ("--key-shares", "secp521", "secp521r1")):
    refused([f"`{word.split(',')[-1]}' is not a registered name; did you mean `{meant}'?"], "connect", "localhost:1", option, word)
refused(["`nothing' is not a registered name"], "connect", "localhost:1", "--groups", "nothing")
refused(["there is no code `cert.expird'; did you mean `cert.expired'?"], "explain", "--error", "cert.expird")
refused(["there is no code `nothing.like-it'; man troth-errors"], "explain", "--error", "nothing.like-it")

# ---- options as other programs have them
for words, args in ((["--cacert;", "here it is --ca"], ("get", "--cacert", CA, "localhost:1")), (["--servername;", "--sni"], ("connect", "--servername=x", "localhost:1")),
                    (["-servername;", "--sni"], ("connect", "localhost:1", "-servername", "x")), (["-CAfile;", "--ca"], ("verify", "-CAfile", CA, CERT)),
                    (["-cert;", "two dashes", ": --cert"], ("connect", "-cert", CERT, "localhost:1")), (["-showcerts;", "--save-chain"], ("connect", "-showcerts", "localhost:1")),
                    (["-showcerts;", "--save-chain"], ("connect", "localhost:1", "-showcerts")), (["-verify_hostname;", "--host"], ("verify", "-verify_hostname", "x", CERT)),
                    (["--insecure:", "verified", "--ca"], ("connect", "--insecure", "localhost:1")), (["-k:", "verified", "--pin"], ("get", "-k", "https://localhost:1/")),
                    (["-k here;", "--help"], ("ca", "init", "-k")), (["-c here", "--help"], ("connect", "-connect", "localhost:1")),
                    (["--servername;", "--help"], ("serve", "--servername", "x")), (["--timout;", "did you mean --timeout?"], ("connect", "--timout", "3", "localhost:1"))):
    refused(words, *args, lines=1)
src = os.environ["SRC_DIR"]
with open(f"{src}/cli/theirs.def", encoding="utf-8") as f:
    theirs = re.findall(r'^THEIRS\("([^"]+)", +"([^"]+)"\)', f.read(), re.M)
with open(f"{src}/cli/options.def", encoding="utf-8") as f:
    ours = re.findall(r'^OPT\(\w+, *"([^"]+)"', f.read(), re.M)
check("they lead to options of ours, and are none themselves", len(theirs) > 40 and {o for _, o in theirs} <= set(ours) and not {t for t, _ in theirs} & set(ours), (theirs, ours))

# ---- longer than anybody takes
said = run("ca", "issue", "--days", "826", "--out", D, "long.example").stderr
check("a server's certificate of more than 825 days: Apple's systems", "825" in said and "Apple" in said, said)
for args in (("--days", "825", "fit.example"), ("--client", "--days", "826", "somebody"), ("-q", "--days", "826", "quiet.example")):
    said = run("ca", "issue", "--out", D, *args).stderr
    check(f"{args}: nothing to say", said == "", said)

# ---- keys for ECH
for name in ("a b", "1.2.3.4", "a..b"):
    refused(["--public-name", name, "no"], "ech", "keygen", "--public-name", name)
run("ech", "keygen", "--public-name", "public.example", "-o", f"{D}/ech.pem")
refused(["is there already"], "ech", "keygen", "--public-name", "public.example", "-o", f"{D}/ech.pem", status=8)

# ---- a URL in a query is not the URL
for url in ("localhost:1/?to=http://elsewhere", "https://localhost:1/?to=http://elsewhere"):
    r = run("get", url, status=3)
    check(f"get {url} asks localhost", "net.refused" in r.stderr, r.stderr)
refused(["only https://"], "get", "http://localhost:1/")
finish()
