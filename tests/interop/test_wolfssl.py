"""troth and wolfSSL, through prog_wolfssl.c.
ctest: label=interop slow timeout=600"""
from features import HYBRIDS
from matrix import BUILD, Lacks, Peer, path, run, versions

PROGRAM = BUILD + "/bin/interop_wolfssl"
TLS13 = {"TLS_AES_128_GCM_SHA256": "TLS13-AES128-GCM-SHA256", "TLS_AES_256_GCM_SHA384": "TLS13-AES256-GCM-SHA384",
         "TLS_CHACHA20_POLY1305_SHA256": "TLS13-CHACHA20-POLY1305-SHA256"}


def cipher(suite):
    """ECDHE-ECDSA-AES128-GCM-SHA256 for TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256."""
    return TLS13.get(suite) or suite.replace("TLS_", "").replace("_WITH", "").replace("AES_", "AES").replace("POLY1305_SHA256", "POLY1305").replace("_", "-")


class WolfSSL(Peer):
    programs = (PROGRAM,)
    answer = "data "
    lacks = {
        "certificate: RSA-PSS key": "it takes such a key for a plain RSA one and names the wrong scheme",
        "0-RTT data": "this build has none",
        "certificate compression": "it has none",
        "Encrypted Client Hello": "this build has none",
        "delegated credential": "it has none",
        "SCTs": "it has none",
        "raw public key": "this version has none",
        "record size limit": "it has max_fragment_length only",
    }

    def common(self, o, role):
        least, most = versions(o, "peer")
        a = ["version=" + (least if least == most else "both")]
        if o.get("suite"):
            a += ["suite=" + cipher(o["suite"])]
        groups = [o["group"]] if o.get("group") else [o["retry"]] if o.get("retry") and role == "server" else \
            ["x25519", o["retry"]] if o.get("retry") else []
        if set(groups) & set(HYBRIDS):
            raise Lacks("this build has no ML-KEM")
        if groups:
            a += ["groups=" + ",".join(groups)]
        if o.get("update") == "peer":
            a += ["update=yes"]
        if o.get("alpn"):
            a += ["alpn=" + o["alpn"][role == "server"]]
        if o.get("sessions") == "ids":
            a += ["tickets=no"]
        if o.get("psk"):
            a += ["psk=" + ":".join(o["psk"])]
        for need in ("connections", "bulk", "late_auth", "export", "staple"):
            if o.get(need):
                a += [f"{need}={o[need]}"]
        return a

    def server(self, o, port):
        if o.get("staple"):
            raise Lacks("it staples only what it fetched from the certificate's responder itself")
        a = [PROGRAM, "server", str(port), *self.common(o, "server")]
        cert = "rsa" if o.get("client_cert") == "rsaclient" else o.get("cert", "ecdsa")     # TLS 1.2: it asks for keys such as its own
        if o.get("group") and o["version"] == "1.2" and not o.get("refused"):
            o["troth_groups"] = o["group"]                                                  # which curve it takes cannot be set there
        if not o.get("psk"):
            a += ["cert=" + path(cert), "key=" + path(cert, "key")]
        if o.get("auth") or o.get("late_auth"):
            a += ["ca=" + path("ca")]
        if o.get("auth"):
            a += ["auth=" + o["auth"]]
        if o.get("cookie"):
            a += ["cookie=yes"]
        return a

    def client(self, o, port):
        a = [PROGRAM, "client", str(port), *self.common(o, "client"), "host=" + o.get("host", "localhost"), "ca=" + path(o.get("ca", "ca"))]
        if o.get("client_cert"):
            a += ["cert=" + path(o["client_cert"]), "key=" + path(o["client_cert"], "key")]
        return a

    def talk(self, o, client):
        """It does all by itself."""


run("wolfssl", {"wolfSSL": WolfSSL})
