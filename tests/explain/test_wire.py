"""What a capture tells is what tshark tells of the same bytes: messages, lengths, extensions in their order, certificates, alerts; for many
kinds of handshakes, also those that troth itself would never speak.  And no capture that was cut short passes for a handshake.
ctest: slow timeout=900"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

from relay import Relay, pcap

tool = os.environ.get('EXPLAIN_CAPTURE') or os.path.join(os.environ['BUILD_DIR'], 'bin/explain_capture')
if not all(map(shutil.which, ("openssl", "tshark", "gnutls-cli"))) or not os.path.exists(tool):
    sys.exit(77)
home = tempfile.TemporaryDirectory(prefix="wire")
D = home.name
for name in [v for v in os.environ if v.lower().endswith("_proxy")]:
    del os.environ[name]


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=D)


def authority_and_leaf():
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "30",
            "-subj", "/CN=Witness CA", "-addext", "keyUsage=critical,keyCertSign")
    for leaf, kind in ("ec", ("EC", "-pkeyopt", "ec_paramgen_curve:P-256")), ("rsa", ("RSA", "-pkeyopt", "rsa_keygen_bits:2048")):
        with open(f"{D}/{leaf}.ext", "w", encoding="ascii") as f:
            f.write("subjectAltName=DNS:localhost\nkeyUsage=critical,digitalSignature,keyEncipherment\n")
        openssl("genpkey", "-algorithm", *kind, "-out", leaf + ".key")
        openssl("req", "-new", "-key", leaf + ".key", "-subj", "/CN=localhost", "-out", leaf + ".csr")
        openssl("x509", "-req", "-in", leaf + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", leaf + ".ext", "-days", "20",
                "-out", leaf + ".pem")


def listening(server, port):
    want = f"0100007F:{port:04X}"
    for _ in range(1200):
        with open("/proc/net/tcp", encoding="ascii") as f:      # so that the server sees nobody but its clients
            if any(line.split()[1] == want and line.split()[3] == "0A" for line in f):
                return
        assert server.poll() is None, "the server ended"
        time.sleep(.05)
    raise AssertionError("nobody listens")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ask(command, keys):
    """One connection; where the session is to be kept, not before it came."""
    session = f"{D}/{command[command.index('-sess_out') + 1]}" if "-sess_out" in command else None
    if session and os.path.exists(session):
        os.unlink(session)
    p = subprocess.Popen(command, cwd=D, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         env={**os.environ, "SSLKEYLOGFILE": keys})
    p.stdin.write(b"GET / HTTP/1.0\r\n\r\n")
    p.stdin.flush()
    for _ in range(1200):
        if not session or p.poll() is not None or (os.path.exists(session) and os.path.getsize(session)):
            break
        time.sleep(.05)
    p.stdin.close()
    p.wait(60)


def captured(server, *clients):
    """The packets of connections, one after the other, and the key log of their clients."""
    port, keys = free_port(), f"{D}/keys"
    if os.path.exists(keys):
        os.unlink(keys)
    cert = [] if "-nocert" in server else ["-cert", server[0] + ".pem", "-key", server[0] + ".key", "-cert_chain", "ca.pem"]
    p = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", *cert, *server[1:]], cwd=D, stdin=subprocess.PIPE,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        listening(p, port)
        relay = Relay(port)
        for c in clients:
            command = ["openssl", "s_client", "-connect", f"localhost:{relay.port}", "-servername", "localhost", "-keylogfile", keys]
            if c[0] == "gnutls-cli":
                command = ["gnutls-cli", "-p", str(relay.port), "localhost", "--x509cafile", "ca.pem"]
            # what asks for a page ends when it came; without pages the end of the input is the end
            ask(command + (["-ign_eof"] if "-www" in server and c[0] != "gnutls-cli" else []) + list(c[c[0] == "gnutls-cli":]), keys)
        packets = relay.packets()
    finally:
        p.kill()
        p.wait()
    log = open(keys, "rb").read() if os.path.exists(keys) else b""
    return packets, log


def explain(packets, log=b"", n=0):
    with open(f"{D}/x.pcap", "wb") as f:
        f.write(pcap(packets))
    with open(f"{D}/x.keys", "wb") as f:
        f.write(log)
    r = subprocess.run([tool, f"{D}/x.pcap", f"{D}/x.keys", str(n), "json"], capture_output=True, check=True)
    return json.loads(r.stdout)


def witness(packets, log):
    """What tshark says: for each stream and side its handshake messages, and the alerts."""
    with open(f"{D}/x.pcap", "wb") as f:
        f.write(pcap(packets))
    with open(f"{D}/x.keys", "wb") as f:
        f.write(log)
    r = subprocess.run(["tshark", "-r", f"{D}/x.pcap", "-o", f"tls.keylog_file:{D}/x.keys", "-d", "tcp.port==443,tls", "-T", "pdml"], capture_output=True,
                       check=True)
    streams = {}
    for packet in xml.etree.ElementTree.fromstring(r.stdout).iter("packet"):
        number = packet.find(".//field[@name='tcp.stream']").get("show")
        side = "server" if packet.find(".//field[@name='tcp.srcport']").get("show") == "443" else "client"
        s = streams.setdefault(int(number), {"client": [], "server": [], "alerts": []})
        for proto in packet.iter("proto"):
            for f in proto.iter("field") if proto.get("name") == "tls" else ():
                if f.get("name") == "tls.handshake" and f.find("field[@name='tls.handshake.type']") is not None:
                    s[side].append(f)
                if f.get("name") == "tls.alert_message" and f.find("field[@name='tls.alert_message.desc']") is not None:
                    s["alerts"].append((side, int(f.find("field[@name='tls.alert_message.desc']").get("show"))))
    return [streams[k] for k in sorted(streams)]


TYPES = {"HelloRequest": 0, "ClientHello": 1, "ServerHello": 2, "HelloRetryRequest": 2, "NewSessionTicket": 4, "EndOfEarlyData": 5, "EncryptedExtensions": 8,
         "Certificate": 11, "ServerKeyExchange": 12, "CertificateRequest": 13, "ServerHelloDone": 14, "CertificateVerify": 15, "ClientKeyExchange": 16,
         "Finished": 20, "CertificateStatus": 22, "KeyUpdate": 24, "CompressedCertificate": 25}
# in halves that TLS 1.3 made one of; values that tshark makes of several; the list itself, which is its entries
NOT_ALONE = re.compile(r"sig_hash_(hash|sig)$|random_|\.length$|\.type$|^(x509|pkix|pkcs|ber|ocsp)")


def same(m, f):
    """One message, as both tell it."""
    def all_of(name):
        return [x for x in f.iter("field") if x.get("name") == name]

    raw, name = m["raw"], m["type"]
    assert int(all_of("tls.handshake.length")[0].get("value"), 16) + 4 == m["bytes"], name
    for ours, theirs in (([x["number"] for x in m["fields"] if x["name"] == "extension_type"], "tls.handshake.extension.type"),
                         ([int(raw[2 * x["at"] + 4:2 * x["at"] + 8], 16) for x in m["fields"] if x["name"] == "extension"], "tls.handshake.extension.len")):
        assert ours == [int(x.get("show")) for x in all_of(theirs)], (name, theirs, ours)
    pieces = {raw[2 * (x["at"] + skip):2 * (x["at"] + n)] for x in m["fields"] for skip in (0, x.get("prefix", 0)) for n in (x["length"], x.get("prefix", 0))}
    checked = 0
    for x in f.iter("field") if name != "Certificate" else ():
        value = x.get("value")
        if value and x.find("field") is None and x.get("hide") != "yes" and not NOT_ALONE.search(x.get("name")):
            assert value.lower() in pieces, (name, x.get("name"), value[:80])
            checked += 1
    if name == "Certificate":
        theirs = [x.get("value") or "".join(y.get("value") or "" for y in x) for x in all_of("tls.handshake.certificate")]
        assert [raw[2 * (x["at"] + x["prefix"]):2 * (x["at"] + x["length"])] for x in m["fields"] if x["name"] in ("cert_data", "ASN.1Cert")] == theirs
        checked += len(theirs)
    return checked


def compare(title, packets, log, opened=True, ok=True, want=()):
    values = 0
    for n, theirs in enumerate(witness(packets, log)):
        story = explain(packets, log, n)
        assert story["ok"] == ok, (title, n, story.get("error"))
        for side in ("client", "server"):
            ours = [m for m in story["messages"] if m["from"] == side and m["type"] in TYPES]
            types = [int(f.find("field[@name='tls.handshake.type']").get("show")) for f in theirs[side]]
            assert [TYPES[m["type"]] for m in ours] == types[:len(ours)], (title, n, side, [m["type"] for m in ours], types)
            assert len(ours) == len(types) or not opened, (title, n, side, [m["type"] for m in ours], types)
            values += sum(same(m, f) for m, f in zip(ours, theirs[side]))
        alerts = sorted((m["from"], int(m["raw"][2:4], 16)) for m in story["messages"] if m["type"] == "Alert")
        assert not opened or alerts == sorted(theirs["alerts"]), (title, n, alerts, theirs["alerts"])
    text = json.dumps(story)
    for words in want:
        assert words in text, (title, words, story["steps"], story["timeline"])
    print(f"{title}: {values} values")
    return story


PSK = ("-psk", "0b" * 16)
SUITE = ("-tls1_2", "-cipher")
NO_OPEN = "encrypted: troth does not open records of "
SHARED = "Each side combined its own secret half"

authority_and_leaf()
open(f"{D}/early", "w", encoding="ascii").write("an early bird")
early = ("-sess_in", "session", "-early_data", "early")
scenes = [
    ("full", ("ec", "-www", "-alpn", "http/1.1", "-Verify", "1", "-CAfile", "ca.pem"), [("-cert", "rsa.pem", "-key", "rsa.key", "-alpn", "h2,http/1.1")],
     {"want": ["Both said goodbye properly", "got one"]}),
    ("hello retry", ("ec", "-www", "-groups", "secp384r1"), [("-groups", "x25519:secp384r1")], {"want": ["The server first asked"]}),
    ("psk", ("ec", "-nocert", *PSK), [PSK], {}),
    ("tickets of TLS 1.2", ("ec", "-www", "-tls1_2"), [("-sess_out", "s2"), ("-sess_in", "s2")], {"want": ["recognised the client"]}),
    ("encrypted with RSA", ("rsa", "-www"), [(*SUITE, "AES128-GCM-SHA256")], {"want": ["sent it encrypted with the server's RSA key"]}),
    ("finite field", ("rsa", "-www"), [(*SUITE, "DHE-RSA-AES128-GCM-SHA256")], {"want": [SHARED]}),
    ("anonymous", ("ec", "-nocert", *SUITE, "ADH-AES128-GCM-SHA256:@SECLEVEL=0"), [(*SUITE, "ADH-AES128-GCM-SHA256:@SECLEVEL=0")],
     {"want": [SHARED, "nobody can tell who the other side is"]}),
    ("psk of TLS 1.2", ("ec", "-nocert", "-tls1_2", *PSK), [(*PSK, *SUITE, "PSK-AES128-GCM-SHA256")], {"want": ['"resumed": false', "that both were given"]}),
    ("psk with curves", ("ec", "-nocert", "-tls1_2", *PSK), [(*PSK, *SUITE, "ECDHE-PSK-CHACHA20-POLY1305")], {"want": [SHARED]}),
    ("another cipher", ("ec", "-www", "-cipher", "ARIA128"), [(*SUITE, "ECDHE-ECDSA-ARIA128-GCM-SHA256")], {"opened": False, "want": [NO_OPEN]}),
    ("blocks and MACs", ("ec", "-www"), [(*SUITE, "ECDHE-ECDSA-AES128-SHA256")], {"opened": False, "want": [NO_OPEN]}),
    ("counters", ("ec", "-www", "-ciphersuites", "TLS_AES_128_CCM_SHA256"), [("-ciphersuites", "TLS_AES_128_CCM_SHA256")], {"opened": False, "want": [NO_OPEN]}),
    ("TLS 1.1", ("ec", "-www", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-verify", "1", "-CAfile", "ca.pem"),
     [("-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-cert", "ec.pem", "-key", "ec.key")], {"opened": False, "want": ["TLS 1.1 with", NO_OPEN]}),
    ("no version in common", ("ec", "-www", "-tls1_2"), [("-tls1_3",)], {"ok": False, "want": ["peer.alert.protocol_version"]}),
    # the client has keys by then, and sends its alert without
    ("a stranger's certificate", ("ec", "-www"), [("-CAfile", "rsa.pem", "-verify_return_error")], {"ok": False, "want": ["the certificate it was shown"]}),
    ("an alert of TLS 1.2 that refuses nothing", ("ec", "-tls1_2"), [("gnutls-cli", "--insecure", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2")], {}),
]
for cipher in ("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"):
    c = ("-ciphersuites", cipher)
    scenes.append((f"early data, {cipher}", ("ec", "-early_data", *c), [(*c, "-sess_out", "session"), (*c, *early)], {"want": ["It also accepted data"]}))
# the ticket was used already: the early data comes, and nobody takes it
scenes.append(("early data that is refused", ("ec", "-early_data"), [("-sess_out", "session"), early, early], {"want": ["It did not take the early data"]}))

if len(sys.argv) > 1:
    scenes = [s for s in scenes if re.search(sys.argv[1], s[0])]
kept = {}
for title, server, clients, how in scenes:
    packets, log = captured(server, *clients)
    story = compare(title, packets, log, **how)
    kept[title] = packets, log
    if title == "a stranger's certificate":
        seen = [m["protection"] for m in story["messages"] if m["type"] == "Alert"]
        assert seen == ["in the clear"] and not re.search(r"\b(we|our|us)\b", story["error"]["text"] + story["error"]["hint"]), (seen, story["error"])

# ---- without a key log nothing is claimed that cannot be seen
if "early data that is refused" in kept:
    packets, log = kept["early data that is refused"]
    told = json.dumps(explain(packets, b"", 2))
    assert "cannot be seen" in told and "did not take" not in told and "accepted data" not in told
    told = json.dumps(explain(kept["tickets of TLS 1.2"][0], b"", 1))
    assert "recognised the client" in told, told[-3000:]

# ---- cut after each packet: until it is over nobody says that it went well
for title in ("full", "tickets of TLS 1.2"):
    packets, log = kept.get(title, ([], b""))
    for some in (log, b""):
        verdicts = []
        for n in range(4, len(packets) + 1):
            story = explain(packets[:n], some)
            assert story["code"] in ("ok", "config.capture-incomplete"), (title, n, story["error"])
            finished = {m["from"] for m in story["messages"] if m["type"] == "Finished"}
            assert story["ok"] is False or not some or len(finished) == 2, (title, n, finished)
            verdicts.append(story["ok"])
            assert story["ok"] or "The connection is ready" not in json.dumps(story)
        assert not packets or (not verdicts[0] and verdicts[-1] and verdicts == sorted(verdicts)), (title, verdicts)
print("the same as tshark")
