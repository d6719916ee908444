"""troth and Mbed TLS, through prog_mbedtls.c.
ctest: label=interop slow timeout=600"""
from matrix import BUILD, Peer, path, run

PROGRAM = BUILD + "/bin/interop_mbedtls"


def cipher(suite):
    return suite.replace("_", "-")


class MbedTLS(Peer):
    programs = (PROGRAM,)
    answer = "data "
    lacks = {
        ("1.3", None): "this version has TLS 1.2 alone",
        "certificate: RSA-PSS key": "it has no such keys",
        "certificate: Ed25519": "it has no EdDSA",
        "certificate: Ed448": "it has no EdDSA",
        "TLS 1.3 where both have both": "this version has TLS 1.2 alone",
        "OCSP response stapled": "it has none",
        "SCTs": "it has none",
        "raw public key": "it has none",
        "record size limit": "it has max_fragment_length only",
        "exporter, the same value": "it has none",
    }

    def common(self, o, role):
        a = []
        if o.get("suite"):
            a += ["suite=" + cipher(o["suite"])]
        if o.get("group"):
            a += ["groups=" + o["group"]]
        if o.get("alpn"):
            a += ["alpn=" + o["alpn"][role == "server"]]
        if o.get("sessions") == "ids":
            a += ["tickets=no"]
        for need in ("connections", "bulk"):
            if o.get(need):
                a += [f"{need}={o[need]}"]
        return a

    def server(self, o, port):
        cert = o.get("cert", "ecdsa")
        a = [PROGRAM, "server", str(port), *self.common(o, "server"), "cert=" + path(cert), "key=" + path(cert, "key")]
        if o.get("auth"):
            a += ["auth=" + o["auth"], "ca=" + path("ca")]
        return a

    def client(self, o, port):
        a = [PROGRAM, "client", str(port), *self.common(o, "client"), "host=" + o.get("host", "localhost"), "ca=" + path(o.get("ca", "ca"))]
        if o.get("client_cert"):
            a += ["cert=" + path(o["client_cert"]), "key=" + path(o["client_cert"], "key")]
        return a

    def talk(self, o, client):
        """It does all by itself."""


run("mbedtls", {"Mbed TLS": MbedTLS})
