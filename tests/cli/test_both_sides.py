"""One failure, told by both of its ends: by the same name (hs), each with what it knows and what is for it to do.  Client certificates above all.
ctest: timeout=120"""
import json
import os
import re
import socket
import threading

from serving import D, Server, authority, check, finish, home_page, run

try:
    import jsonschema
except ImportError:
    jsonschema = None

authority()
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"
OWN, STRANGE = ("--cert", CERT, "--key", KEY), f"{D}/strange"
run("ca", "issue", "--client", "alice", "--out", D)
run("ca", "init", "--name", "Others", "--out", STRANGE)
run("ca", "issue", "--client", "mallory", "--out", STRANGE)
ALICE = ("--cert", f"{D}/alice-client.pem", "--key", f"{D}/alice-client-key.pem")
MALLORY = ("--cert", f"{STRANGE}/mallory-client.pem", "--key", f"{STRANGE}/mallory-client-key.pem")
web = home_page()


def valid(what, answer):
    if jsonschema:
        schema = json.load(open(f"{os.environ['SRC_DIR']}/docs/schema/{answer['schema'].split('.')[1].replace('/', '-')}.json", encoding="utf-8"))
        wrong = [e.message for e in jsonschema.Draft202012Validator(schema).iter_errors(answer)]
        check(f"{what}: JSON keeps to its schema", not wrong, wrong)


def both(what, server, code, status, log_code, *client, text=(), log=()):
    """The client's text and JSON, and what the server's log says under the same name."""
    target = f"localhost:{server.port}"
    said = " ".join(run("connect", "--ca", CA, *client, target, status=status).stderr.split())
    names = re.findall(r"\bhs=([0-9a-f]{16})\b", said)
    check(f"{what}: the client's code, and one name", f"[{code}]" in said and len(names) == 1, said)
    check(f"{what}: the client's evidence", all(t in said for t in text), said)
    line = ""
    if names and server.said(f"hs={names[0]}"):
        line = next(row for row in server.log().splitlines() if f"hs={names[0]}" in row)
    check(f"{what}: the server's line of that name", f"code={log_code} " in line and all(t in line for t in log), (line, server.log()[-600:]))
    for verb, url in (("connect", target), ("get", f"https://{target}/")):
        r = run(verb, "--json", "--ca", CA, *client, url, status=None)
        answer = json.loads(r.stdout or r.stderr)
        check(f"{what}: {verb} --json has the name as well", server.said(f"hs={answer.get('hs')} "), answer)
        valid(f"{what}: {verb}", answer)


asks = Server(web, *OWN, "--client-ca", CA)
ISSUE, REFUSED = "an authority in --client-ca", "its verdict, not ours"
both("none shown", asks, "client-cert.required", 6, "tls.client-without-certificate", text=[REFUSED, 'certificates of "CN='])
both("a stranger's", asks, "client-cert.unknown-ca", 6, "cert.missing-intermediate", *MALLORY, text=['ours is "CN=mallory" (issued by "CN=Others")', REFUSED],
     log=["level=warn", "CN=mallory", ISSUE])
both("the server's own", asks, "client-cert.refused", 6, "cert.wrong-eku", *OWN, text=['ours is "CN=localhost"'], log=["serverAuth"])
story = run("explain", "--ca", CA, *MALLORY, "--depth", "summary", f"localhost:{asks.port}", status=6).stdout
told = " ".join(story.split())
check("the story: it was not the server's certificate that was refused",
      "The server showed who it is" in told and "the client for a certificate, and got one. It broke on that: the server refused our certificate" in told, told)
recordings = f"{D}/recordings"
asks.end()
keeps = Server(web, *OWN, "--client-ca", CA, "--record", recordings, "--danger-record-secrets")
run("connect", "--ca", CA, *MALLORY, f"localhost:{keeps.port}", status=6)
check("it is recorded", keeps.said("event=recording"), keeps.log())
told = " ".join(run("explain", f"{recordings}/{os.listdir(recordings)[0]}", "--depth", "summary", status=5).stdout.split())
check("the server's story: it was the client's that was refused", "The server showed who it is" in told and "It broke on that: an intermediate" in told, told)
keeps.end()

# ---- one that the server could not verify is not shown
picky = Server(web, *OWN, "--client-ca", CA, "--sigs", "ed25519,rsa_pss_rsae_sha256")
both("none that fits", picky, "client-cert.withheld", 6, "tls.client-without-certificate", *ALICE, text=['"CN=alice" (issued by', "was not shown", "another kind of key"])
both("none at all", picky, "client-cert.required", 6, "tls.client-without-certificate")
picky.end()

# ---- of the past
past = f"{D}/past"
run("ca", "init", "--out", past, "--not-before", "2020-01-01")
run("ca", "issue", "--client", "past", "--out", past, "--not-before", "2020-02-01", "--days", "30")
old = Server(web, *OWN, "--client-ca", f"{past}/ca.pem")
both("an old one", old, "client-cert.expired", 6, "cert.expired", "--cert", f"{past}/past-client.pem", "--key", f"{past}/past-client-key.pem",
     text=['ours is "CN=past"'], log=["the client must renew its certificate"])
old.end()
strict = Server(web, *OWN, "--strict-sni")
both("a name that nobody has", strict, "tls.sni", 4, "tls.sni", "--sni", "elsewhere.example")
strict.end()

# ---- an alert that means nothing but itself: its code has an underscore, and keeps to the schemas as well
with socket.create_server(("127.0.0.1", 0)) as listener:
    def answer_both():
        for _ in range(2):
            c = listener.accept()[0]
            c.recv(4096)
            c.sendall(bytes.fromhex("15030300020250"))
            while c.recv(4096):
                pass
            c.close()
    threading.Thread(target=answer_both, daemon=True).start()
    for verb, url in (("connect", "localhost:%d"), ("get", "https://localhost:%d/")):
        r = run(verb, "--json", "--ca", CA, url % listener.getsockname()[1], status=4)
        answer = json.loads(r.stdout or r.stderr)
        check(f"{verb}: an alert alone", answer["code"] == "peer.alert.internal_error", answer)
        valid(f"{verb}: an alert alone", answer)
finish()
