"""The JSON of every captured handshake keeps to the published schema, agrees with tshark, and hides what --redact must hide."""
import glob
import json
import os
import shutil
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("no python3-jsonschema")
    sys.exit(77)

here = os.path.join(os.environ["SRC_DIR"], "tests/explain/data")
tool = os.path.join(os.environ["BUILD_DIR"], "bin/explain_capture")
schema = json.load(open(os.path.join(os.environ["SRC_DIR"], "docs/schema/explain-1.json"), encoding="utf-8"))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)


def story(name, n, form):
    keys = f"{here}/{name}.keys"
    out = subprocess.run([tool, f"{here}/{name}.pcapng", keys if os.path.exists(keys) else "/dev/null", str(n), form],
                         capture_output=True)
    assert out.returncode == 0, (name, n, form, out.stderr)
    return out.stdout.decode("utf-8")


def tshark(name, n):
    """What tshark says of the same handshake: types of the handshake messages and chosen values."""
    run = subprocess.run(["tshark", "-r", f"{here}/{name}.pcapng", "-o", f"tls.keylog_file:{here}/{name}.keys", "-Y", f"tls && tcp.stream=={n}",
                          "-d", "tcp.port==24801-24810,tls", "-T", "fields", "-E", "separator=|", "-e", "tls.handshake.type",
                          "-e", "tls.handshake.ciphersuite", "-e", "tls.handshake.extensions_server_name"], capture_output=True, text=True)
    types = []
    for line in run.stdout.splitlines():
        types += [int(t) for t in line.split("|")[0].split(",") if t]
    return types


NUMBERS = {"ClientHello": 1, "ServerHello": 2, "HelloRetryRequest": 2, "NewSessionTicket": 4, "EndOfEarlyData": 5, "EncryptedExtensions": 8,
           "Certificate": 11, "ServerKeyExchange": 12, "CertificateRequest": 13, "ServerHelloDone": 14, "CertificateVerify": 15,
           "ClientKeyExchange": 16, "Finished": 20, "CertificateStatus": 22, "KeyUpdate": 24, "CompressedCertificate": 25}
compared = 0
for path in sorted(glob.glob(here + "/*.pcapng")):
    name = os.path.basename(path)[:-7]
    for n in range(2 if name == "resumed" else 1):
        full = json.loads(story(name, n, "json"))
        errors = list(validator.iter_errors(full))
        assert not errors, (name, errors[0].json_path, errors[0].message)
        for depth in ("json-summary", "json-fields", "json-redact"):
            errors = list(validator.iter_errors(json.loads(story(name, n, depth))))
            assert not errors, (name, depth, errors[0].json_path, errors[0].message)
        for m in full["messages"]:
            assert len(m["raw"]) == 2 * m["bytes"]
            for f in m["fields"]:
                assert f["at"] + f["length"] <= m["bytes"], (name, m["type"], f)
        if shutil.which("tshark"):
            ours = [NUMBERS[m["type"]] for m in full["messages"] if m["type"] in NUMBERS]
            theirs = tshark(name, n)
            assert sorted(ours) == sorted(theirs), (name, n, ours, theirs)
            compared += len(theirs)
        for form in ("html", "json", "text-bytes", "text-unicode"):
            hidden = story(name, n, form + "-redact")
            for secret in ("localhost", "Troth Lab", "24801", "127.0.0.1", "GET /", "s_server", b"localhost".hex(), "Ciphers"):
                assert secret not in hidden, (name, form, secret, hidden[max(0, hidden.find(secret) - 80):][:200])
            for m in full["messages"]:
                for f in m["fields"]:
                    if f["shape"] == "bytes" and f["length"] >= 16:
                        raw = m["raw"][2 * (f["at"] + f.get("prefix", 0)):2 * (f["at"] + f["length"])]
                        assert raw[:16] not in hidden and " ".join(raw[i:i + 2] for i in range(0, 16, 2)) not in hidden, (name, form, f)

one = json.loads(story("full", 0, "json"))
assert one["facts"]["version"] == "TLS 1.3" and one["facts"]["alpn"] == "http/1.1" and one["facts"]["round_trips"] == 1
assert [c["subject"] for c in one["certificates"]] == ["localhost", "Troth Lab Intermediate"] and one["certificates"][0]["names"] == "localhost"
assert json.loads(story("hrr", 0, "json"))["facts"]["round_trips"] == 2
assert json.loads(story("resumed", 1, "json"))["facts"]["resumed"] and not json.loads(story("resumed", 1, "json"))["certificates"]
assert json.loads(story("mtls", 0, "json"))["facts"]["client_certificate"]
print(f"schema holds; {compared} handshake messages the same as tshark's")
