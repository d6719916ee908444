"""ctest: slow timeout=600
Client certificates, wrong in one thing each, in both versions; a server that must have one and a server that may."""
from cases import *

ok, unexpected, bad, wrong = "ok", "unexpected_message", "decode_error", "illegal_parameter"
MUST, MAY = ("--client-ca", CA), ("--client-ca", CA, "--client-auth", "optional")


def der_of(path):
    import ssl
    return ssl.PEM_cert_to_DER_cert(open(path, encoding="utf-8").read())


ME, ME_KEY = der_of(f"{D}/me-client.pem"), open(f"{D}/me-client-key.pem", "rb").read()
SERVER_CERT, SERVER_KEY = der_of(CERT), open(KEY, "rb").read()
run("ca", "init", "--out", f"{D}/other", "--name", "somebody else")
run("ca", "issue", "--client", "me", "--out", f"{D}/other")
OTHER, OTHER_KEY = der_of(f"{D}/other/me-client.pem"), open(f"{D}/other/me-client-key.pem", "rb").read()


def with13(*steps):
    """Each step makes a message, or says it itself."""
    def rude(c):
        c.start13([Key(X25519)])
        assert c.asked is not None, "no CertificateRequest"
        for step in steps:
            m = step(c)
            if m:
                c.say(m)
        c.finish13()
    return rude


def unasked(c):
    c.start13([Key(X25519)])
    c.say(c.certificate13([ME]))
    c.say(c.certificate_verify13(ME_KEY, 0x0403))


def cert(*ders, **more):
    return lambda c: c.certificate13(ders, **more)


def proof(key=ME_KEY, scheme=0x0403, flip=False):
    return lambda c: c.certificate_verify13(key, scheme, flip)


def raw(kind, body):
    return lambda c: message(kind, body)


next_client["shake"] = with13(cert(ME), proof())
empty = ("certificate_required",)
refused = ("bad_certificate", "unsupported_certificate", "certificate_unknown", "unknown_ca", "certificate_expired", bad)
case("1.3: a certificate", ok, "RFC 9846 4.5", with13(cert(ME), proof()), MUST)
case("1.3: a certificate, of a server that does not insist", ok, "RFC 9846 4.5", with13(cert(ME), proof()), MAY)
case("1.3: none, of a server that does not insist", ok, "RFC 9846 4.5.1", with13(cert()), MAY)
case("1.3: none", empty, "RFC 9846 4.5.1", with13(cert()), MUST)
case("1.3: no Certificate at all", unexpected, "RFC 9846 4.5", with13(), MUST)
case("1.3: a certificate that nobody asked for", unexpected, "RFC 9846 4.5", unasked, MAY[:0], served_by=lambda c: c.shake13())
case("1.3: in records of one byte", ok, "RFC 9846 5.1", with13(lambda c: c.say(c.certificate13([ME]), size=1), proof()), MUST)
case("1.3: of another authority", ("unknown_ca", "bad_certificate", "certificate_unknown"), "RFC 9846 6.2", with13(cert(OTHER), proof(OTHER_KEY)), MUST)
case("1.3: a server's certificate", ("unsupported_certificate", "bad_certificate", "certificate_unknown"), "RFC 5280 4.2.1.12", with13(cert(SERVER_CERT), proof(SERVER_KEY)), MUST)
for what, der in (("rubbish", b"rubbish"), ("cut", ME[:-1]), ("with a byte behind it", ME + b"\0"), ("of zeros", bytes(500)), ("of 60000 bytes of rubbish", b"\x30\x82\xea\x5c" + bytes(60000)), ("whose signature is wrong", ME[:-1] + bytes([ME[-1] ^ 1]))):
    case(f"1.3: a certificate {what}", refused + ("decrypt_error",), "RFC 9846 6.2", with13(cert(der), proof()), MUST)
