"""Chains for RFC 5280, a row each: what is wrong with one, and the code of the verdict that troth verify is to give.

Signatures 6.1.3(a)(1), validity 4.1.2.5, names 7.1, basicConstraints and keyUsage 6.1.4(k-n), critical extensions 6.1.4(o), path lengths
with self-issued certificates 6.1.4(l), name constraints 4.2.1.10, policies 6.1.2-6.1.6 and their report, paths with several candidates (RFC
4158), CRLs 5 and 6.3: scope, reasons, indirect and delta lists, who may sign.  Certificates and lists are made by pki.py.  Judged by
test_verb_rfc5280.py, and by others' verifiers in tests/interop/test_paths.py; here nothing is run."""
import collections

from pki import (ALGORITHMS, ANY, NULL, Cert, aki, attribute, authority, basic, certificate_issuer, constraints, crl, directory, dns, ext, full_name,
                 inhibit_any, ip, issuing_point, key, leaf, mail, mappings, name, oid, pem, points, policies, policy_limits, printable, reason,
                 relative_name, root, san, ski, tlv, uri, usage, utf8)

NOW = "2026-06-01T00:00:00Z"
Row = collections.namedtuple("Row", "what code last between roots crls args tells")
rows = []


def row(what, code, last, between=(), roots=None, crls=(), args=(), tells=()):
    """`code`: of the refusal, or "ok"."""
    rows.append(Row(what, code, last, between, roots or (R,), crls, args, tells))


R, PA, PB, PC = root(), "1.3.6.1.4.1.99999.1", "1.3.6.1.4.1.99999.2", "1.3.6.1.4.1.99999.3"
CA = authority(R)
L = leaf(CA)

# ---- one chain, one thing wrong
RSA = tlv(0x30, oid("1.2.840.113549.1.1.11"), NULL)
row("good", "ok", L, (CA,))
row("a spoilt signature", "cert.bad-signature", leaf(CA, spoil=True), (CA,))
row("a spoilt signature above", "cert.bad-signature", L, (authority(R, spoil=True),))
row("two algorithms", "cert.algorithm-mismatch", leaf(CA, inner=ALGORITHMS["sha1"]), (CA,))
row("SHA-1", "cert.weak-signature", leaf(CA, sha="sha1"), (CA,))
row("SHA-1 on the anchor", "ok", L, (CA,), (root(sha="sha1"),))
row("the last second", "ok", leaf(CA, ends="260601000000Z"), (CA,))
row("one second late", "cert.expired", leaf(CA, ends="260531235959Z"), (CA,))
row("one second early, above", "cert.not-yet-valid", L, (authority(R, begins="260601000001Z"),))
row("a string in pieces", "der.unexpected-tag", leaf(CA, subject=tlv(0x30, tlv(0x31, tlv(0x30, oid("2.5.4.3"), tlv(0x2c, utf8("a")))))), (CA,))
row("no attribute in an RDN", "der.empty", leaf(CA, subject=tlv(0x30, tlv(0x31))), (CA,))
row("no name in subjectAltName", "cert.malformed-ext", leaf(CA, [san()], names=()), (CA,), tells=("is empty",))
row("a key that cannot sign so", "cert.bad-signature", leaf(CA, inner=RSA, outer=RSA), (CA,), tells=("sha256WithRSAEncryption, which the key of certificate 2",))
row("until 9999", "ok", leaf(CA, ends="99991231235959Z"), (CA,))
row("UTCTime 50 is 1950", "cert.expired", leaf(CA, begins="500101000000Z", ends="510101000000Z"), (CA,))
row("bytes behind", "der.trailing-bytes", leaf(CA, behind=b"\0"), (CA,), tells=("certificate 1 of 2", "at byte"))
row("version 1 above", "cert.version", L, (Cert("C=US/O=T/CN=CA", R, CA.key, version=1),))
row("version 1 with extensions", "cert.version", leaf(CA, version=1), (CA,))
UNKNOWN = ext("1.2.3.4.5", NULL, True)
row("unknown and critical", "cert.critical-ext", leaf(CA, [UNKNOWN]), (CA,))
row("unknown and critical above", "cert.critical-ext", L, (authority(R, [UNKNOWN]),))
strange = root([UNKNOWN])
row("unknown and critical, the anchor", "cert.critical-ext", leaf(strange), (), (strange,), tells=("trust anchor \"CN=Root", ".roots, among those trusted"))
row("unknown", "ok", leaf(CA, [ext("1.2.3.4.5", NULL)]), (authority(R, [ext("1.2.3.4.5", NULL)]),))
row("an extension twice", "cert.duplicate-ext", leaf(CA, [ext("1.2.3.4", NULL), ext("1.2.3.4", NULL)]), (CA,))
row("other key identifiers", "ok", Cert("CN=l", CA, key("leaf"), [aki(b"x" * 20)]), (CA,))

