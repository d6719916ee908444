"""troth and NSS's tstclnt and selfserv.  TROTH_EXTRA_NSS=FOLDER: those two programs from there instead of the installed ones.
ctest: label=interop slow timeout=600"""
import base64
import os
import re
import subprocess

from features import HYBRIDS, SUITES
from matrix import D, ech_list, LEAVES, Lacks, Peer, REQUEST, listening, openssl, path, run, versions

FOLDER = os.environ.get("TROTH_EXTRA_NSS")
TSTCLNT, SELFSERV = (os.path.join(FOLDER, p) if FOLDER else p for p in ("tstclnt", "selfserv"))
CURVES = {"x25519": "x25519", "secp256r1": "P256", "secp384r1": "P384", "secp521r1": "P521", "X25519MLKEM768": "mlkem768x25519",
          "SecP256r1MLKEM768": "mlkem768secp256r1", "SecP384r1MLKEM1024": "mlkem1024secp384r1"}
TLS12 = {"ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "c02b", "ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "c02c",
         "ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "cca9", "ECDHE_RSA_WITH_AES_128_GCM_SHA256": "c02f",
         "ECDHE_RSA_WITH_AES_256_GCM_SHA384": "c030", "ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "cca8"}
TLS13 = {"TLS_" + name: f"130{i + 1}" for i, name in enumerate(SUITES)}


def nss(*command):
    r = subprocess.run(command, capture_output=True, cwd=D, text=True, check=False)
    assert r.returncode == 0, (command, r.stdout, r.stderr)


def ech_pair():
    """Troth's key and configuration as selfserv reads them: the length of a PKCS#8 that calls X25519 an elliptic curve, it, the list."""
    def tlv(tag, value):
        return bytes([tag, len(value)]) + value

    with open(path("ech", "pem"), encoding="ascii") as f:
        private = base64.b64decode(re.search("PRIVATE KEY-----(.*?)-----END", f.read(), re.S).group(1))[-32:]
    configs = base64.b64decode(ech_list())
    public = configs[11:43]         # after the list's length, version, length, config_id, kem_id, and its own
    kind = tlv(0x30, bytes.fromhex("06072a8648ce3d0201 06092b06010401da470f01"))
    key = tlv(0x30, tlv(2, b"\1") + tlv(4, private) + tlv(0xa1, tlv(3, b"\0" + public)))
    pkcs8 = tlv(0x30, tlv(2, b"\0") + kind + tlv(4, key))
    return base64.b64encode(len(pkcs8).to_bytes(2, "big") + pkcs8 + configs).decode()


class NSS(Peer):
    programs = (TSTCLNT, SELFSERV, "certutil", "pk12util")
    we_answer = "yes"
    lacks = {
        "certificate: Ed25519": "it has no EdDSA",
        "certificate: Ed448": "it has no EdDSA",
        "KeyUpdate by the peer": "its tools cannot be told to",
        "raw public key": "it has none",
        "record size limit": "its tools cannot set it",
        "group: MLKEM1024": "it has no ML-KEM alone",
        "certificate compression": "its tools register no compression",
        ("HelloRetryRequest with a cookie", "server"): "selfserv sends none",
        ("100 kB each way", "server"): "selfserv closes after one request",
        ("SCTs", "server"): "selfserv sends none",
        ("delegated credential", "server"): "selfserv has none",
        ("ALPN", "client"): "tstclnt offers none",
    }

    def __init__(self, name):
        super().__init__(name)
        self.db = "sql:" + path("nssdb", "d")
        os.mkdir(path("nssdb", "d"))
        nss("certutil", "-N", "-d", self.db, "--empty-password")
        nss("certutil", "-A", "-d", self.db, "-n", "ca", "-t", "CT,C,C", "-i", path("ca"))
        openssl("pkcs12", "-export", "-in", "ca.pem", "-inkey", "ca.key", "-name", "ca", "-out", "ca.p12", "-passout", "pass:x")
        for leaf in LEAVES:
            if leaf not in ("ed25519", "ed448"):
                openssl("pkcs12", "-export", "-in", leaf + ".pem", "-inkey", leaf + ".key", "-name", leaf, "-out", leaf + ".p12", "-passout", "pass:x")
                nss("pk12util", "-i", path(leaf, "p12"), "-d", self.db, "-W", "x", "-K", "")
        nss("pk12util", "-i", path("ca", "p12"), "-d", self.db, "-W", "x", "-K", "")
        nss("certutil", "-M", "-d", self.db, "-n", "ca", "-t", "CTu,Cu,Cu")
        for name, more in (("request", 0), ("bulk", 100000 - len(REQUEST))):
            with open(path(name, "txt"), "w", encoding="ascii", newline="") as f:
                f.write(REQUEST + "x" * more)
        for ca in ("ca", "stranger-ca"):         # where it has a certificate of its own it shows it, asked for with -n or not
            os.mkdir(path(ca, "d"))
            nss("certutil", "-N", "-d", "sql:" + path(ca, "d"), "--empty-password")
            nss("certutil", "-A", "-d", "sql:" + path(ca, "d"), "-n", ca, "-t", "C,C,C", "-i", path(ca))

    def common(self, o, role):
        least, most = versions(o, "peer")
        a = ["-V", f"tls{least}:tls{most}"]
        if o.get("suite"):
            a += ["-c", ":" + (TLS13 | {"TLS_" + k: v for k, v in TLS12.items()})[o["suite"]].upper()]
        if o.get("group") in ("SecP256r1MLKEM768", "SecP384r1MLKEM1024"):
            raise Lacks("its tools have no name for it")
        groups = [o.get("group")] if o.get("group") else [o["retry"]] if o.get("retry") and role == "server" else \
            ["x25519", o["retry"]] if o.get("retry") else []
        if set(groups) & set(HYBRIDS) and not FOLDER:
            raise Lacks("NSS has ML-KEM since 3.103, this is 3.87")
        if groups:
            a += ["-I", ",".join(CURVES[g] for g in groups)]
        if o.get("cert") == "pss":
            a += ["-J", "rsa_pss_pss_sha256,ecdsa_secp256r1_sha256"]    # not in its default list
        if o.get("psk"):
            a += ["-z", f"0x{o['psk'][1]}:{o['psk'][0]}"]
        if o.get("export"):
            a += ["-x", o["export"] + ":32"]
        return a

    def server(self, o, port):
        a = [SELFSERV, "-d", self.db, "-p", str(port), "-v", "-G", *self.common(o, "server")]
        name = "rsa" if o.get("staple") else o.get("cert", "ecdsa")     # it signs a response only for that
        a += ["-n" if name in ("rsa", "pss") else "-e", name]
        if o.get("auth"):
            a += ["-r"] * (2 if o["auth"] == "require" else 1)
        if o.get("late_auth"):
            a += ["-E", "-r", "-r", "-r", "-r"]
        if o.get("alpn"):
            a += ["-Q"]
        if o.get("sessions") == "tickets":
            a += ["-u"]
        if o.get("psk"):
            a += ["-m"]         # it keeps the key with a socket that it copies only then
        if o.get("early"):
            a += ["-Z"]
        if o.get("staple"):
            a += ["-T", "good", "-A", "ca"]
        if o.get("ech"):
            a += ["-X", ech_pair()]
            o["troth_client"] = ["--ech-config", path("ech", "pem")]
        return a

    def ready(self, o, server, port):
        up = listening(port, server)
        if o.get("early"):
            server.said("(?!)", 10.5)       # its guard against replays takes nothing that could be older than itself
        return up

    def client(self, o, port):
        db = self.db if o.get("client_cert") else "sql:" + path(o.get("ca", "ca"), "d")
        a = [TSTCLNT, "-d", db, "-h", "127.0.0.1", "-p", str(port), "-a", o.get("host", "localhost"), "-v", "-G", "-A", path("bulk" if o.get("bulk") else "request", "txt"),
             *self.common(o, "client")]
        if o.get("client_cert"):
            a += ["-n", o["client_cert"]]
        if o.get("late_auth"):
            a += ["-E"]
        if o.get("connections") == 2:
            a += ["-L", "2"] + ["-u"] * (o["sessions"] == "tickets")
        if o.get("early"):
            a += ["-Z"]
            o["want_client"] = ()       # it is granted early data and then does not write so early
        if o.get("staple"):
            a += ["-T"]
        if o.get("scts"):
            a += ["-U"]
        if o.get("delegated"):
            a += ["-B"]
        if o.get("ech"):
            a += ["-N", ech_list()]
        return a

    def talk(self, o, client):
        """It sends its request from a file, and ends by itself once the server has."""
        if o.get("late_auth"):
            client.said("authenticated")


run("extra-nss" if FOLDER else "nss", {"NSS": NSS})
