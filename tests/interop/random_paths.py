"""Random chains, a few faults each, for test_paths.py: the same for a number on every machine.

Each kind keeps to one part of RFC 5280, and away from what a peer is known to do otherwise (test_paths.py names that).  Here nothing is run."""
import collections
import hashlib

import rfc5280
from pki import (ANY, Cert, aki, attribute, authority, basic, certificate_issuer, constraints, crl, directory, dns, ext, full_name, inhibit_any, ip,
                 issuing_point, key, leaf, mail, mappings, name, points, policies, policy_limits, reason, relative_name, root, san, seq, ski, uri, usage)

Case = collections.namedtuple("Case", "what last between roots crls options peers")
R = rfc5280.R
OIDS = [rfc5280.PA, rfc5280.PB, rfc5280.PC]
LEAF = "C=US/O=T/CN=a leaf"  # no host name: Java takes one for a dNSName


class Dice:
    def __init__(self, *seed):
        self.seed, self.n = repr(seed).encode(), 0

    def roll(self, sides):
        self.n += 1
        return int.from_bytes(hashlib.sha256(self.seed + b"%d" % self.n).digest()[:6], "big") % sides

    def one(self, *of):
        return of[self.roll(len(of))]

    def chance(self, percent):
        return self.roll(100) < percent

    def some(self, of, least=1):
        rest, out = list(of), []
        for _ in range(least + self.roll(len(rest) - least + 1)):
            out.append(rest.pop(self.roll(len(rest))))
        return out


def case(what, last, between, roots=(R,), crls=(), peers="java openssl", **options):
    return Case(what, last, tuple(between), roots, tuple(crls), options, peers)


def chain(levels, names=(dns("www.example.com"),), subject=LEAF, last=()):
    """Authorities below R, each (extensions, is self-issued, more); then a leaf.  The leaf first."""
    above, made = R, []
    for i, (exts, itself, more) in enumerate(levels):
        above = authority(above, exts, subject=above.subject if itself and i else f"C=US/O=T/CN=CA {i}", k=f"level {i}", **more)
        made.append(above)
    return [leaf(above, [ski(key("leaf")), *last], names=names, subject=subject), *made[::-1]]


# ---- policies: 6.1.3 (d)-(f), 6.1.4 (a), (b), (h)-(j), 6.1.5 (a), (b), (g)

def policy_exts(d, mapped):
    exts = []
    if d.chance(92):
        exts.append(policies(*([ANY] if d.chance(15) else d.some(OIDS) + [ANY] * d.chance(20))))
    if mapped and d.chance(45):
        exts.append(mappings(*((d.one(*OIDS), d.one(*OIDS)) for _ in range(d.one(1, 1, 2, 3)))))
    if d.chance(25):
        exts.append(policy_limits(*d.one((0, None), (1, None), (2, 1), (None, 0), (None, 1), (3, 2))))
    if d.chance(20):
        exts.append(inhibit_any(d.roll(3)))
    return exts


def policy_case(n):
    d = Dice("policies", n)
    itself = d.one(0, 0, 40)
    levels = [(policy_exts(d, True), d.chance(itself), {}) for _ in range(d.one(1, 2, 2, 3, 4))]
    last, *between = chain(levels, last=policy_exts(d, False))
    options = {"policies": d.some(OIDS, 0)[:2]}
    options |= {o: True for o, percent in (("explicit", 60), ("nomapping", 8), ("noany", 8)) if d.chance(percent)}
    return case(f"policies {n}", last, between, **options)


# ---- names: 4.2.1.10

HOSTS = ("example.com", "a.example.com", "b.a.example.com", "xexample.com", "example.org", "com", "EXAMPLE.com")
ADDRESSES = ((10, 0, 0, 1), (10, 1, 0, 1), (192, 168, 1, 5))
NETS = ((10, 0, 0, 0, 255, 0, 0, 0), (10, 1, 0, 0, 255, 255, 0, 0), (192, 168, 1, 0, 255, 255, 255, 0), (10, 0, 0, 1, 255, 255, 255, 255))
NAMES = {"dns": lambda d: dns(d.one(*HOSTS)), "mail": lambda d: mail(d.one("u", "v") + "@" + d.one(*HOSTS)), "ip": lambda d: ip(*d.one(*ADDRESSES)),
         "uri": lambda d: uri(d.one("http://", "ldap://") + d.one(*HOSTS) + d.one("", "/", ":80/x")),
         "directory": lambda d: directory(d.one("C=US/O=T/CN=x", "C=US/O=t", "C=US/O=Other/CN=y", "C=DE/O=T"))}
