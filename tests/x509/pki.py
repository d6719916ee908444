"""A PKI in memory for tests of troth verify: DER by hand, so that it can also be wrong, and ECDSA with P-256 in plain Python.

Nothing here is for keeping secrets: keys come from their names, and no step takes the same time twice."""
import base64
import hashlib

# ---- P-256 (FIPS 186-5, SEC 2)
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
G = (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296, 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)


def add(p, q):
    """Jacobian p and q, neither at infinity nor each other's negative."""
    (x1, y1, z1), (x2, y2, z2) = p, q
    z11, z22 = z1 * z1 % P, z2 * z2 % P
    u1, u2, s1, s2 = x1 * z22 % P, x2 * z11 % P, y1 * z2 * z22 % P, y2 * z1 * z11 % P
    if u1 == u2 and s1 == s2:
        s, m = 4 * x1 * y1 * y1 % P, 3 * (x1 - z11) * (x1 + z11) % P
        x = (m * m - 2 * s) % P
        return x, (m * (s - x) - 8 * pow(y1, 4, P)) % P, 2 * y1 * z1 % P
    h, r = u2 - u1, s2 - s1
    hh, hhh = h * h % P, h * h * h % P
    x = (r * r - hhh - 2 * u1 * hh) % P
    return x, (r * (u1 * hh - x) - s1 * hhh) % P, h * z1 * z2 % P


POWERS = [(*G, 1)]
while len(POWERS) < 256:
    POWERS.append(add(POWERS[-1], POWERS[-1]))


def times_g(k):
    points = [p for i, p in enumerate(POWERS) if k >> i & 1]
    total = points[0]
    for p in points[1:]:
        total = add(total, p)
    inverse = pow(total[2], -1, P)
    return total[0] * inverse * inverse % P, total[1] * pow(inverse, 3, P) % P


def number(*parts):
    return int.from_bytes(hashlib.sha512(b"|".join(parts)).digest(), "big") % (N - 1) + 1