# ---- names of issuers (7.1)
for what, code, subject, issuer in (
        ("case and white space", "ok", "C=US/O=T/CN= My  CA", "C=US/O=t/CN=MY ca"),
        ("types of strings", "ok", name("O=T/CN=My CA", printable), "O=T/CN=my ca"),
        ("the order of RDNs", "cert.missing-intermediate", "O=T/CN=My CA", "CN=My CA/O=T"),
        ("one RDN for two", "cert.missing-intermediate", tlv(0x30, tlv(0x31, attribute("CN", "a"), attribute("O", "T"))), "CN=a/O=T")):
    made = authority(R, subject=subject)
    row("names: " + what, code, leaf(made, issuer=issuer), (made,))

# what RFC 4518 2 makes of strings before they are compared
for what, a, b in (
        ("BMPString", lambda t: tlv(30, t.encode("utf-16-be")), utf8), ("UniversalString", lambda t: tlv(28, t.encode("utf-32-be")), utf8),
        ("TeletexString", lambda t: tlv(20, t.encode("latin-1")), utf8), ("IA5String", lambda t: tlv(22, t.encode()), utf8),
        ("the case of an umlaut", lambda t: utf8(t + "Ä"), lambda t: utf8(t + "ä")), ("a sharp s", lambda t: utf8(t + "straße"), lambda t: utf8(t + "STRASSE")),
        ("a tab for a space", lambda t: utf8(t + "a\tb"), lambda t: utf8(t + "a b")), ("a soft hyphen", lambda t: utf8(t + "a\u00adb"), lambda t: utf8(t + "ab"))):
    made = authority(R, subject=name("O=T/CN=My CA", a))
    row("names: " + what, "ok", leaf(made, issuer=name("O=T/CN=my ca", b)), (made,))
for what, code, subject, issuer in (("no space for one", "cert.missing-intermediate", "CN=MyCA", "CN=My CA"), ("a part", "cert.missing-intermediate", "O=T/CN=My CA", "O=T"),
                                    ("the order in an RDN", "ok", tlv(0x30, tlv(0x31, attribute("CN", "a"), attribute("O", "T"))),
                                     tlv(0x30, tlv(0x31, attribute("CN", "A"), attribute("O", "t"))))):
    made = authority(R, subject=subject)
    row("names: " + what, code, leaf(made, issuer=issuer), (made,))

# ---- known extensions that are critical though most are not (4.2)
POINT_HERE = tlv(0x30, tlv(0x30, full_name(uri("http://x.example/"))))
for what, code, oid_of, value in (
        ("certificatePolicies", "ok", "2.5.29.32", tlv(0x30, tlv(0x30, oid(PA)))),
        ("certificatePolicies with a CPS", "ok", "2.5.29.32", tlv(0x30, tlv(0x30, oid(PA), tlv(0x30, tlv(0x30, oid("1.3.6.1.5.5.7.2.1"), tlv(22, b"http://x")))))),
        ("certificatePolicies with an unknown qualifier", "cert.critical-ext", "2.5.29.32",
         tlv(0x30, tlv(0x30, oid(PA), tlv(0x30, tlv(0x30, oid("1.2.3"), NULL))))),
        ("extKeyUsage", "ok", "2.5.29.37", tlv(0x30, oid("1.3.6.1.5.5.7.3.1"))),
        ("issuerAltName", "cert.critical-ext", "2.5.29.18", tlv(0x30, dns("a.example"))),
        ("cRLDistributionPoints", "ok", "2.5.29.31", POINT_HERE),
        ("freshestCRL", "cert.critical-ext", "2.5.29.46", POINT_HERE),
        ("authorityInfoAccess", "cert.critical-ext", "1.3.6.1.5.5.7.1.1", tlv(0x30, tlv(0x30, oid("1.3.6.1.5.5.7.48.1"), uri("http://x")))),
        ("subjectInfoAccess", "cert.critical-ext", "1.3.6.1.5.5.7.1.11", tlv(0x30, tlv(0x30, oid("1.3.6.1.5.5.7.48.5"), uri("http://x")))),
        ("privateKeyUsagePeriod", "cert.critical-ext", "2.5.29.16", tlv(0x30, tlv(0x80, b"20250101000000Z"))),
        ("nsCertType", "cert.critical-ext", "2.16.840.1.113730.1.1", tlv(3, b"\6\x40"))):
    made = authority(R, [ext(oid_of, value, True)])
    row("critical " + what, code, leaf(CA, [ext(oid_of, value, True)]), (CA,))
    row("critical " + what + " above", code, leaf(made), (made,))

