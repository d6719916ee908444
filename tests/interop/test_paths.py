"""troth verify, Java's PKIX and openssl verify as judges of the same chains: what RFC 5280 6.1 and 6.3 say, read three times.
ctest: label=interop slow timeout=600

The chains are those of tests/x509/rfc5280.py, one rule each, and random ones (random_paths.py), a few faults each.  Where a verdict differs the
RFC's text decided, and the difference stands below with its section; any other fails.  SEEDS=N tries so many of each kind."""
import base64
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE + "/../x509")
from pki import ANY, pem  # noqa: E402
import rfc5280  # noqa: E402
import random_paths  # noqa: E402
from random_paths import Case, KINDS  # noqa: E402

TROTH = os.environ.get("TROTH", "build/dev/bin/troth")
SEEDS = int(os.environ.get("SEEDS", "16"))
EPOCH = "1780272000"  # rfc5280.NOW
home = tempfile.TemporaryDirectory(prefix="paths")

# ---- what is known to differ: who, why, in which cases

def both_ways(*names):
    return tuple(f"constraints: {n} {way}" for n in names for way in ("permitted", "excluded"))


DIFFERS = (
    # what is no DER or not of its type is refused (RFC 5280 4.1, 5.1: DER; sizes and defaults of its ASN.1 modules)
    ("java openssl", "reads BER, and lists of none", ("a string in pieces", "no name in subjectAltName", "bytes behind", "constraints: no subtrees")),
    ("openssl", "reads extensions late, or not at all", (
        "no attribute in an RDN", "version 1 with extensions", "an extension twice", "CRL: indirect, a certificateIssuer that is cut off",
        "CRL: indirect, a certificateIssuer that has no tag of its own", "CRL: indirect, a certificateIssuer that is of no kind",
        "CRL: a name cut off in the list", "CRL: a name of no kind in the list", "CRL: an RDN that is none in the list")),
    ("java", "looks into a distribution point only for a CRL's sake", (
        "CRL: a name cut off in the certificate", "CRL: a name of no kind in the certificate", "CRL: an RDN that is none in the certificate",
        "CRL: an issuer that is no name, in the certificate")),
    ("java", "knows no otherName (RFC 9598 6)", ("constraints: an SmtpUTF8Mailbox outside", "constraints: an SmtpUTF8Mailbox and another",
                                                 "constraints: an SmtpUTF8Mailbox without one")),
    ("java", "has numbers of 32 bits alone; INTEGER (0..MAX)", (
        "a CA with an endless path length", "policies: inhibitAnyPolicy without end", "policies: requireExplicitPolicy without end")),
    # certificates
    ("openssl", "takes notAfter for the first second outside (4.1.2.5: inclusive)", ("the last second",)),
    ("openssl", "goes by key identifiers where names and the signature fit (4.2.1.1: they help to find an issuer; 6.1 has no such check)", ("other key identifiers",)),
    ("java", "has no trust anchor's extensions (6.1.1 d leaves it open; RFC 5937 has them)", ("unknown and critical, the anchor", "constraints: of the anchor")),
    ("java", "does not take the leaf for its own trust anchor", ("the leaf is the anchor",)),
    ("java", "compares other strings than PrintableString and UTF8String as bytes; not all of RFC 4518 2 (7.1)", (
        "names: BMPString", "names: UniversalString", "names: TeletexString", "names: IA5String", "names: a tab for a space", "names: a soft hyphen")),
    ("openssl", "folds the case of ASCII alone; not all of RFC 4518 2 (7.1)", ("names: the case of an umlaut", "names: a sharp s", "names: a soft hyphen")),
    ("java openssl", "does not look at qualifiers in a critical certificatePolicies (4.2.1.4)", (
        "critical certificatePolicies with an unknown qualifier", "critical certificatePolicies with an unknown qualifier above")),
    ("java", "does not count this among what it processes (4.2: troth's CRLs go by it)", ("critical cRLDistributionPoints", "critical cRLDistributionPoints above")),
    ("openssl", "knows it, and is asked for no purpose", ("critical nsCertType", "critical nsCertType above")),
    # name constraints: 4.2.1.10
    ("java openssl", "a wildcard is a name like others: here what it may stand for counts (as in CA/Browser Forum 4.2.1)", (
        "constraints: a wildcard that reaches in", "constraints: dns '*.com' with 'example.com' excluded")),
    ("java openssl", "takes what is no host name, mailbox, or URI with a host: what cannot be compared must not pass", (
        "constraints: a leading dot", "constraints: a URI that readers disagree about", "constraints: a mask with holes",
        *both_ways("dns 'a.example.com' with '*.example.com'", "dns 'a.example.com' with 'example.com.'", "dns 'a.example.com.' with 'example.com'",
                   "dns 'a..example.com' with 'example.com'", "dns 'f*.example.com' with 'example.com'", "mail 'a@b@example.com' with 'example.com'",
                   "mail 'a@[192.0.2.1]' with 'example.com'", "mail 'a@example.com' with '@example.com'", "uri 'http://192.0.2.1/' with 'example.com'",
                   "uri 'http://[::1]/' with 'example.com'"))),
    ("openssl", "likewise", both_ways("uri 'http://example.com/' with 'http://example.com'")),
    ("java", "likewise", both_ways("mail 'example.com' with 'example.com'", f"ip {(192, 0, 2, 0)} with {(192, 0, 2, 0)}")),
    ("java openssl", "has no empty base, which is every mailbox", both_ways("mail 'a@example.com' with ''")),
    ("java", "stumbles over an empty base, and over mailboxes under domains", (*both_ways("dns 'example.com' with ''"), "names 22")),
    ("java", "takes a common name for a host", ("constraints: another form of name", "constraints: the common name is no host")),
    ("openssl", "takes a common name for a host", ("constraints: the common name is no host",)),
    ("java", "folds the case of local parts, which are compared exactly (7.5)", ("constraints: the case of a local part",)),
    ("java", "lets pass what it cannot judge", ("constraints: a form nobody knows",)),
    ("openssl", "takes the user, or the query, for part of the host (RFC 3986 3.2)", both_ways(
        "uri 'http://u:p@example.com:1/' with 'example.com'", "uri 'http://example.com?x' with 'example.com'")),
    ("java", "has two kinds of iPAddress: 6.1.3 (b) asks of each whether a base has it", both_ways(f"ip {(32, *15 * (1,))} with {(0,) * 8}")),
    # policies
    ("java", "lists them as they are (4.2.1.4: not twice)", ("policies: a policy twice, and none above", "policies: a policy twice")),
    ("java", "does not take back branches that begin with a mapping of what anyPolicy allows (6.1.4 b 1, 6.1.5 g iii 2)", (
        "policies 49", "policies 72", "policies 85")),
    ("openssl", "loses a policy that two of the level above lead to", ("policies 36",)),
    # paths
    ("openssl", "takes the first issuer that is signed for and in time; the search of RFC 4158 goes on", (
        "candidates: one badly signed", "candidates: one constrained", "candidates: one too short", "candidates: one of another policy",
        "candidates: one revoked", "a mesh with an anchor", "an anchor that is sent, good below another alone")),
    ("java", "does not build on beyond what is an anchor, or ends there alone", (
        "an anchor that is sent, good as an anchor", "an anchor that is sent, good below another alone")),
    # CRLs: 5, 6.3
    ("java openssl", "does without a number (5.2.3)", ("CRL: without a number",)),
    ("openssl", "SHA-1 is no matter of RFC 5280", ("CRL: signed with SHA-1",)),
    ("java", "does not see critical extensions of entries about others (5.3)", ("CRL: an entry unknown and critical",)),
    ("java", "counts the reason that is none among all (6.3.1.2: eight of them)", ("CRL: for all reasons, in two",)),
    ("openssl", "has no distribution point of the issuer's name where there is none (6.3.3, at the end)", ("CRL: of the issuer's own name",)),
    ("java openssl", "has delta CRLs not, or only where freshestCRL says so (6.3.3 c)", ("CRL: a delta that adds", "CRL: a delta that takes away")),
    ("java", "takes the first of several, or a stale one for lack of deltas; here the newest that is good", ("CRL: listed in the newest of many", "CRLs 9", "CRLs 62")),
    ("openssl", "wants a CA where a CRL's signer is an anchor", ("CRL: another key of the issuer, which is an anchor and sent",)),
    ("openssl", "a good delta CRL makes good what is not yet, or no longer, its base (6.3.3 a, c)", ("CRLs 1", "CRLs 91")),
)
TOO_MUCH_FOR_JAVA = ("a mesh without an anchor",)  # its builder tries every way: minutes