class Key:
    def __init__(self, name):
        self.d = number(b"key", name.encode())
        x, y = times_g(self.d)
        self.spki = seq(seq(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")), bits(b"\4" + x.to_bytes(32, "big") + y.to_bytes(32, "big")))
        self.id = hashlib.sha1(self.spki).digest()

    def sign(self, message, sha="sha256"):
        digest = hashlib.new(sha, message).digest()
        e, k = int.from_bytes(digest[:32], "big"), number(b"k", str(self.d).encode(), digest)
        r = times_g(k)[0] % N
        return seq(integer(r), integer(pow(k, -1, N) * (e + r * self.d) % N))


KEYS = {}


def key(name):
    if name not in KEYS:
        KEYS[name] = Key(name)
    return KEYS[name]


# ---- DER
def tlv(tag, *content):
    body = b"".join(content)
    n = len(body)
    size = bytes([n]) if n < 128 else bytes([0x80 | (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag]) + size + body


def seq(*content):
    return tlv(0x30, *content)


def integer(v):
    return tlv(2, v.to_bytes((v if v >= 0 else ~v).bit_length() // 8 + 1, "big", signed=True))


def implicit(tag, der):
    return bytes([tag]) + der[1:]


def oid(dotted):
    first, second, *rest = (int(n) for n in dotted.split("."))
    out = b""
    for n in (first * 40 + second, *rest):
        part = bytes([n & 127])
        while n := n >> 7:
            part = bytes([n & 127 | 128]) + part
        out += part
    return tlv(6, out)


def bits(content, unused=0):
    return tlv(3, bytes([unused]), content)


def named_bits(*which):
    value = bytearray(max(which) // 8 + 1)
    for bit in which:
        value[bit // 8] |= 0x80 >> bit % 8
    return bits(bytes(value), 7 - max(which) % 8)


def time(text):
    return tlv(23 if len(text) == 13 else 24, text.encode())


def utf8(text):
    return tlv(12, text.encode())


def printable(text):
    return tlv(19, text.encode())


TRUE, NULL, ANY = tlv(1, b"\xff"), tlv(5), "2.5.29.32.0"
TYPES = {"CN": "2.5.4.3", "O": "2.5.4.10", "C": "2.5.4.6", "E": "1.2.840.113549.1.9.1"}


def attribute(kind, value, string=utf8):
    return seq(oid(TYPES[kind]), string(value))


def name(text, string=utf8):
    """"C=US/CN=x"; bytes are a Name already."""
    if isinstance(text, bytes):
        return text
    parts = (part.split("=", 1) for part in text.split("/") if part)
    return seq(*(tlv(0x31, attribute(k, v, (lambda s: tlv(22, s.encode())) if k == "E" else string)) for k, v in parts))


# ---- general names
def dns(text):
    return tlv(0x82, text.encode())


def mail(text):
    return tlv(0x81, text.encode())


def uri(text):
    return tlv(0x86, text.encode())


def ip(*octets):
    return tlv(0x87, bytes(octets))


def directory(text, string=utf8):
    return tlv(0xa4, name(text, string))


# ---- extensions
def ext(dotted, value, critical=False):
    return seq(oid(dotted), TRUE if critical else b"", tlv(4, value))


def basic(ca=True, path_len=None):
    return ext("2.5.29.19", seq(TRUE if ca else b"", b"" if path_len is None else integer(path_len)), True)


USAGES = {"digitalSignature": 0, "keyCertSign": 5, "cRLSign": 6}


def usage(*which):
    return ext("2.5.29.15", named_bits(*(USAGES[w] for w in which)), True)


def ski(k):
    return ext("2.5.29.14", tlv(4, k.id))


def aki(k):
    return ext("2.5.29.35", seq(tlv(0x80, k if isinstance(k, bytes) else k.id)))


def san(*names):
    return ext("2.5.29.17", seq(*names))


def constraints(permitted=None, excluded=None):
    lists = [tlv(tag, *(seq(base) for base in bases)) for tag, bases in ((0xa0, permitted), (0xa1, excluded)) if bases is not None]
    return ext("2.5.29.30", seq(*lists), True)


def policies(*oids):
    return ext("2.5.29.32", seq(*(seq(oid(o)) for o in oids)))


def mappings(*pairs):
    return ext("2.5.29.33", seq(*(seq(oid(a), oid(b)) for a, b in pairs)), True)


def policy_limits(explicit=None, mapping=None):
    return ext("2.5.29.36", seq(*(implicit(tag, integer(n)) for tag, n in ((0x80, explicit), (0x81, mapping)) if n is not None)), True)


def inhibit_any(n):
    return ext("2.5.29.54", integer(n), True)


def reasons(tag, which):
    return implicit(tag, named_bits(*which))


def full_name(*names):
    return tlv(0xa0, tlv(0xa0, *names))


def relative_name(attr):
    return tlv(0xa0, tlv(0xa1, attr))


def points(*which):
    """Each: (name, reasons, cRLIssuer), any of them empty."""
    return ext("2.5.29.31", seq(*(seq(n, reasons(0x81, r) if r else b"", tlv(0xa2, i) if i else b"") for n, r, i in which)))


def issuing_point(where=b"", user=False, ca=False, some=None, indirect=False, attribute_certs=False):
    flags = ((0x81, user), (0x82, ca))
    later = ((0x84, indirect), (0x85, attribute_certs))
    return ext("2.5.29.28", seq(where, *(implicit(t, TRUE) for t, yes in flags if yes), reasons(0x83, some) if some else b"",
                                *(implicit(t, TRUE) for t, yes in later if yes)), True)


def reason(n):
    return ext("2.5.29.21", tlv(10, bytes([n])))


def certificate_issuer(text):
    return ext("2.5.29.29", seq(directory(text)), True)


# ---- certificates and lists
ALGORITHMS = {"sha256": seq(oid("1.2.840.10045.4.3.2")), "sha1": seq(oid("1.2.840.10045.4.1"))}


class Cert:
    serials = iter(range(1000, 1 << 30))

    def __init__(self, subject, by, k, exts=(), issuer=None, serial=None, begins="250101000000Z", ends="300101000000Z", version=3, sha="sha256",
                 inner=None, outer=None, spoil=False, behind=b""):
        self.by, self.key, self.subject, signer = by, k, name(subject), by.key if by else k
        self.issuer = name(issuer) if issuer is not None else by.subject if by else self.subject
        self.serial = next(Cert.serials) if serial is None else serial
        tbs = seq(tlv(0xa0, integer(version - 1)) if version > 1 else b"", integer(self.serial), inner or ALGORITHMS[sha], self.issuer,
                  seq(time(begins), time(ends)), self.subject, k.spki, tlv(0xa3, seq(*exts)) if exts else b"")
        signature = signer.sign(tbs + b"spoilt" if spoil else tbs, sha)
        self.der = seq(tbs, outer or ALGORITHMS[sha], bits(signature)) + behind


def root(extra=(), subject="C=US/O=T/CN=Root", k="root", **more):
    return Cert(subject, None, key(k), [basic(), usage("keyCertSign", "cRLSign"), ski(key(k)), *extra], **more)


def authority(by, extra=(), subject="C=US/O=T/CN=CA", k="ca", path_len=None, own=None, **more):
    usual = [basic(path_len=path_len), usage("keyCertSign", "cRLSign")] if own is None else own
    return Cert(subject, by, key(k), [*usual, ski(key(k)), aki(by.key), *extra], **more)


def leaf(by, extra=(), names=(dns("www.example.com"),), subject="C=US/O=T/CN=leaf", **more):
    return Cert(subject, by, key("leaf"), [usage("digitalSignature"), aki(by.key), *([san(*names)] if names else []), *extra], **more)


def crl(by, revoked=(), extra=(), number=1, delta_of=None, begins="260501000000Z", ends="261201000000Z", version=2, sha="sha256", spoil=False,
        issuer=None):
    """`revoked`: certificates, serial numbers, or (one of them, entry extension...)."""
    entries = []
    for entry in revoked:
        which, *exts = entry if isinstance(entry, tuple) else (entry,)
        serial = which.serial if isinstance(which, Cert) else which
        entries.append(seq(integer(serial), time("260515000000Z"), seq(*exts) if exts else b""))
    exts = [aki(by.key), *extra]
    if number is not None:
        exts.append(ext("2.5.29.20", integer(number)))
    if delta_of is not None:
        exts.append(ext("2.5.29.27", integer(delta_of), True))
    tbs = seq(integer(1) if version == 2 else b"", ALGORITHMS[sha], name(issuer) if issuer else by.subject, time(begins), time(ends),
              seq(*entries) if entries else b"", tlv(0xa0, seq(*exts)) if version == 2 else b"")
    return seq(tbs, ALGORITHMS[sha], bits(by.key.sign(tbs + b"spoilt" if spoil else tbs, sha)))


def pem(der, what="CERTIFICATE"):
    text = base64.b64encode(der).decode()
    return "\n".join((f"-----BEGIN {what}-----", *(text[i:i + 64] for i in range(0, len(text), 64)), f"-----END {what}-----", ""))
