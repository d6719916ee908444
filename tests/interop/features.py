"""What is tried with each peer, and who the peers are: the one list that the tests of this folder and the printed matrix go by.

FEATURES: (version, name, what it needs).  The needs are neutral words; matrix.py says them to troth, each peer's class to its peer:
  cert, client_cert, auth    leaves (matrix.Pki); auth: the server's wish, `require' or `request'
  suite, group, retry        the one that the peer is held to; the group that a second hello is needed for
  alpn                       (the client's list, the server's list)
  connections, sessions      how many; `tickets', `ids' or none
  host, ca                   whom the client expects and trusts
  early, late_auth, update, psk, compress, staple, scts, raw, limit, bulk, export, ech, delegated, proxy
  want                       patterns of troth's own account; want_server/want_client: only where the peer is that
  padding, no_compat, renegotiate, no_ems, fragments      only of peers whose class has them in `can'
  drops                      the peer may end without close_notify
  refused                    who must end it: `troth' (with this reason) or `peer'
"""
SUITES = ("AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256")
GROUPS = ("x25519", "secp256r1", "secp384r1", "secp521r1")
HYBRIDS = ("X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024", "MLKEM1024")
KEYS = {"ecdsa": "ECDSA P-256", "p384": "ECDSA P-384", "p521": "ECDSA P-521", "rsa": "RSA", "pss": "RSA-PSS key", "ed25519": "Ed25519",
        "ed448": "Ed448"}
SCHEMES = {"ecdsa": "ecdsa_secp256r1_sha256", "p384": "ecdsa_secp384r1_sha384", "p521": "ecdsa_secp521r1_sha512", "rsa": "rsa_pss_rsae_",
           "pss": "rsa_pss_pss_", "ed25519": "ed25519", "ed448": "ed448"}
SCHEMES_12 = SCHEMES | {"ecdsa": "ecdsa_", "p384": "ecdsa_", "p521": "ecdsa_", "rsa": "rsa_"}
# a chain that ends at a stranger, seen from its lower end; how it looks when the other side has refused us
UNTRUSTED, GONE = "chain\\.untrusted-root|cert\\.missing-intermediate", "alert\\.|net\\.|tls\\.|cert\\.key-unsupported|^over"

FEATURES = []


def feature(version, name, *want, **needs):
    FEATURES.append((version, name, needs | {"version": version, "want": want}))


def of_both(v):
    schemes = SCHEMES if v == "1.3" else SCHEMES_12
    for key, name in KEYS.items():
        feature(v, "certificate: " + name, f"(peer|own)={schemes[key]}", cert=key)
    for s in SUITES:
        if v == "1.3":
            feature(v, s, "TLS_" + s, suite="TLS_" + s)
        else:
            for a in ("ecdsa", "rsa"):
                iana = f"TLS_ECDHE_{a.upper()}_WITH_{s}"
                feature(v, f"ECDHE_{a.upper()} {s}", iana, suite=iana, cert=a)
    for g in GROUPS + (HYBRIDS if v == "1.3" else ()):
        feature(v, "group: " + g, f"(?i) {g} ", group=g, cert="ecdsa" if v == "1.3" else "rsa")
    feature(v, "client certificate: ECDSA", "", auth="require", client_cert="client", want_client=("client-auth",))
    feature(v, "client certificate: RSA", "", auth="require", client_cert="rsaclient", want_client=("client-auth",))
    feature(v, "client certificate: missing, refused", auth="require",
            refused={"server": "alert\\.|client-cert\\.|net\\.", "client": "tls\\.client-without-certificate"})
    feature(v, "client certificate: of a stranger, refused", auth="require", client_cert="stranger",
            refused={"server": "alert\\.", "client": UNTRUSTED})
    feature(v, "client certificate: asked for, none, fine", "", auth="request")
    feature(v, "ALPN", "alpn=http/1.1", alpn=("h2,http/1.1", "http/1.1"))
    feature(v, "host name is another, refused", host="other.example",
            refused={"server": "cert\\.name-mismatch", "client": GONE})
    feature(v, "authority is a stranger, refused", ca="stranger-ca", refused={"server": UNTRUSTED, "client": GONE})
    feature(v, "certificate has expired, refused", cert="expired", refused={"server": "cert\\.expired", "client": GONE})