BASES = {"dns": lambda d: dns(d.one(*HOSTS)), "mail": lambda d: mail(d.one("", ".", "u@", "v@") + d.one(*HOSTS)), "ip": lambda d: ip(*d.one(*NETS)),
         "uri": lambda d: uri(d.one("", ".") + d.one(*HOSTS)),
         "directory": lambda d: directory(d.one("C=US", "C=US/O=T", "C=US/O=Other", "C=DE", "C=US/O=T/CN=CA 1", LEAF))}


def names_case(n):
    d = Dice("names", n)
    forms = d.some(NAMES)[:3]

    def made(of, most):
        return [of[d.one(*forms)](d) for _ in range(1 + d.roll(most))]
    levels = []
    for _ in range(d.one(1, 1, 2, 3)):
        sides = [made(BASES, 3) if d.chance(percent) else None for percent in (55, 35)]
        exts = [constraints(*sides)] if any(sides) and d.chance(75) else []
        levels.append((exts + ([san(*made(NAMES, 1))] if d.chance(12) else []), d.chance(20), {}))
    last, *between = chain(levels, names=made(NAMES, 3) if d.chance(90) else (), subject=d.one(LEAF, LEAF, "C=DE/CN=a leaf", "C=US/O=Other/CN=a leaf"))
    return case(f"names {n}", last, between)


# ---- what an authority is: 6.1.4 (k)-(o), with what can be wrong anywhere

def authority_case(n):
    d = Dice("authorities", n)
    count, itself, limits = d.one(2, 3, 4), d.one(0, 50, 70), d.one(30, 60)
    faults = {d.roll(count): d.one("expired", "early", "no ca", "none", "usage", "critical", "spoilt", "issuer") for _ in range(d.one(0, 0, 1, 1, 2))}
    levels = []
    for i in range(count):
        basics, uses, exts, more = basic(path_len=d.one(0, 0, 1, 1, 2) if d.chance(limits) else None), usage("keyCertSign", "cRLSign"), [], {}
        fault = faults.get(i)
        if fault in ("expired", "early"):
            more = {"ends": d.one("260531235959Z", "260601000001Z")} if fault == "expired" else {"begins": d.one("260601000001Z", "260601000000Z")}
        elif fault in ("no ca", "none"):
            basics = basic(False) if fault == "no ca" else b""
        elif fault == "usage":
            uses = d.one(usage("cRLSign"), usage("digitalSignature"), usage("keyCertSign"), b"")
        elif fault == "critical":
            exts = [ext("1.2.3.4.5", b"\5\0", d.chance(60))]
        elif fault == "issuer":
            more = {"issuer": d.one("C=US/O=T/CN=other", "C=US/O=t /CN= ca  0")}
        elif fault == "spoilt":
            more = {"spoil": True}
        levels.append((exts, d.chance(itself), more | {"own": [e for e in (basics, uses) if e]}))
    last, *between = chain(levels)
    return case(f"authorities {n}", last, between)


# ---- CRLs: 6.3.3

BUREAU, HERE = "C=US/O=T/CN=Bureau", ("http://x.example/1", "http://x.example/2")
POINT_NAMES = [full_name(uri(HERE[0])), full_name(uri(HERE[0])), full_name(uri(HERE[1])), full_name(uri(HERE[1]), uri(HERE[0])),
               relative_name(attribute("CN", "point")), full_name(directory("C=US/O=T/CN=CA/CN=point"))]
FRESHEST = ext("2.5.29.46", seq(seq(full_name(uri(HERE[0])))))  # without it openssl looks at no delta


