#!/usr/bin/env python3
# The shim by itself, without BoringSSL's runner: its contract (exit codes, stderr), and two shims that speak with each other through a
# relay on loopback.  Every -expect- flag must be able to fail.
import os, shutil, socket, subprocess, sys, tempfile, threading

SHIM = os.path.join(os.environ["BUILD_DIR"], "bin", "bogo_shim")
FAILURES = []
TMP = tempfile.mkdtemp()


def check(ok, what, detail=""):
    if not ok:
        FAILURES.append(what)
        print("FAILED:", what, detail)


def run(args):
    p = subprocess.run([SHIM] + args, capture_output=True, timeout=60)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


# ---- the contract
def contract():
    code, out, _ = run(["-is-handshaker-supported"])
    check(code == 0 and out == "No\n", "-is-handshaker-supported", out)
    code, out, _ = run(["-expect-hrr", "-is-handshaker-supported"])
    check(code == 0 and out == "No\n", "-is-handshaker-supported behind another flag", out)
    for args in (["-dtls"], ["-no-such-flag"], ["-on-resume-no-such-flag"], ["-on-shim-cert-file", "x"], ["stray"], ["-curves"],
                 ["-cipher", "RC4"], ["-max-version", "770"], ["-ocsp-response", "*"]):
        code, _, err = run(args)
        check(code == 89, "89 for " + " ".join(args), err)
        check(err.endswith("--- DONE ---\n"), "the last line of " + " ".join(args), err)
    code, _, err = run(["-port", "1", "-trust-cert", ""])
    check(code == 1 and "cannot connect" in err, "a port where nobody listens", err)


