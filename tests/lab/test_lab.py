"""The failure lab: every common TLS failure, replayed on loopback; troth has to name each by its code and exit status.
ctest: label=interop slow timeout=900

For each case: the JSON keeps to docs/schema/connect-1.json, its code and the exit status are the expected ones; the text holds to the
rules (the verdict first, the code in it, at most 12 lines, no advice to switch verification off) and carries its evidence."""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import weird

try:
    import jsonschema
except ImportError:
    print("no python3-jsonschema")
    sys.exit(77)
if not shutil.which("openssl"):
    print("no openssl")
    sys.exit(77)

TROTH, SRC = os.environ["TROTH"], os.environ["SRC_DIR"]
RUNS = int(os.environ.get("LAB_RUNS", "40"))  # of the client certificate cases, whose answer races with ours
schema = json.load(open(f"{SRC}/docs/schema/connect-1.json", encoding="utf-8"))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
home = tempfile.TemporaryDirectory(prefix="lab")
P = home.name
subprocess.run(["bash", f"{SRC}/tests/lab/pki.sh", P], check=True)
sanitized = b"__asan_init" in open(TROTH, "rb").read()
servers, passed, failed = [], 0, []


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def s_server(cert, *options, chain=True):
    for _ in range(5):  # another program may take the port before it does
        port = free_port()
        command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-www", "-cert", f"{P}/{cert}.pem", "-key", f"{P}/{cert}.key"]
        if chain and os.path.exists(f"{P}/{cert}.ca.pem"):
            command += ["-cert_chain", f"{P}/{cert}.ca.pem"]
        path = f"{P}/server-{port}.log"
        with open(path, "wb") as log:
            servers.append(subprocess.Popen(command + list(options), stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        end = time.time() + 60
        while servers[-1].poll() is None and time.time() < end:
            with open(path, "rb") as log:
                if b"ACCEPT" in log.read():
                    return port
            time.sleep(0.02)
    raise RuntimeError("openssl s_server did not start: " + " ".join(options))


def stop_servers():
    while servers:
        p = servers.pop()
        p.terminate()
        p.wait()


def connect(port, *options, host="localhost", before=()):
    """troth's JSON, its text, its exit status in both forms"""
    base = [*before, TROTH, "connect", "--timeout", "4", "--ca", f"{P}/top.pem", *options, f"{host}:{port}"]
    js = subprocess.run(base + ["--json"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    text = subprocess.run(base, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    try:
        answer = json.loads(js.stdout)
    except ValueError:
        raise AssertionError(f"no JSON: {js.stdout!r} {js.stderr!r}") from None
    return answer, js.returncode, text.stderr, text.returncode


def judge(name, code, status, port, *options, says="", tls=None, **more):
    global passed
    try:
        answer, js_status, text, text_status = connect(port, *options, **more)
        wrong = [f"{e.json_path}: {e.message}" for e in validator.iter_errors(answer)]
        if (answer["code"], js_status) != (code, status):
            wrong.append(f"want {code} {status}, got {answer['code']} {js_status}")
        if not (tls or {}).items() <= answer.get("tls", {}).items():
            wrong.append(f"want {tls}, got {answer.get('tls')}")
        if answer["exit"] != js_status or text_status != status:
            wrong.append(f"exit statuses: {answer['exit']} in the JSON, {js_status} with --json, {text_status} without")
        lines = text.rstrip().split("\n")
        if code != "ok":
            if f"localhost:{port}" not in lines[0] and f"127.0.0.1:{port}" not in lines[0]:
                wrong.append("the first line does not say which connection: " + lines[0])
            if code not in text:
                wrong.append("the text does not carry the code")
            if len(lines) > 12:
                wrong.append(f"{len(lines)} lines")
            if re.search(r"insecure|skip.{0,20}verif|disable.{0,20}(verif|check)|ignore the cert|--no-verify", text, re.I):
                wrong.append("advises against verification")
            if not answer["failure"]["do"] and answer["failure"]["who"] != "nobody":
                wrong.append("nothing to do about it")
        if says and not re.search(says, " ".join(text.split())):
            wrong.append(f"lacks {says!r}")
    except (AssertionError, subprocess.TimeoutExpired, KeyError) as e:
        wrong, text = [repr(e)], ""
    if wrong:
        failed.append(name)
        print(f"FAIL {name}: " + "; ".join(wrong))
        print("     " + text.replace("\n", "\n     "))
    else:
        passed += 1
        print(f"ok   {name}: {code} {status}")
    sys.stdout.flush()


def case(name, code, status, cert, *server, client=(), chain=True, **more):
    judge(name, code, status, s_server(cert, *server, chain=chain), *client, **more)
    stop_servers()


def odd(name, code, status, behind=False, client=(), says=""):
    backend = s_server("good") if behind else 0
    judge(name, code, status, weird.serve(name, backend), *client, says=says)
    stop_servers()


WEAK = ("-cipher", "ALL:@SECLEVEL=0")
ASK = ("-Verify", "3", "-verify_return_error", "-CAfile", f"{P}/top.pem")
case("ok", "ok", 0, "good")
case("expired", "cert.expired", 5, "expired", says="2024-04-09")
case("notyet", "cert.not-yet-valid", 5, "notyet", says="2031-06-01")
case("wronghost", "cert.name-mismatch", 5, "wronghost", says=r"www\.example\.test")
case("iphost", "cert.ip-without-ip-san", 5, "good", host="127.0.0.1")
case("selfsigned", "cert.self-signed", 5, "selfsigned")
case("nochain", "cert.missing-intermediate", 5, "good", chain=False, says="Failure Lab Intermediate")
case("unknownca", "chain.untrusted-root", 5, "unknownca", says="A Root Of Another House")
case("sha1", "cert.weak-signature", 5, "sha1", *WEAK)
case("rsa1024", "cert.weak-key", 5, "rsa1024", *WEAK, says="1024")
case("wrongeku", "cert.wrong-eku", 5, "wrongeku")
case("revoked_crl", "cert.revoked", 5, "revoked", client=("--crl", f"{P}/int.crl"), says="(?i)key.?compromise")
case("revoked_none", "ok", 0, "revoked")
case("revoked_staple", "cert.revoked", 5, "revoked", "-status_file", f"{P}/revoked.resp")
case("crl_good", "ok", 0, "good", client=("--crl", f"{P}/int.crl", "--crl", f"{P}/top.crl"))
case("crl_lacking", "crl.none", 5, "good", client=("--crl", f"{P}/int.crl"), says="Failure Lab Root")
case("oldproto", "tls.version", 4, "good", "-tls1", *WEAK)
case("only13", "tls.version", 4, "good", "-tls1_3", client=("--max", "1.2"))
case("nocipher", "tls.cipher", 4, "good", "-tls1_2", "-cipher", "NULL-SHA256:@SECLEVEL=0", says="does not say what did not fit")
case("hellorretry", "ok", 0, "good", "-groups", "secp521r1")
case("nogroup", "tls.group", 4, "good", "-groups", "X448", client=("--groups", "x25519"), says="x25519")
case("alpn", "tls.alpn", 4, "good", "-alpn", "foo", client=("--alpn", "h2"), says="h2")
for version in "tls1_3", "tls1_2":
    case("needclient_" + version, "client-cert.required", 6, "good", *ASK, "-" + version, says="accepts certificates of \"CN=Failure Lab Root, O=Failure Lab\"",
         tls={"acceptableAuthorities": ["CN=Failure Lab Root, O=Failure Lab"]})
case("cnonly", "cert.cn-only", 5, "cnonly")
case("nameconstraint", "cert.name-constraint", 5, "nameconstraint", says=r"corp\.example")
case("issuernotca", "cert.not-a-ca", 5, "issuernotca", says="No Authority")
case("critext", "cert.critical-ext", 5, "critext", says=r"1\.2\.3\.4\.5")
case("muststaple", "staple.missing-but-required", 5, "muststaple")
case("sni", "tls.sni", 4, "good", "-servername", "other.example", "-servername_fatal", "-cert2", f"{P}/wronghost.pem", "-key2",
     f"{P}/wronghost.key")
if sanitized or not shutil.which("faketime"):
    print("left out: clockskew (faketime does not go with this build, or is not installed here)")
else:
    case("clockskew", "clock.suspect", 5, "good", before=("faketime", "2020-01-01"), says="2020-01-01")
for kind in "plainhttp", "smtp", "ssh", "imap", "pop3", "ftp":
    odd(kind, "peer.not-tls." + kind.replace("plain", ""), 4)
odd("rst", "net.reset-on-hello", 4)
odd("fin", "net.eof-on-hello", 4)
odd("silent", "net.timeout-handshake", 7)
judge("refused", "net.refused", 3, free_port())
odd("midrst", "net.reset-mid", 4, behind=True)
odd("corrupt", "tls.bad-mac", 4, behind=True)
odd("bighello", "net.reset-on-hello", 4, behind=True)
odd("bighello", "net.reset-on-hello", 4, behind=True, client=("--why",), says="without the post-quantum share it works")

# Pins: on top of the roots, and refused when they are another's.
pin = subprocess.run(f"openssl x509 -in {P}/good.pem -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -r",
                     shell=True, capture_output=True, text=True, check=True).stdout.split()[0]
case("pin", "ok", 0, "good", client=("--pin", pin))
case("pin_other", "trust.pin-mismatch", 5, "good", client=("--pin", "00" * 32))

# A TLS 1.3 server judges our certificate after its handshake: the refusal must be reported every time.
for name, code, options in (("needclient", "client-cert.required", ()),
                            ("badclient", "client-cert.unknown-ca", ("--cert", f"{P}/badclient.pem", "--key", f"{P}/badclient.key"))):
    port, right, seen = s_server("good", *ASK), 0, {}
    for _ in range(RUNS):
        run = subprocess.run([TROTH, "connect", "--json", "--ca", f"{P}/top.pem", *options, f"localhost:{port}"],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        answer = (json.loads(run.stdout)["code"], run.returncode)
        seen[answer] = seen.get(answer, 0) + 1
    stop_servers()
    right = seen.get((code, 6), 0)
    print(f"{'ok  ' if right == RUNS else 'FAIL'} {name}: {code} in {right} runs of {RUNS} {seen if right != RUNS else ''}")
    passed, failed = (passed + 1, failed) if right == RUNS else (passed, failed + [name])
print(f"{passed} passed, {len(failed)} failed" + (": " + " ".join(failed) if failed else ""))
sys.exit(1 if failed else 0)