def list_case(n):
    """The certificate's lists are its authority's, whole or by points, or a bureau's."""
    d = Dice("CRLs", n)
    kind, mute = d.one("whole", "point", "bureau"), d.chance(6)
    ca = authority(R, own=[basic(), usage("keyCertSign")]) if mute else authority(R)
    bureau = Cert(BUREAU, R, key("bureau"), [usage("cRLSign"), ski(key("bureau")), aki(R.key)])
    other = Cert(ca.subject, R, key("signer"), [usage("cRLSign"), ski(key("signer")), aki(R.key)])
    where = d.one(*POINT_NAMES, *[b""] * 6 * (kind == "bureau"))
    at = {"whole": [], "point": [points((where, (), b""))], "bureau": [points((where, (), directory(BUREAU)))]}[kind]
    last = Cert(LEAF, ca, key("leaf"), [ski(key("leaf")), aki(ca.key), *([basic()] if d.chance(12) else []), *at])
    lists, numbers, deltas = [crl(R)], d.some((1, 4, 7), 3), d.chance(25)
    ours = [certificate_issuer("C=US/O=T/CN=CA")] if kind == "bureau" else []
    for _ in range(d.one(1, 1, 2)):
        by, number = bureau if kind == "bureau" else d.one(ca, ca, ca, other), numbers.pop()
        about = {} if d.chance(60) else d.one({"user": True}, {"ca": True}, {"some": (1, 2)}, {"some": tuple(range(9))}, {"some": (3, 4, 5, 6, 7, 8)})
        name_of = d.one(where, where, d.one(*POINT_NAMES)) if kind != "whole" and where and d.chance(60) else b""
        indirect = kind == "bureau" and d.chance(90)
        idp = [issuing_point(name_of, indirect=indirect, **about)] if name_of or about or indirect else []
        more = [FRESHEST] * deltas + ([rfc5280.UNKNOWN] if d.chance(3) else [])

        def entries(percent, of, idp=idp, indirect=indirect):
            if not d.chance(percent):
                return [99] if d.chance(20) else []
            return [(last, *([reason(d.one(*of))] if d.chance(60) else []), *(ours if indirect else []))]
        ends, begins = ("260531000000Z" if d.chance(7) else "261201000000Z"), ("260602000000Z" if d.chance(5) else f"2605{number:02}000000Z")
        lists.append(crl(by, entries(35, (1, 2, 6, 9)), idp + more, number=number, begins=begins, ends=ends, spoil=d.chance(4)))
        if deltas and d.chance(70):
            lists.append(crl(by, entries(60, (1, 6, 8, 8)), idp + more, number=number + d.roll(3), delta_of=max(0, number + d.one(-1, 0, 0, 1)),
                             begins=f"2605{number + 10}000000Z"))
    return case(f"CRLs {n}", last, (ca, bureau, *([other] if d.chance(70) else [])), crls=lists, peers="openssl" if deltas else "java openssl", sent=1)


# ---- several candidates: RFC 4158

class Who:
    """Somebody's name and key."""

    def __init__(self, subject, k):
        self.subject, self.key, self.words = name(subject), key(k), subject


def mesh_case(n):
    d = Dice("meshes", n)
    who = [Who(f"C=US/O=T/CN=CA {i}", f"level {i}{x}") for i in range(d.one(2, 3, 3, 4)) for x in d.one("a", "a", "ab")]
    pool = []
    for a in who:
        for _ in range(d.one(1, 1, 2)):
            by, exts, own, more = R if d.chance(45) else d.one(*who), [], [basic(path_len=d.roll(3) if d.chance(20) else None), usage("keyCertSign", "cRLSign")], {}
            fault = d.one("expired", "no ca", "spoilt", "critical", "usage", *13 * [""])
            if fault in ("expired", "spoilt"):
                more = {"ends": "260101000000Z"} if fault == "expired" else {"spoil": True}
            elif fault == "critical":
                exts.append(rfc5280.UNKNOWN)
            elif fault:
                own = [basic(False), own[1]] if fault == "no ca" else [own[0], usage("cRLSign")]
            exts += [constraints([dns(d.one("example.com", "example.org"))])] * d.chance(15) + [policies(*d.some(OIDS[:2]))] * d.chance(80)
            exts += [policy_limits(d.roll(2))] * d.chance(10) + ([ski(a.key)] if d.chance(85) else []) + ([aki(by.key)] if d.chance(70) else [])
            pool.append(Cert(a.words, by, a.key, own + exts, **more))
    last = leaf(d.one(*who), [policies(OIDS[0])] * d.chance(80), subject=LEAF)
    wanted = d.one([], [OIDS[0]], [OIDS[1]])
    options = {"policies": wanted} | ({"explicit": True} if d.chance(30) else {})
    return case(f"meshes {n}", last, d.some(pool, len(pool)), (R, root(k="another root")) if d.chance(30) else (R,), peers="java", build=True, **options)


KINDS = (policy_case, names_case, authority_case, list_case, mesh_case)