# ---- two shims and a relay between them
class Relay:
    def __init__(self, connections):
        self.ipv6 = socket.has_ipv6
        self.listener = socket.socket(socket.AF_INET6 if self.ipv6 else socket.AF_INET)
        try:
            self.listener.bind(("::1" if self.ipv6 else "127.0.0.1", 0))
        except OSError:
            self.ipv6 = False
            self.listener = socket.socket()
            self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(8)
        self.listener.settimeout(60)
        self.port = self.listener.getsockname()[1]
        self.bytes = 0
        self.ids = []
        threading.Thread(target=self.serve, args=(connections,), daemon=True).start()

    def accept(self):
        s, _ = self.listener.accept()
        s.settimeout(60)
        number = b""
        while len(number) < 8:
            number += s.recv(8 - len(number))
        self.ids.append(int.from_bytes(number, "little"))
        return s

    def serve(self, connections):
        try:
            for _ in range(connections):
                a, b = self.accept(), self.accept()
                threads = [threading.Thread(target=self.pump, args=pair, daemon=True) for pair in ((a, b), (b, a))]
                for t in threads:
                    t.start()
                for t in threads:
                    t.join()
        except OSError:
            pass

    def pump(self, a, b):
        try:
            while data := a.recv(65536):
                self.bytes += len(data)
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def pair(client, server, connections=1):
    relay = Relay(connections)
    common = ["-port", str(relay.port)] + (["-ipv6"] if relay.ipv6 else [])
    procs = []
    for n, args in ((7, ["-server"] + server), (0x0102030405, client)):
        procs.append(subprocess.Popen([SHIM] + common + ["-shim-id", str(n)] + args, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    said = [p.communicate(timeout=100) for p in procs]
    return [(p.returncode, s[1].decode()) for p, s in zip(procs, said)], relay


DONE = "--- DONE ---\n"


def passes(what, client, server, connections=1):
    (s, c), relay = pair(client, server, connections)
    check(s == (0, DONE) and c == (0, DONE), what, (s, c))
    check(7 in relay.ids, what + ": shim id", relay.ids)


# The side that has the flag says what is wrong, and ends with 1.
def fails(what, client, server, word, on_server=False):
    (s, c), _ = pair(client, server)
    code, err = s if on_server else c
    check(code == 1 and word in err and err.endswith(DONE), what, (s, c))


def make_certificate(name, key):
    cert, key_file = os.path.join(TMP, name + ".pem"), os.path.join(TMP, name + ".key")
    subprocess.run(["openssl", "req", "-x509", "-newkey"] + key + ["-nodes", "-keyout", key_file, "-out", cert, "-days", "3", "-subj",
                   "/CN=" + name, "-addext", "subjectAltName=DNS:test"], check=True, capture_output=True)
    return ["-cert-file", cert, "-key-file", key_file]


def echo(us):
    client = ["-trust-cert", us[1], "-shim-writes-first", "-shim-shuts-down", "-implicit-handshake"]
    for version, number in (("771", 0x0303), ("772", 0x0304)):
        only = ["-min-version", version, "-max-version", version]
        passes("echo " + version, client + only + ["-expect-version", str(number)], us + ["-expect-version", str(number)])
        passes("echo, byte by byte " + version, client + only + us + ["-async", "-expect-curve-id", "29", "-curves", "29", "-curves", "23"],
               us + ["-async", "-trust-cert", us[1], "-require-any-client-certificate", "-verify-peer"])


def expectations(us):
    client = ["-trust-cert", us[1], "-shim-writes-first", "-shim-shuts-down"]
    for args, word in ((["-expect-version", "771"], "version"), (["-expect-curve-id", "24"], "group"), (["-expect-hrr"], "HelloRetry"),
                       (["-expect-cipher", "4867"], "cipher suite"), (["-expect-cipher-aes", "1", "-expect-cipher-no-aes", "1"], "cipher"),
                       (["-expect-peer-signature-algorithm", "2052"], "scheme"), (["-expect-alpn", "x"], "ALPN"),
                       (["-expect-ocsp-response", "AQID"], "OCSP"), (["-expect-signed-cert-timestamps", "AAQAAgEC"], "SCT"),
                       (["-expect-peer-cert-file", us[3]], "chain"), (["-expect-peer-certificate-type", "2"], "key"),
                       (["-expect-peer-rpk-sha256", "AAAA"], "key"), (["-expect-selected-credential", "0"], "credential"),
                       (["-expect-client-ca-list", "3000"], "authorities"), (["-expect-certificate-types", "AQ=="], "types"),
                       (["-expect-peer-verify-pref", "1"], "preferences"), (["-expect-ech-accept"], "ECH"),
                       (["-expect-early-data-reason", "accept"], "early data reason"), (["-expect-msg-callback", "x"], "trace"),
                       (["-expect-accept-early-data"], "early data"), (["-on-initial-expect-version", "771"], "version"),
                       (["-verify-fail", "-use-custom-verify-callback"], "app.refused"), (["-verify-fail", "-verify-peer"], "app.aborted"),
                       (["-reject-unusable-ech-config"], "tls.ech-unusable"), (["-max-cert-list", "100"], "tls.message-too-long"),
                       (["-expect-ech-retry-configs", "AAAA"], "ECH"), (["-expect-no-ech-retry-configs"], "ECH")):
        fails("client " + " ".join(args), client + args, us, word)
    for args, word in ((["-expect-server-name", "other.example"], "server name"), (["-expect-session-id"], "session cache"),
                       (["-expect-advertised-alpn", "\x01x", "-use-early-callback"], "ALPN"), (["-fail-early-callback"], "early callback"),
                       (["-install-ddos-callback", "-fail-ddos-callback"], "ddos"), (["-fail-cert-callback"], "cert callback"),
                       (["-use-ocsp-callback", "-fail-ocsp-callback"], "ocsp"), (["-expect-no-server-name"], "server name"),
                       (["-require-any-client-certificate"], "client-without-certificate")):
        fails("server " + " ".join(args), client + ["-host-name", "test"], us + args, word, True)
    fails("a chain to another root", ["-trust-cert", other[1], "-verify-peer", "-shim-shuts-down"], us, "[")
    fails("no resumption", client + ["-min-version", "772", "-resume-count", "1"], us + ["-no-ticket"], "no session")


if __name__ == "__main__":
    try:
        if not shutil.which("openssl") or not os.path.exists(SHIM):
            print("skipped: there is no openssl, or no shim")
            sys.exit(77)
        ours = make_certificate("ours", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
        other = make_certificate("other", ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"])
        contract()
        echo(ours)
        expectations(ours)
    finally:
        shutil.rmtree(TMP)
    print(len(FAILURES), "failures")
    sys.exit(1 if FAILURES else 0)
