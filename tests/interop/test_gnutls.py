"""troth and GnuTLS's gnutls-cli and gnutls-serv.
ctest: label=interop slow timeout=600"""
import subprocess

from features import HYBRIDS
from matrix import Lacks, Peer, openssl, path, run, versions

CIPHERS = {"AES_128_GCM": "AES-128-GCM", "AES_256_GCM": "AES-256-GCM", "CHACHA20_POLY1305": "CHACHA20-POLY1305"}
NO_HYBRIDS = "this build has no ML-KEM"


def cipher(suite):
    return next(g for name, g in CIPHERS.items() if name in suite)


class GnuTLS(Peer):
    programs = ("gnutls-cli", "gnutls-serv")
    can = ("no_compat", "no_ems", ("renegotiate", "client"))
    lacks = {
        "SCTs": "its tools neither send nor ask for them",
        "delegated credential": "it has none",
        "Encrypted Client Hello": "it has none",
        # an alert bad_record_mac, to OpenSSL too; in epoch 1 says gnutls-cli -d 5
        ("0-RTT data, a HelloRetryRequest refuses it", "server"): "it does not step over the early data that it refused",
        ("0-RTT data, a HelloRetryRequest refuses it", "client"): "it encrypts its second hello, with the early keys",
        "certificate compression": "this build has no compression library in it",
    }

    def __init__(self, name):
        super().__init__(name)
        self.groups = subprocess.run(["gnutls-cli", "--list"], capture_output=True, text=True, check=True).stdout

    def priority(self, o, role):
        least, most = versions(o, "peer")
        p = "NORMAL:-VERS-ALL" + (":+VERS-TLS1.3" if most == "1.3" else "") + (":+VERS-TLS1.2" if least == "1.2" else "")
        if o.get("suite"):
            p += ":-CIPHER-ALL:+" + cipher(o["suite"])
        if o.get("group") in HYBRIDS and "MLKEM" not in self.groups.upper():
            raise Lacks(NO_HYBRIDS)
        if o.get("group"):
            p += ":-GROUP-ALL:+GROUP-" + o["group"].upper().replace("MLKEM", "-MLKEM")
        if o.get("retry"):
            p += ":-GROUP-ALL" + ("" if role == "server" else ":+GROUP-X25519") + ":+GROUP-" + o["retry"].upper()
        if o.get("raw"):
            p += ":+CTYPE-SRV-RAWPK" + (":-CTYPE-SRV-X509" if role == "client" else "")
        p += ":%DISABLE_TLS13_COMPAT_MODE" if o.get("no_compat") else ":%NO_SESSION_HASH" if o.get("no_ems") else ""
        if o.get("psk"):
            p += ":-KX-ALL:+ECDHE-PSK"
        return ["--priority", p]

    def identity(self, name):
        return ["--x509certfile", path(name), "--x509keyfile", path(name, "key")]

    def common(self, o):
        a = []
        if o.get("export"):
            a += ["--keymatexport", o["export"], "--keymatexportsize", "32"]
        if o.get("limit"):
            a += ["--recordsize", str(o["limit"])]
        if o.get("compress"):
            a += ["--compress-cert", "zlib"]
        return a

    def server(self, o, port):
        if o.get("cookie"):
            raise Lacks("it sends none over TCP")
        if o.get("update") == "peer":
            raise Lacks("gnutls-serv cannot be told to")
        a = ["gnutls-serv", "--port", str(port), "--echo", *self.priority(o, "server"), *self.common(o)]
        if o.get("raw"):
            name = o.get("cert", "ecdsa")
            with open(path("raw", "pub"), "wb") as f:
                f.write(openssl("pkey", "-in", name + ".key", "-pubout"))
            a += ["--rawpkkeyfile", path(name, "key"), "--rawpkfile", path("raw", "pub")]
        elif not o.get("psk"):
            a += self.identity(o.get("cert", "ecdsa"))
        if o.get("auth") or o.get("late_auth"):
            a += ["--x509cafile", path("ca"), "--verify-client-cert"] + ["--require-client-cert"] * (o.get("auth") == "require")
        else:
            a += ["--disable-client-cert"]
        if o.get("late_auth"):
            a += ["--disable-client-cert"]
        if o.get("psk"):
            with open(path("psk", "passwd"), "w", encoding="ascii") as f:
                f.write(":".join(o["psk"]) + "\n")
            a += ["--pskpasswd", path("psk", "passwd")]
        if o.get("alpn"):
            a += ["--alpn", o["alpn"][1], "--alpn-fatal"]
        if o.get("early"):
            a += ["--earlydata"]
        if o.get("sessions") == "ids":
            a += ["--noticket"]
        if o.get("staple"):
            a += ["--ocsp-response", path("ecdsa", "ocsp")]
        return a

    def client(self, o, port):
        a = ["gnutls-cli", "--port", str(port), *self.priority(o, "client"), *self.common(o)]
        if o.get("raw"):
            a += ["--insecure"]
        elif o.get("psk"):
            a += ["--pskusername", o["psk"][0], "--pskkey", o["psk"][1]]
        else:
            a += ["--x509cafile", path(o.get("ca", "ca")), "--verify-hostname", o.get("host", "localhost")]
        if o.get("client_cert"):
            a += self.identity(o["client_cert"])
        if o.get("late_auth"):
            a += ["--post-handshake-auth"]
        if o.get("alpn"):
            a += [w for name in o["alpn"][0].split(",") for w in ("--alpn", name)]
        if o.get("retry"):
            a += ["--single-key-share"]
        if o.get("update") == "peer" or o.get("renegotiate"):
            a += ["--inline-commands"]
        if o.get("connections") == 2:
            a += ["--resume"] + ["--waitresumption"] * (o["version"] == "1.3") + ["--noticket"] * (o["sessions"] == "ids")
            o["want_theirs"] = ("This is a resumed session",)
        if o.get("early"):
            with open(path("early", "txt"), "w", encoding="ascii") as f:
                f.write(o["early"])
            a += ["--earlydata", path("early", "txt")]
        if o.get("staple"):
            a += ["--ocsp"]
            o["want_theirs"] = ("OCSP|ocsp",)
        return a + ["localhost"]

    def talk(self, o, client):
        super().talk(o, client)
        if o.get("renegotiate"):
            client.say("^renegotiate^\n")
            client.said("(?i)no.renegotiation|rehandshake")
        if o.get("update") == "peer":
            client.say("^rekey^\n")
            client.said("Rekey was completed")
            client.say("again\n")
            client.said("again")


run("gnutls", {"GnuTLS": GnuTLS})
