#!/usr/bin/env python3
"""Graphs of authorities drawn at random - several certificates and keys of one name, circles, one to three anchors, each certificate with faults
of its own or none - and a server's certificate below one of them: troth verify accepts it just where trying every path finds a good one.
GRAPHS=N draws so many, SEED=N begins elsewhere.
ctest: timeout=120"""
import concurrent.futures
import os
import random
import subprocess
import sys
import tempfile

from pki import NULL, Cert, aki, basic, constraints, dns, ext, key, oid, pem, san, seq, ski, usage

TROTH = os.environ.get("TROTH", "")
if not os.path.exists(TROTH):
    print("no program here")
    sys.exit(77)
GRAPHS, SEED = int(os.environ.get("GRAPHS", "40")), int(os.environ.get("SEED", "1"))
NOW, HOST = "2026-06-01T00:00:00Z", "www.example.com"
SERVER, CLIENT = (ext("2.5.29.37", seq(oid("1.3.6.1.5.5.7.3." + n))) for n in "12")
FAULTS = ("expired", "early", "no CA", "no keyCertSign", "for clients", "permits another", "excludes ours", "SHA-1", "spoilt", "unknown and critical",
          "path length 0", "path length 1")
home = tempfile.TemporaryDirectory(prefix="graphs")


class Authority:
    def __init__(self, dice, issuer, subject):
        """`issuer`, `subject`: (name, key)."""
        self.issuer, self.subject, self.faults = issuer, subject, {f for f in FAULTS if dice.random() < 0.06}
        has = self.faults.__contains__
        self.most = 0 if has("path length 0") else 1 if has("path length 1") else None
        exts = [basic(False) if has("no CA") else basic(path_len=self.most), usage("cRLSign") if has("no keyCertSign") else usage("keyCertSign", "cRLSign"),
                ski(key(subject[1])), aki(key(issuer[1]))]
        exts += [x for fault, x in (("for clients", CLIENT), ("permits another", constraints([dns("example.org")])),
                                    ("unknown and critical", ext("1.2.3.4.5", NULL, True))) if has(fault)]
        if has("excludes ours") and not has("permits another"):
            exts.append(constraints(None, [dns(HOST)]))
        self.der = Cert(subject[0], Cert(issuer[0], None, key(issuer[1])), key(subject[1]), exts, sha="sha1" if has("SHA-1") else "sha256", spoil=has("spoilt"),
                        begins="270101000000Z" if has("early") else "250101000000Z", ends="260101000000Z" if has("expired") else "300101000000Z").der


class Server:
    def __init__(self, issuer):
        self.issuer, self.subject, self.faults, self.most = issuer, None, set(), None
        exts = [usage("digitalSignature"), aki(key(issuer[1])), san(dns(HOST)), SERVER]
        self.der = Cert("CN=server", Cert(issuer[0], None, key(issuer[1])), key("server"), exts).der


def is_good(path):
    """The server's certificate first, its anchor last."""
    for i, c in enumerate(path):
        if c.faults & {"expired", "early", "unknown and critical"}:
            return False
        if i and c.faults & {"no CA", "no keyCertSign", "for clients", "permits another", "excludes ours"}:
            return False
        if i + 1 < len(path) and (c.faults & {"SHA-1", "spoilt"} or c.issuer != path[i + 1].subject):
            return False
        if i and c.most is not None and sum(x.subject[0] != x.issuer[0] for x in path[1:i]) > c.most:
            return False
    return True


def is_found(path, between, anchors):
    if any(is_good([*path, a]) for a in anchors):
        return True
    used = [c.subject for c in path[1:]]
    return any(is_found([*path, c], between, anchors) for c in between if c.subject == path[-1].issuer and c.subject not in used)


def put(name, certs):
    path = os.path.join(home.name, name)
    with open(path, "w", encoding="ascii") as f:
        f.write("".join(pem(c.der) for c in certs))
    return path


def judge(seed):
    dice = random.Random(seed)
    who = [(f"CN=N{n}", f"n{n}.{k}") for n in range(dice.randint(2, 5)) for k in range(dice.choice((1, 1, 2)))]
    between = [Authority(dice, dice.choice(who), dice.choice(who)) for _ in range(dice.randint(len(who), 3 * len(who)))]
    anchors = [Authority(dice, w, w) for w in dice.sample(who, dice.choice((1, 1, 2)))]
    if dice.random() < 0.3:
        anchors.append(dice.choice(between))
    server = Server(dice.choice(who))
    wanted = is_found([server], between, anchors)
    p = subprocess.run([TROTH, "verify", "--time", NOW, "--host", HOST, "--roots", put(f"{seed}.roots", anchors), "--untrusted", put(f"{seed}.between", between),
                        put(f"{seed}.server", [server])], capture_output=True, text=True, timeout=60, check=False)
    same = p.returncode == (0 if wanted else 1)
    return wanted, None if same else f"SEED={seed} GRAPHS=1: {'there is a way' if wanted else 'there is none'}\n{p.stdout}{p.stderr}"


with concurrent.futures.ThreadPoolExecutor(2) as pool:
    done = list(pool.map(judge, range(SEED, SEED + GRAPHS)))
wrong = [said for _, said in done if said]
print(*wrong, sep="\n")
print(f"{len(done)} graphs, {sum(wanted for wanted, _ in done)} of them with a way, {len(wrong)} judged wrongly")
sys.exit(1 if wrong else 0)