case("1.3: rubbish behind a good one", (ok,) + refused, "RFC 9846 4.5.1", with13(cert(ME, b"rubbish"), proof()), MUST)
case("1.3: a certificate of nothing", bad, "RFC 9846 4.5.1", with13(cert(b""), proof()), MUST)
case("1.3: a context that was not asked for", wrong, "RFC 9846 4.5.1", with13(cert(ME, context=b"x"), proof()), MUST)
case("1.3: an extension that was not asked for", ("unsupported_extension", wrong), "RFC 9846 4.5.1", with13(cert(ME, exts=u16(5) + vec(2, b"\1" + vec(3, b"x"))), proof()), MUST)
case("1.3: an unknown extension", ("unsupported_extension", wrong), "RFC 9846 4.5.1", with13(cert(ME, exts=u16(0xfade) + vec(2, b"")), proof()), MUST)
body = vec(1, b"") + vec(3, vec(3, ME) + b"\0\0")
for what, b in (("longer than it is", b"\0" + u24(len(body) - 3) + body[4:]), ("shorter than it is", b"\0" + u24(len(body) - 5) + body[4:]), ("a byte behind it", body + b"\0"), ("nothing", b""), ("a list length alone", b"\0\0"),
                ("an entry longer than the list", b"\0" + vec(3, u24(len(ME) + 10) + ME + b"\0\0")), ("extensions cut", b"\0" + vec(3, vec(3, ME) + b"\0\1")), ("no extensions", b"\0" + vec(3, vec(3, ME)))):
    case(f"1.3: Certificate, {what}", bad, "RFC 9846 6.2", with13(raw(CERTIFICATE, b)), MUST)
case("1.3: Certificate of 2^24 - 1 bytes", bad, "RFC 9846 6.2", with13(lambda c: c.send(HANDSHAKE, b"\x0b\xff\xff\xff")), MUST)
case("1.3: no CertificateVerify", unexpected, "RFC 9846 4.5.2", with13(cert(ME)), MUST)
case("1.3: CertificateVerify after no certificate", unexpected, "RFC 9846 4.5.2", with13(cert(), proof()), MAY)
case("1.3: CertificateVerify first", unexpected, "RFC 9846 4.5", with13(proof()), MUST)
case("1.3: Certificate twice", unexpected, "RFC 9846 4.5", with13(cert(ME), cert(ME)), MUST)
case("1.3: CertificateVerify twice", unexpected, "RFC 9846 4.5", with13(cert(ME), proof(), proof()), MUST)
case("1.3: a signature that is wrong", "decrypt_error", "RFC 9846 4.5.2", with13(cert(ME), proof(flip=True)), MUST)
case("1.3: a signature by another key", "decrypt_error", "RFC 9846 4.5.2", with13(cert(ME), proof(OTHER_KEY)), MUST)
for scheme in (0x0203, 0x0401, 0x0804, 0x0807, 0x0503, 0x0603, 0x9999, 0x0000):
    case(f"1.3: signed as {scheme:#06x}, which does not go with the key", (wrong, "decrypt_error") if scheme in (0x0503, 0x0603, 0x0804, 0x0807) else wrong, "RFC 9846 4.5.2",
         with13(cert(ME), lambda c, scheme=scheme: message(CERTIFICATE_VERIFY, u16(scheme) + vec(2, c.certificate_verify13(ME_KEY, 0x0403)[8:]))), MUST)
for what, b in (("nothing", b""), ("the scheme alone", b"\4\3"), ("a signature of nothing", b"\4\3\0\0"), ("longer than it is", b"\4\3\0\x40" + bytes(63)), ("a byte behind it", b"\4\3" + vec(2, bytes(70)) + b"\0")):
    case(f"1.3: CertificateVerify, {what}", (bad, "decrypt_error") if what == "a signature of nothing" else bad, "RFC 9846 6.2", with13(cert(ME), raw(CERTIFICATE_VERIFY, b)), MUST)
case("1.3: a signature of 16000 bytes", ("decrypt_error", bad), "RFC 9846 4.5.2", with13(cert(ME), raw(CERTIFICATE_VERIFY, b"\4\3" + vec(2, bytes(16000)))), MUST)