# ---- what a CA is (6.1.4 k-n)
for what, code, own in (
        ("no basicConstraints", "cert.not-a-ca", [usage("keyCertSign")]),
        ("cA FALSE", "cert.not-a-ca", [basic(False), usage("keyCertSign")]),
        ("cA FALSE, written", "cert.malformed-ext", [ext("2.5.29.19", tlv(0x30, tlv(1, b"\0")), True)]),
        ("no keyUsage", "ok", [basic()]),
        ("no keyCertSign", "cert.key-usage", [basic(), usage("cRLSign")]),
        ("an endless path length", "ok", [basic(path_len=2**70)]),
        ("a negative path length", "cert.malformed-ext", [basic(path_len=-1)])):
    row("a CA with " + what, code, L, (authority(R, own=own),))


def tower(*levels):
    """Authorities one below the other: a path length, or "self" for a self-issued one without."""
    made = [R]
    for i, level in enumerate(levels):
        itself = level == "self"
        made.append(authority(made[-1], subject=made[-1].subject if itself else f"CN=Level {i}", k=f"level {i}", path_len=None if itself else level))
    return made[1:]


for what, code, levels in (
        ("0", "ok", (0,)),
        ("0 and one below", "cert.pathlen", (0, None)),
        ("1 and one below", "ok", (1, None)),
        ("0 and itself below", "ok", (0, "self")),
        ("0, itself and another below", "cert.pathlen", (0, "self", None)),
        ("5 below 1", "cert.pathlen", (1, 5, None)),
        ("twelve authorities", "ok", 12 * (None,))):
    made = tower(*levels)
    row("path length " + what, code, leaf(made[-1]), made[::-1])

# ---- name constraints (4.2.1.10)
BAD, MN, MC, UC = "cert.name-constraint", "cert.malformed-name", "cert.malformed-constraint", "cert.unsupported-constraint"
for what, code, permitted, excluded, names in (
        ("a host below", "ok", [dns("example.com")], None, [dns("a.EXAMPLE.com")]),
        ("a host beside", BAD, [dns("example.com")], None, [dns("badexample.com")]),
        ("a wildcard that reaches in", BAD, None, [dns("a.example.com")], [dns("*.example.com")]),
        ("a wildcard that reaches out", BAD, [dns("a.example.com")], None, [dns("*.example.com")]),
        ("a leading dot", MC, [dns(".example.com")], None, [dns("a.example.com")]),
        ("another form of name", "ok", [dns("example.com")], None, [mail("a@b.c")]),
        ("a mailbox of the host", "ok", [mail("example.com")], None, [mail("a@example.com")]),
        ("a mailbox below the host", BAD, [mail("example.com")], None, [mail("a@x.example.com")]),
        ("a mailbox below the domain", "ok", [mail(".example.com")], None, [mail("a@x.example.com")]),
        ("the case of a local part", BAD, [mail("a@example.com")], None, [mail("A@example.com")]),
        ("a URI below", "ok", [uri(".example.com")], None, [uri("https://a.example.com:1/")]),
        ("a URI's user", BAD, [uri("example.com")], None, [uri("https://example.com@b.example/")]),
        ("a URI that readers disagree about", MN, None, [uri("a.example")], [uri("https://a.example\\@b.example/")]),
        ("a URI without a host", MN, [uri("example.com")], None, [uri("urn:x:y")]),
        ("an address in the net", "ok", [ip(192, 0, 2, 0, 255, 255, 255, 0)], None, [ip(192, 0, 2, 9)]),
        ("an address outside", BAD, [ip(192, 0, 2, 0, 255, 255, 255, 0)], None, [ip(192, 0, 3, 9)]),
        ("a mask with holes", MC, [ip(192, 0, 2, 0, 255, 0, 255, 0)], None, [ip(192, 0, 2, 9)]),
        ("a name within", "ok", [directory("C=US/O=t", printable)], None, [dns("a.example")]),
        ("a name outside", BAD, [directory("C=DE")], None, [dns("a.example")]),
        ("an excluded name", BAD, None, [directory("C=US")], [dns("a.example")]),
        ("a form nobody knows", UC, [tlv(0x88, b"\x2a\3")], None, [tlv(0x88, b"\x2a\3")]),
        ("a form nobody knows, and no such name", "ok", [tlv(0x88, b"\x2a\3")], None, [dns("a.example")]),
        ("no subtrees", MC, [], None, [dns("a.example")]),
        ("a maximum", MC, [dns("example.com") + tlv(0x81, b"\1")], None, [dns("a.example.com")])):
    made = authority(R, [constraints(permitted, excluded)])
    row("constraints: " + what, code, leaf(made, names=names), (made,))