of_both("1.3")
feature("1.3", "HelloRetryRequest", "retry", retry="secp384r1")
feature("1.3", "HelloRetryRequest with a cookie", "retry", retry="secp384r1", cookie=True)
feature("1.3", "KeyUpdate by troth", r"data \d+: ", update="troth")
feature("1.3", "KeyUpdate by the peer", r"data \d+: ", update="peer")
feature("1.3", "resumption by ticket", "resumed", connections=2, sessions="tickets")
feature("1.3", "0-RTT data", "resumed early ", connections=2, sessions="tickets", early="early, early\n",
        want_client=("data 13 early",))
feature("1.3", "resumption after a HelloRetryRequest", "retry.* resumed", connections=2, sessions="tickets", retry="secp384r1")
feature("1.3", "0-RTT data, a HelloRetryRequest refuses it", "retry.* early-refused ", connections=2, sessions="tickets",
        early="early, early\n", retry="secp384r1")
feature("1.3", "resumption with a client certificate", "resumed", connections=2, sessions="tickets", auth="require", client_cert="client",
        want_client=("client-auth resumed",))
feature("1.3", "padded records by the peer", r"data \d+: ", padding=512)
feature("1.3", "no middlebox compatibility mode", "", no_compat=True)
feature("1.3", "external PSK", " psk", psk=("bond", "0b" * 32))
feature("1.3", "certificate compression", compress=True)
feature("1.3", "client asked later for a certificate", late_auth=True, client_cert="client", want_client=("late auth yes",))
feature("1.3", "Encrypted Client Hello", " ech", ech=True)
feature("1.3", "delegated credential", "delegated", delegated=True)
of_both("1.2")
feature("1.2", "certificate on a curve that the client lacks, refused", cert="ecdsa", group="x25519", troth_groups="x25519",
        refused={"server": GONE, "client": "tls\\.leaf-curve"})
feature("1.2", "resumption by ticket", "resumed", connections=2, sessions="tickets")
feature("1.2", "resumption with a client certificate", "resumed", connections=2, sessions="tickets", auth="require", client_cert="client",
        want_client=("client-auth resumed",))
feature("1.2", "renegotiation asked for by the peer, refused", renegotiate=True, want_theirs=("(?i)no.renegotiation",),
        refused={"server": "tls\\.renegotiation", "client": "tls\\.renegotiation"})
feature("1.2", "no extended master secret, refused", no_ems=True,
        refused={"server": "tls\\.extended-master-secret", "client": "tls\\.extended-master-secret"})
feature("1.2", "resumption by session id", "resumed", connections=2, sessions="ids")
for version in ("1.3", "1.2"):
    feature(version, "OCSP response stapled", staple=True, want_server=(r"staple=[1-9]",))
    feature(version, "SCTs", scts=True, want_server=(r"scts=[1-9]",))
    feature(version, "raw public key", "(peer|own)-raw", raw=True)
    feature(version, "record size limit", r"data ", limit=1000, bulk=20000)
    feature(version, "100 kB in records of 512 bytes by the peer", r"data ", bulk=100000, fragments=512)
    feature(version, "100 kB each way", r"data ", bulk=100000)
    feature(version, "exporter, the same value", export="EXPORTER-interop")
feature("both", "TLS 1.2 where the peer has no more", "TLS 1.2", troth_version="both", peer_version="1.2")
feature("both", "TLS 1.3 where both have both", "TLS 1.3", troth_version="both", peer_version="both")
feature("both", "through troth proxy", proxy=True, troth_version="both", peer_version="both")
feature("both", "no version in common, refused", troth_version="1.3", peer_version="1.2",
        refused={"server": "tls\\.|alert\\.", "client": "tls\\.version"})

# peer: (test, what Debian calls it, the roles it can play).  A row of each is tried in each role, or the test says why not.
PEERS = {
    "OpenSSL": ("openssl", "openssl", ("server", "client")),
    "GnuTLS": ("gnutls", "gnutls-bin", ("server", "client")),
    "NSS": ("nss", "libnss3-tools", ("server", "client")),
    "Java": ("java", "openjdk-17-jdk-headless", ("server", "client")),
    "wolfSSL": ("wolfssl", "libwolfssl-dev", ("server", "client")),
    "Mbed TLS": ("mbedtls", "libmbedtls-dev", ("server", "client")),
    "nginx": ("web", "nginx-light", ("server", "client")),
    "HAProxy": ("web", "haproxy", ("server", "client")),
    "curl": ("web", "curl", ("client",)),
    "Wget": ("web", "wget", ("client",)),
    "Chromium": ("browsers", "chromium", ("client",)),
    "Firefox": ("browsers", "firefox-esr", ("client",)),
}
