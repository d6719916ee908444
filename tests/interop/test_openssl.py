"""troth and OpenSSL's s_client and s_server.  TROTH_EXTRA_OPENSSL=PATH: another openssl program instead of the installed one.
ctest: label=interop slow timeout=600"""
import os
import subprocess

from features import HYBRIDS
from matrix import Lacks, Peer, path, run, spki_pin, versions

PROGRAM = os.environ.get("TROTH_EXTRA_OPENSSL", "openssl")


def cipher(suite):
    """ECDHE-ECDSA-AES128-GCM-SHA256 for TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256."""
    return suite.replace("TLS_", "").replace("_WITH", "").replace("AES_", "AES").replace("POLY1305_SHA256", "POLY1305").replace("_", "-")


class OpenSSL(Peer):
    programs = (PROGRAM,)
    can = ("padding", "no_compat", "renegotiate", "fragments")
    lacks = {
        "SCTs": "s_server sends none, s_client cannot ask without a list of logs",
        "delegated credential": "it has none",
        "record size limit": "it has max_fragment_length only",
    }

    def __init__(self, name):
        super().__init__(name)
        said = subprocess.run([PROGRAM, "version"], capture_output=True, text=True, check=True).stdout.split()[1]
        self.version = tuple(int(x) for x in said.split(".")[:2])
        print("OpenSSL", said)

    def common(self, o, role):
        least, most = versions(o, "peer")
        a = ["-" + {"1.2": "tls1_2", "1.3": "tls1_3"}[most]] if least == most else []
        if o.get("suite"):
            a += ["-ciphersuites", o["suite"]] if o["version"] == "1.3" else ["-cipher", cipher(o["suite"])]
        if o.get("group") in HYBRIDS and self.version < (3, 5):
            raise Lacks("OpenSSL has ML-KEM since 3.5")
        group = o.get("group") or (o.get("retry") and (o["retry"] if role == "server" else "X25519:" + o["retry"]))
        if group:
            a += ["-groups", group.replace("x25519", "X25519").replace("secp256r1", "P-256").replace("secp384r1", "P-384").replace("secp521r1", "P-521")]
        for need, option in (("padding", "-record_padding"), ("fragments", "-max_send_frag")):
            if o.get(need):
                a += [option, str(o[need])]
        if o.get("no_compat"):
            a += ["-no_middlebox"]
        if o.get("psk"):
            a += ["-psk_identity", o["psk"][0], "-psk", o["psk"][1]]
        if o.get("export"):
            a += ["-keymatexport", o["export"], "-keymatexportlen", "32"]
        if (o.get("compress") or o.get("raw")) and self.version < (3, 2):
            raise Lacks("OpenSSL has it since 3.2")
        if o.get("raw"):
            a += ["-enable_server_rpk"]
        if o.get("ech"):
            raise Lacks("OpenSSL has no Encrypted Client Hello")
        return a

    def server(self, o, port):
        a = [PROGRAM, "s_server", "-accept", f"127.0.0.1:{port}", *self.common(o, "server")]
        interactive = o.get("update") == "peer" or o.get("renegotiate") or o.get("late_auth") or o.get("export") or o.get("early")
        if not interactive:
            a += ["-rev"]
        if o.get("psk"):
            a += ["-nocert"]
        else:
            cert = o.get("cert", "ecdsa")
            a += ["-cert", path(cert), "-key", path(cert, "key")]
        if o.get("cookie"):
            a += ["-stateless"]
        if o.get("auth"):
            a += ["-Verify" if o["auth"] == "require" else "-verify", "2", "-verify_return_error", "-CAfile", path("ca")]
        if o.get("late_auth"):
            a += ["-verify", "2", "-CAfile", path("ca")]
        if o.get("alpn"):
            a += ["-alpn", o["alpn"][1]]
        if o.get("early"):
            a += ["-early_data"]
        if o.get("sessions") == "ids":
            a += ["-no_ticket"]
        if o.get("staple"):
            a += ["-status_file", path("ecdsa", "ocsp")]
        if o.get("compress"):
            a += ["-cert_comp"]
        return a

    def serve(self, o, server):
        if o.get("early") and o.get("connections") == 2:
            for i in (1, 2):
                server.said("GET / HTTP", times=i)
                server.say("hello\n")
        elif o.get("renegotiate"):
            server.said("GET / HTTP")
            server.say("r\n")
            server.said("(?!)", 0.3)
            server.say("hello\n")
        elif o.get("update") == "peer":
            server.said("GET / HTTP")
            server.say("K\n")
            server.said("(?!)", 0.2)         # one command a read; what it says to it stays in its buffer
            server.say("hello\n")
        elif o.get("late_auth"):
            server.said("GET / HTTP")
            server.say("c\n")
            o["want_theirs"] = ("depth=0 CN ?= ?client",)
            server.said("GET / HTTP", times=2)   # it reads until something came after the certificate
            server.say("hello\n")
        elif o.get("export"):
            server.said("Keying material: ")
            server.say("hello\n")

    def client(self, o, port):
        a = [PROGRAM, "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", "-CAfile", path(o.get("ca", "ca")), "-verify_return_error",
             "-verify_hostname", o.get("host", "localhost"), *self.common(o, "client")]
        if o.get("raw"):
            a += ["-dane_tlsa_domain", "localhost", "-dane_tlsa_rrdata", "3 1 1 " + spki_pin(o.get("cert", "ecdsa"))]
        if o.get("psk"):
            a = [w for w in a if w != "-verify_return_error"]
        if o.get("client_cert"):
            a += ["-cert", path(o["client_cert"]), "-key", path(o["client_cert"], "key")]
        if o.get("late_auth"):
            a += ["-enable_pha"]
        if o.get("alpn"):
            a += ["-alpn", o["alpn"][0]]
        if o.get("staple"):
            a += ["-status"]
            o["want_theirs"] = ("OCSP Response Status: successful",)
        if o.get("sessions") == "ids":
            a += ["-no_ticket"]
        if o.get("connections") == 2:
            with open(path("early", "txt"), "w", encoding="ascii") as f:
                f.write(o.get("early", ""))
            early = ["-early_data", path("early", "txt")] if o.get("early") else []
            return [a + ["-sess_out", path("session", "ossl")], a + ["-sess_in", path("session", "ossl")] + early]
        return a

    def talk(self, o, client):
        super().talk(o, client)
        if o.get("renegotiate"):
            client.say("R\n")
            client.said("(?i)no.renegotiation")
        if o.get("update") == "peer":
            client.say("K\n")
            client.said("KEYUPDATE")
            client.say("again\n")
            client.said("again")


run("extra-openssl" if "TROTH_EXTRA_OPENSSL" in os.environ else "openssl", {"OpenSSL": OpenSSL})