# a base and a name: what comes of it where the base is permitted, and where it is excluded
for form, base, held, inside, excluded in (
        (dns, "example.com", "example.com", "ok", BAD), (dns, "example.com", "a.b.example.com", "ok", BAD), (dns, "example.com", "com", BAD, "ok"),
        (dns, "", "example.com", "ok", BAD), (dns, "example.com", "*.example.com", "ok", BAD), (dns, "example.com", "*.com", BAD, BAD),
        (dns, "*.example.com", "a.example.com", MC, MC), (dns, "example.com.", "a.example.com", MC, MC), (dns, "example.com", "a.example.com.", MN, MN),
        (dns, "example.com", "a..example.com", MN, MN), (dns, "example.com", "f*.example.com", MN, MN), (dns, "example.com", "a_b.example.com", "ok", BAD),
        (mail, "example.com", "a@EXAMPLE.com", "ok", BAD), (mail, ".example.com", "a@example.com", BAD, "ok"), (mail, "a@example.com", "a@EXAMPLE.com", "ok", BAD),
        (mail, "a@example.com", "b@example.com", BAD, "ok"), (mail, "", "a@example.com", "ok", BAD),
        (mail, "example.com", "example.com", MN, MN),
        (mail, "example.com", "a@b@example.com", MN, MN), (mail, "example.com", "a@[192.0.2.1]", MN, MN), (mail, "@example.com", "a@example.com", MC, MC),
        (uri, "example.com", "http://EXAMPLE.com/", "ok", BAD), (uri, "example.com", "http://a.example.com/", BAD, "ok"),
        (uri, ".example.com", "ldap://example.com", BAD, "ok"),
        (uri, "example.com", "http://u:p@example.com:1/", "ok", BAD), (uri, "example.com", "http://example.com?x", "ok", BAD),
        (uri, "example.com", "http://192.0.2.1/", MN, MN),
        (uri, "example.com", "http://[::1]/", MN, MN), (uri, "example.com", "mailto:a@example.com", MN, MN), (uri, "http://example.com", "http://example.com/", MC, MC)):
    for code, lists in ((inside, ([form(base)], None)), (excluded, (None, [form(base)]))):
        made = authority(R, [constraints(*lists)])
        row(f"constraints: {form.__name__} {held!r} with {base!r} {'permitted' if lists[0] else 'excluded'}", code, leaf(made, names=[form(held)]), (made,))
for base, held, inside, excluded in (((0,) * 8, (192, 0, 2, 9), "ok", BAD), ((192, 0, 2, 9, 255, 255, 255, 255), (192, 0, 2, 9), "ok", BAD),
                                     ((0,) * 8, (0x20, *15 * (1,)), BAD, "ok"),
                                     ((0x20, 1, *14 * (0,), 255, 255, *14 * (0,)), (0x20, 1, *14 * (7,)), "ok", BAD), ((192, 0, 2, 0), (192, 0, 2, 0), MC, MC)):
    for code, lists in ((inside, ([ip(*base)], None)), (excluded, (None, [ip(*base)]))):
        made = authority(R, [constraints(*lists)])
        row(f"constraints: ip {held} with {base} {'permitted' if lists[0] else 'excluded'}", code, leaf(made, names=[ip(*held)]), (made,))
for base, inside, excluded in (("C=US", "ok", BAD), ("C=US/O=T/CN=a leaf", "ok", BAD), ("C=US/O=T/CN=a leaf/O=x", BAD, "ok"), ("O=T", BAD, "ok"), ("", "ok", BAD)):
    for code, lists in ((inside, ([directory(base)], None)), (excluded, (None, [directory(base)]))):
        made = authority(R, [constraints(*lists)])
        row(f"constraints: the subject with {base!r} {'permitted' if lists[0] else 'excluded'}", code, leaf(made, names=(), subject="C=US/O=T/CN=a leaf"), (made,))
UTF8_MAILBOX = oid("1.3.6.1.5.5.7.8.9")
for what, code, values in (("", "ok", (utf8("a@example.com"),)), (" outside", BAD, (utf8("a@example.org"),)),
                           (" and another", "cert.malformed-ext", (utf8("a@example.com"), utf8("a@example.org"))), (" without one", "cert.malformed-ext", ())):
    made = authority(R, [constraints([mail("example.com")])])
    row("constraints: an SmtpUTF8Mailbox" + what, code, leaf(made, names=[tlv(0xa0, UTF8_MAILBOX, tlv(0xa0, *values))]), (made,))
for asked, code, held in (("ä@example.com", "ok", utf8("ä@example.com")), ("Ä@example.com", "cert.name-mismatch", utf8("ä@example.com")),
                          ("ä@EXAMPLE.com", "ok", utf8("ä@example.com")), ("ä@bücher.example", "ok", utf8("ä@xn--bcher-kva.example")),
                          ("ä@bücher.example", "cert.name-mismatch", utf8("ä@bücher.example")), ("a@bücher.example", "ok", None)):
    names = [tlv(0xa0, UTF8_MAILBOX, tlv(0xa0, held))] if held else [mail("a@xn--bcher-kva.example")]
    row(f"a mailbox asked for: {asked}", code, leaf(CA, names=names), (CA,), args=("--email", asked))