# ---- the judges; each answers with "ok" or "no", and its words

class Java:
    name = "java"

    def __init__(self):
        subprocess.run(["javac", "-d", home.name, HERE + "/Paths.java"], check=True)
        self.child = subprocess.Popen(["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", home.name, "Paths"],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lock = threading.Lock()

    def judge(self, c, _):
        def many(ders):
            return ",".join(base64.b64encode(der).decode() for der in ders)
        sent = c.between[:c.options.get("sent", len(c.between))]
        words = ["time=" + rfc5280.NOW, "chain=" + many(x.der for x in (c.last, *sent)), "pool=" + many(x.der for x in c.between[len(sent):]),
                 "anchors=" + many(x.der for x in c.roots), *(f for f in ("explicit", "nomapping", "noany", "build") if c.options.get(f))]
        words += ["crls=" + many(c.crls)] if c.crls else []
        words += ["policies=" + ",".join(c.options["policies"])] if c.options.get("policies") else []
        with self.lock:
            self.child.stdin.write(" ".join(words) + "\n")
            self.child.stdin.flush()
            said = self.child.stdout.readline().rstrip("\n")
        return said[:2], said[3:]

    def end(self):
        self.child.stdin.close()
        self.child.wait()


class OpenSSL:
    name = "openssl"

    def judge(self, c, files):
        a = ["openssl", "verify", "-no-CApath", "-no-CAstore", "-partial_chain", "-purpose", "any", "-auth_level", "1", "-attime", EPOCH, "-policy_check",
             "-CAfile", files["roots"]]
        a += ["-untrusted", files["between"]] if c.between else []
        a += ["-crl_check_all", "-extended_crl", "-use_deltas", "-CRLfile", files["crls"]] if c.crls else []
        for oid in c.options.get("policies") or [ANY]:
            a += ["-policy", oid]
        a += [o for f, o in (("explicit", "-explicit_policy"), ("nomapping", "-inhibit_map"), ("noany", "-inhibit_any")) if c.options.get(f)]
        p = subprocess.run([*a, files["leaf"]], capture_output=True, text=True, timeout=60, check=False)
        return "no" if p.returncode else "ok", p.stderr

    def end(self):
        """It runs anew each time."""


def troth(c, files):
    a = [TROTH, "verify", "--json", "--time", rfc5280.NOW, "--roots", files["roots"], files["leaf"]]
    a += ["--untrusted", files["between"]] if c.between else []
    a += ["--crl", files["crls"]] if c.crls else []
    for oid in c.options.get("policies") or ():
        a += ["--policy", oid]
    flags = (("explicit", "--require-explicit-policy"), ("nomapping", "--inhibit-policy-mapping"), ("noany", "--inhibit-any-policy"))
    p = subprocess.run([*a, *(o for f, o in flags if c.options.get(f))], capture_output=True, text=True, timeout=60, check=False)
    assert p.returncode in (0, 1), p.stderr
    said = json.loads(p.stdout)
    if said["accepted"]:
        return "ok", ",".join(sorted(said["policies"]))
    return "no", said["error"]["code"] + ": " + said["error"]["detail"]


# ---- the cases

FLAGS = {"--require-explicit-policy": "explicit", "--inhibit-policy-mapping": "nomapping", "--inhibit-any-policy": "noany"}


def of_row(r):
    """The chain in order, for a validator; where there is a choice, for a builder."""
    options, args, order = {"policies": []}, list(r.args), [r.last]
    while args:
        arg = args.pop(0)
        if arg == "--policy":
            options["policies"].append(args.pop(0))
        elif arg in FLAGS:
            options[FLAGS[arg]] = True
        elif arg != "-v":
            return None  # it asks for what is no matter of RFC 5280 6
    while order[-1].by in r.between:
        order.append(order[-1].by)
    rest = [c for c in r.between if c not in order]
    choice = rest and (order[-1].by not in r.roots or any(c.subject in [x.subject for x in order] for c in rest))
    options |= {"build": True} if choice else {"sent": len(order) - 1}
    return Case(r.what, r.last, (*order[1:], *rest), r.roots, r.crls, options, "openssl" if r.what in TOO_MUCH_FOR_JAVA else "java openssl")


def put(name, ders, what="CERTIFICATE"):
    path = f"{home.name}/{name}"
    with open(path, "w", encoding="ascii") as f:
        f.write("".join(pem(der, what) for der in ders))
    return path


def known(who, what):
    return any(who in peers and what in cases for peers, _, cases in DIFFERS)


def judge(job):
    """What is wrong; and how many verdicts were alike, and how many differ as is known."""
    (i, c), peers = job
    files = {"roots": put(f"{i}.roots", [x.der for x in c.roots]), "leaf": put(f"{i}.leaf", [c.last.der]),
             "between": put(f"{i}.between", [x.der for x in c.between]), "crls": put(f"{i}.crls", c.crls, "X509 CRL")}
    ours, words = troth(c, files)
    wrong, alike, differ = [], 0, 0
    for peer in peers:
        if peer.name not in c.peers:
            continue
        theirs, said = peer.judge(c, files)
        listed = peer.name == "java" and theirs == "ok" and "build" not in c.options and ANY not in said  # of several paths another one was found
        same = theirs == ours and (not listed or said == words)
        if same:
            alike += 1
        elif known(peer.name, c.what):
            differ += 1
        else:
            wrong.append(f"{c.what}: troth: {ours} {words}\n    {peer.name}: {theirs} {said.strip()}")
    return wrong, alike, differ


def main():
    cases = [c for c in map(of_row, rfc5280.rows) if c] + [kind(n) for kind in KINDS for n in range(SEEDS)]
    peers = (Java(), OpenSSL())
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = list(pool.map(judge, ((job, peers) for job in enumerate(cases))))
    for peer in peers:
        peer.end()
    wrong = [w for d in done for w in d[0]]
    print(*wrong, sep="\n")
    print(f"{len(cases)} chains: {sum(d[1] for d in done)} verdicts alike, {sum(d[2] for d in done)} differ as is known, {len(wrong)} otherwise")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