# ---------------------------------------------------------------- TLS 1.2
def with12(first, verify=None):
    def rude(c):
        c.start12()
        assert c.asked is not None, "no CertificateRequest"
        if first is not None:
            c.say(first(c))
        c.say(c.key_exchange12())
        c.secrets12()
        if verify:
            c.say(verify(c))
        c.change12()
        c.say(c.finished12())
        c.end12()
    return rude


def cert12(*ders):
    return lambda c: message(CERTIFICATE, vec(3, b"".join(vec(3, d) for d in ders)))


def proof12(key=ME_KEY, scheme=0x0403, flip=False, claim=None):
    def make(c):
        s = sign(key, scheme, c.transcript)
        return message(CERTIFICATE_VERIFY, u16(claim or scheme) + vec(2, s[:-1] + u8(s[-1] ^ 1) if flip else s))
    return make


case("1.2: a certificate", ok, "RFC 5246 7.4.6", with12(cert12(ME), proof12()), MUST)
case("1.2: none, of a server that does not insist", ok, "RFC 5246 7.4.6", with12(cert12()), MAY)
case("1.2: none", ("handshake_failure", "certificate_required", "bad_certificate"), "RFC 5246 7.4.6", with12(cert12()), MUST)
case("1.2: no Certificate at all", unexpected, "RFC 5246 7.3", with12(None), MUST)
case("1.2: a certificate that nobody asked for", unexpected, "RFC 5246 7.3", lambda c: (c.start12(), c.say(message(CERTIFICATE, vec(3, vec(3, ME))))) and None, served_by=lambda c: c.shake13())
case("1.2: of another authority", ("unknown_ca", "bad_certificate", "certificate_unknown"), "RFC 5246 7.2.2", with12(cert12(OTHER), proof12(OTHER_KEY)), MUST)
for what, der in (("rubbish", b"rubbish"), ("cut", ME[:-1]), ("of zeros", bytes(500))):
    case(f"1.2: a certificate {what}", refused, "RFC 5246 7.2.2", with12(cert12(der), proof12()), MUST)
case("1.2: a certificate of nothing", (bad,) + refused, "RFC 5246 7.4.2", with12(cert12(b""), proof12()), MUST)
for what, b in (("nothing", b""), ("longer than it is", u24(len(ME) + 9) + vec(3, ME)), ("a byte behind it", vec(3, vec(3, ME)) + b"\0"), ("an entry longer than the list", vec(3, u24(len(ME) + 3) + ME))):
    case(f"1.2: Certificate, {what}", bad, "RFC 5246 7.2.2", with12(lambda c, b=b: message(CERTIFICATE, b)), MUST)
case("1.2: no CertificateVerify", unexpected, "RFC 5246 7.4.8", with12(cert12(ME)), MUST)
case("1.2: CertificateVerify after no certificate", unexpected, "RFC 5246 7.4.8", with12(cert12(), proof12()), MAY)
case("1.2: a signature that is wrong", "decrypt_error", "RFC 5246 7.4.8", with12(cert12(ME), proof12(flip=True)), MUST)
case("1.2: a signature by another key", "decrypt_error", "RFC 5246 7.4.8", with12(cert12(ME), proof12(OTHER_KEY)), MUST)
for scheme in (0x0203, 0x0401, 0x0804, 0x9999):
    case(f"1.2: signed as {scheme:#06x}, which does not go with the key", (wrong, "decrypt_error", "handshake_failure"), "RFC 5246 7.4.8", with12(cert12(ME), proof12(claim=scheme)), MUST)
for what, b in (("nothing", b""), ("the scheme alone", b"\4\3"), ("longer than it is", b"\4\3\0\x40" + bytes(63)), ("a byte behind it", b"\4\3" + vec(2, bytes(70)) + b"\0")):
    case(f"1.2: CertificateVerify, {what}", bad, "RFC 5246 7.2.2", with12(cert12(ME), lambda c, b=b: message(CERTIFICATE_VERIFY, b)), MUST)
end()