made = authority(R, [constraints([dns("example.com")])])
row("constraints: the common name is no host", "ok", leaf(made, names=(), subject="CN=www.example.org"), (made,))
made = authority(R, [constraints([mail("example.com")])])
row("constraints: a mailbox in the subject", BAD, leaf(made, names=(), subject="CN=l/E=a@example.org"), (made,))
made = authority(R, [constraints([directory("C=DE")])])
itself = authority(made, subject=made.subject, k="itself")
row("constraints: a self-issued CA is exempt", "ok", leaf(itself, subject="C=DE/CN=l"), (made, itself))
row("constraints: a self-issued leaf is not", BAD, leaf(made, subject=made.subject), (made,))
low = authority(authority(R, [constraints([dns("example.com")])]), [constraints([dns("example.org")])], subject="CN=Low", k="low")
row("constraints: of two levels", BAD, leaf(low, names=[dns("a.example.org")]), (authority(R, [constraints([dns("example.com")])]), low))
row("constraints: of the anchor", BAD, leaf(root([constraints([dns("example.com")])]), names=[dns("a.example.org")]), (),
    (root([constraints([dns("example.com")])]),))

# ---- policies (6.1.2-6.1.6)
EXPLICIT, BAD = "--require-explicit-policy", "cert.policy"
A, B, C, EVERY = policies(PA), policies(PB), policies(PC), policies(ANY)


def path_with(*levels):
    """One certificate for each list of extensions, the leaf last; "self" in front: self-issued."""
    above, made = R, []
    for i, level in enumerate(levels):
        itself = level[0] == "self" if level else False
        exts = level[1:] if itself else level
        if i + 1 < len(levels):
            above = authority(above, exts, subject=above.subject if itself else f"CN=Policy CA {i}", k=f"policy {i}")
        else:
            above = leaf(above, exts)
        made.append(above)
    return made


def wants(*oids):
    return [arg for o in oids for arg in ("--policy", o)]


for what, code, levels, args, told in (
        ("one all the way", "ok", ([A], [A], [A]), [EXPLICIT], PA),
        ("none, none needed", "ok", ([], [], []), ["-v"], "none"),
        ("none", BAD, ([A], [], [A]), [EXPLICIT], ""),
        ("two that differ", BAD, ([A], [B], [A]), [EXPLICIT], ""),
        ("the one asked for", "ok", ([A], [A], [A]), [EXPLICIT, *wants(PA, PB)], PA),
        ("another than asked for", BAD, ([A], [A], [A]), [EXPLICIT, *wants(PB)], ""),
        ("another, none needed", "ok", ([A], [A], [A]), wants(PB), "none"),
        ("anyPolicy throughout", "ok", ([EVERY], [EVERY], [EVERY]), [EXPLICIT], "any"),
        ("anyPolicy throughout, one asked for", "ok", ([EVERY], [EVERY], [EVERY]), [EXPLICIT, *wants(PB)], PB),
        ("anyPolicy in the end", "ok", ([A], [A], [EVERY]), [EXPLICIT, *wants(PA)], PA),
        ("anyPolicy does not widen", BAD, ([A], [A], [EVERY]), [EXPLICIT, *wants(PB)], ""),
        ("--inhibit-any-policy", BAD, ([EVERY], [EVERY], [A]), [EXPLICIT, "--inhibit-any-policy"], ""),
        ("inhibitAnyPolicy 0", BAD, ([A, inhibit_any(0)], [A], [EVERY]), [EXPLICIT], ""),
        ("inhibitAnyPolicy 1", "ok", ([A, inhibit_any(1)], [EVERY], [A]), [EXPLICIT], PA),
        ("inhibitAnyPolicy 0, itself", "ok", ([A, inhibit_any(0)], ["self", EVERY], [A]), [EXPLICIT], PA),
        ("inhibitAnyPolicy without end", "ok", ([A, inhibit_any(2**40)], [EVERY], [A]), [EXPLICIT], PA),
        ("a mapping", "ok", ([A, mappings((PA, PB))], [B], [B]), [EXPLICIT, *wants(PA)], PA),
        ("a mapping, by the mapped name", BAD, ([A, mappings((PA, PB))], [B], [B]), [EXPLICIT, *wants(PB)], ""),
        ("a mapping, and the old name", BAD, ([A, mappings((PA, PB))], [A], [A]), [EXPLICIT], ""),
        ("two mappings", "ok", ([A, mappings((PA, PB))], [B, mappings((PB, PC))], [C]), [EXPLICIT, *wants(PA)], PA),
        ("a mapping of what anyPolicy allows", "ok", ([EVERY, mappings((PA, PB))], [B], [B]), [EXPLICIT], PA),
        ("a mapping from anyPolicy", BAD, ([EVERY, mappings((ANY, PB))], [B], [B]), [], ""),
        ("a mapping to anyPolicy", BAD, ([A, mappings((PA, ANY))], [A], [A]), [], ""),
        ("--inhibit-policy-mapping", BAD, ([A, mappings((PA, PB))], [B], [B]), [EXPLICIT, "--inhibit-policy-mapping"], ""),
        ("inhibitPolicyMapping 0", BAD, ([A, policy_limits(mapping=0)], [A, mappings((PA, PB))], [B]), [EXPLICIT], ""),
        ("inhibitPolicyMapping 1", "ok", ([A, policy_limits(mapping=1)], [A, mappings((PA, PB))], [B]), [EXPLICIT], PA),
        ("inhibitPolicyMapping 1, itself", "ok", ([A, policy_limits(mapping=1)], ["self", A], [A, mappings((PA, PB))], [B]), [EXPLICIT], PA),
        ("requireExplicitPolicy 0", BAD, ([A, policy_limits(0)], [A], []), [], ""),
        ("requireExplicitPolicy 2", BAD, ([A, policy_limits(2)], [A], []), [], ""),
        ("requireExplicitPolicy 3", "ok", ([A, policy_limits(3)], [A], []), ["-v"], "none"),
        ("requireExplicitPolicy 2, itself", "ok", ([A, policy_limits(2)], ["self", A], []), ["-v"], "none"),
        ("requireExplicitPolicy of the leaf", BAD, ([], [], [policy_limits(0)]), [], ""),
        ("requireExplicitPolicy without end", "ok", ([A, policy_limits(2**64)], [A], []), ["-v"], "none"),
        ("a policy twice, and none above", BAD, ([], [], [policies(PA, PA)]), [], ""),
        ("a policy twice", BAD, ([A], [A], [policies(PA, PA)]), [], "")):
    made = path_with(*levels)
    row("policies: " + what, code, made[-1], made[:-1], args=args, tells=(f"policies: {told}\n",) if told else ())

# ---- several candidates (RFC 4158): the first is of no use, in every order
L2 = leaf(CA, [A])
for what, bad, args in (
        ("expired", authority(R, ends="260101000000Z"), ()),
        ("of another key", authority(R, k="other"), ()),
        ("badly signed", authority(R, spoil=True), ()),
        ("constrained", authority(R, [constraints([dns("example.org")])]), ()),
        ("too short", authority(R, own=[basic(False)]), ()),
        ("of another policy", authority(R, [B]), [EXPLICIT])):
    good = authority(R, [A])
    for order in ((bad, good), (good, bad)):
        row(f"candidates: one {what}", "ok", L2, order, args=args)
    row(f"candidates: only one {what}", {"of another policy": "cert.policy", "constrained": "cert.name-constraint", "expired": "cert.expired", "too short":
                                         "cert.not-a-ca", "badly signed": "cert.bad-signature", "of another key": "chain.wrong-intermediate"}[what], L2, (bad,), args=args)
CA2 = authority(R)
row("candidates: one revoked", "ok", L, (CA, CA2), crls=(crl(R, [CA]), crl(CA)))
new = root(k="new root")
old_with_new = Cert(R.subject, new, R.key, [basic(), usage("keyCertSign", "cRLSign"), ski(R.key), aki(new.key)])
row("the old root's key by the new one's", "ok", L, (CA, old_with_new), (new,))
row("an anchor in the middle", "ok", L, (), (CA,))
row("the leaf is the anchor", "ok", L, (), (L,))
for what, code, last, middle, more in (
        ("good as an anchor", "ok", leaf(CA, [A]), CA, wants(PA)),
        ("good below another alone", "ok", leaf(CA, [B]), authority(R, [A, mappings((PA, PB))]), wants(PA)),
        ("good as an anchor alone", "ok", leaf(CA, [B]), authority(R, [A, mappings((PA, PB))]), wants(PB)),
        ("good as neither", "cert.policy", leaf(CA, [B]), authority(R, [A, mappings((PA, PB))]), wants(PC))):
    for roots in ((R, middle), (middle, R)):
        row("an anchor that is sent, " + what, code, last, (middle,), roots, args=[EXPLICIT, *more])
aged = root(ends="260101000000Z")
row("an anchor that is sent, expired", "cert.expired", L, (CA, aged), (aged,), tells=("trust anchor",))
row("signed by itself", "cert.self-signed", Cert("CN=self", None, key("self")))
one, two = (authority(Cert(f"CN={a}", None, key(a)), subject=f"CN={b}", k=b) for a, b in (("one", "two"), ("two", "one")))
row("a circle of two", "chain.untrusted-root", leaf(one), (one, two), tells=("\"CN=two\" is certificate 2: they certify one another",))
mesh = [authority(Cert(f"CN=M{a}", None, key(f"m{a}")), subject=f"CN=M{b}", k=f"m{b}") for a in range(9) for b in range(9) if a != b]
row("a mesh without an anchor", "chain.untrusted-root", leaf(mesh[0]), mesh)
row("a mesh with an anchor", "ok", leaf(mesh[0]), [*mesh, authority(R, subject="CN=M7", k="m7")])

# ---- CRLs (5, 6.3)
RC, LISTED, SCOPE = crl(R), "cert.revoked", "crl.scope"
HALF, OTHER_HALF = (1, 2), (3, 4, 5, 6, 7, 8)
for what, code, lists in (
        ("of both authorities", "ok", [crl(CA)]),
        ("none of one", "crl.none", []),
        ("listed", LISTED, [crl(CA, [L])]),
        ("another listed", "ok", [crl(CA, [5, 6])]),
        ("version 1", "ok", [crl(CA, version=1)]),
        ("version 1, listed", LISTED, [crl(CA, [L], version=1)]),
        ("without a number", "crl.malformed", [crl(CA, number=None)]),
        ("out of date", "crl.stale", [crl(CA, ends="260531000000Z")]),
        ("of tomorrow", "crl.not-yet-valid", [crl(CA, begins="260602000000Z")]),
        ("badly signed", "crl.signature", [crl(CA, spoil=True)]),
        ("signed with SHA-1", "crl.signature", [crl(CA, sha="sha1")]),
        ("unknown and critical", "crl.critical-extension", [crl(CA, extra=[UNKNOWN])]),
        ("critical issuerAltName", "crl.critical-extension", [crl(CA, extra=[ext("2.5.29.18", tlv(0x30, dns("a.example")), True)])]),
        ("critical freshestCRL", "crl.critical-extension", [crl(CA, extra=[ext("2.5.29.46", POINT_HERE, True)])]),
        ("critical authorityInfoAccess", "crl.critical-extension",
         [crl(CA, extra=[ext("1.3.6.1.5.5.7.1.1", tlv(0x30, tlv(0x30, oid("1.3.6.1.5.5.7.48.2"), uri("http://x"))), True)])]),
        ("an entry unknown and critical", "crl.critical-extension", [crl(CA, [(5, UNKNOWN)])]),
        ("on hold", LISTED, [crl(CA, [(L, reason(6))])]),
        ("no reason that exists", "der.out-of-range", [crl(CA, [(L, reason(7))])]),
        ("for users", "ok", [crl(CA, extra=[issuing_point(user=True)])]),
        ("for CAs", SCOPE, [crl(CA, extra=[issuing_point(ca=True)])]),
        ("for attributes", SCOPE, [crl(CA, extra=[issuing_point(attribute_certs=True)])]),
        ("for some reasons", SCOPE, [crl(CA, extra=[issuing_point(some=HALF)])]),
        ("for all reasons, in two", "ok", [crl(CA, extra=[issuing_point(some=HALF)]), crl(CA, extra=[issuing_point(some=OTHER_HALF)])]),
        ("listed in the second of two", LISTED, [crl(CA, extra=[issuing_point(some=HALF)]), crl(CA, [L], [issuing_point(some=OTHER_HALF)])]),
        ("of another point", SCOPE, [crl(CA, extra=[issuing_point(full_name(uri("http://x.example/1")))])]),
        ("of the issuer's own name", "ok", [crl(CA, extra=[issuing_point(full_name(directory("C=US/O=T/CN=ca")))])]),
        ("a delta alone", "crl.delta-base", [crl(CA, number=2, delta_of=1)]),
        ("a delta that adds", LISTED, [crl(CA), crl(CA, [L], number=2, delta_of=1)]),
        ("a delta that takes away", "ok", [crl(CA, [(L, reason(6))]), crl(CA, [(L, reason(8))], number=2, delta_of=1)]),
        ("a delta of a later base", "ok", [crl(CA), crl(CA, [L], number=3, delta_of=2)]),
        ("a delta for version 1", "ok", [crl(CA, version=1), crl(CA, [L], number=2, delta_of=0)]),
        ("out of date, with a delta", LISTED, [crl(CA, ends="260531000000Z"), crl(CA, [L], number=2, delta_of=1)]),
        ("a newer one", LISTED, [crl(CA), crl(CA, [L], number=2, begins="260510000000Z")]),
        ("an older one", "ok", [crl(CA, [L]), crl(CA, number=2, begins="260510000000Z")])):
    row("CRL: " + what, code, L, (CA,), crls=[RC, *lists])
row("CRL: the authority listed", LISTED, L, (CA,), crls=[crl(R, [CA]), crl(CA)])
row("CRL: for users, about a CA", SCOPE, L, (CA,), crls=[crl(R, extra=[issuing_point(user=True)]), crl(CA)])
for serial in (-5, 0, 2**160 - 1):
    odd = leaf(CA, serial=serial)
    row(f"CRL: serial number {serial:x}", LISTED, odd, (CA,), crls=[RC, crl(CA, [odd])])
POINT = relative_name(attribute("CN", "point"))
at = leaf(CA, [points((POINT, (), b""))])
row("CRL: a relative name", "ok", at, (CA,), crls=[RC, crl(CA, extra=[issuing_point(POINT)])])
row("CRL: a relative name in full", LISTED, at, (CA,), crls=[RC, crl(CA, [at], [issuing_point(full_name(directory("C=US/O=T/CN=CA/CN=point")))])])
row("CRL: another relative name", SCOPE, at, (CA,), crls=[RC, crl(CA, extra=[issuing_point(relative_name(attribute("CN", "elsewhere")))])])
hourly = [crl(CA, number=i, begins=f"2605{i // 24 + 1:02}{i % 24:02}0000Z") for i in range(120)]  # more than signatures are verified for one verdict
row("CRL: the newest of many", "ok", L, (CA,), crls=[RC, *hourly])
row("CRL: listed in the newest of many", LISTED, L, (CA,), crls=[RC, *hourly, crl(CA, [L], number=200, begins="260520000000Z")])
# who may sign
mute = authority(R, own=[basic(), usage("keyCertSign")])
mute_leaf = leaf(mute)
signer = Cert(mute.subject, R, key("signer"), [usage("cRLSign"), ski(key("signer")), aki(R.key)])
row("CRL: an issuer who may not sign it", "crl.issuer", mute_leaf, (mute,), crls=[RC, crl(mute)])
row("CRL: another key of the issuer", "ok", mute_leaf, (mute, signer), crls=[RC, crl(signer)])
row("CRL: another key of the issuer, listed", LISTED, mute_leaf, (mute, signer), crls=[RC, crl(signer, [mute_leaf])])
row("CRL: another key of the issuer, which is an anchor and sent", "ok", mute_leaf, (mute, signer), (R, mute), crls=[RC, crl(signer)])
row("CRL: another key of the issuer, which is the anchor", "crl.signature", mute_leaf, (mute, signer), (mute,), crls=[RC, crl(signer)])
row("CRL: that key revoked", "crl.signature", mute_leaf, (mute, signer), crls=[crl(R, [signer]), crl(signer)], tells=("no path of its own",))
# indirect: another issuer, sticky certificateIssuer (5.3.3)
BUREAU = "C=US/O=T/CN=Bureau"
bureau = Cert(BUREAU, R, key("bureau"), [usage("cRLSign"), ski(key("bureau")), aki(R.key)])
far = leaf(CA, [points((b"", (), directory(BUREAU)))])
OURS, THEIRS = certificate_issuer("C=US/O=T/CN=CA"), certificate_issuer("CN=Somebody")
for what, code, entries, point in (
        ("nothing in it", "ok", [], issuing_point(indirect=True)),
        ("listed", LISTED, [(far, OURS)], issuing_point(indirect=True)),
        ("its own number", "ok", [far], issuing_point(indirect=True)),
        ("listed behind another", LISTED, [(5, OURS), far], issuing_point(indirect=True)),
        ("listed for somebody", "ok", [(5, OURS), (6, THEIRS), far], issuing_point(indirect=True)),
        ("not indirect", "crl.issuer", [], issuing_point(user=True))):
    row("CRL: indirect, " + what, code, far, (CA, bureau), crls=[RC, crl(bureau, entries, [point])])
for what, code, names in (("is cut off", "der.truncated", b"\xa4\x30abc"), ("has no tag of its own", "der.unexpected-tag", tlv(0xa4, name("C=US/O=T/CN=CA")[2:])),
                          ("is of no kind", "der.unexpected-tag", tlv(0x84, name("C=US/O=T/CN=CA"))), ("is one of 65", "tls.too-many", directory("C=US/O=T/CN=CA") * 65)):
    entry = ext("2.5.29.29", tlv(0x30, names), True)
    row("CRL: indirect, a certificateIssuer that " + what, code, far, (CA, bureau), crls=[RC, crl(bureau, [(far, entry)], [issuing_point(indirect=True)])])
for what, bad in (("a name cut off", full_name(b"\x86\x30abc")), ("a name of no kind", full_name(tlv(0xa6, b"x"))), ("an RDN that is none", relative_name(utf8("x")))):
    row(f"CRL: {what} in the certificate", "cert.malformed-ext", leaf(CA, [points((bad, (), b""))]), (CA,))
    row(f"CRL: {what} in the list", "der.*", L, (CA,), crls=[RC, crl(CA, extra=[issuing_point(bad)])])
row("CRL: an issuer that is no name, in the certificate", "cert.malformed-ext", leaf(CA, [points((b"", (), tlv(0xa6, b"x")))]), (CA,))
row("CRL: of a bureau nobody named", "crl.none", L, (CA, bureau), crls=[RC, crl(bureau, extra=[issuing_point(indirect=True)])])
