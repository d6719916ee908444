#!/usr/bin/env python3
"""RFC 5280 as troth verify keeps it: each chain of rfc5280.py has the verdict that it should have."""
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile

from pki import pem
from rfc5280 import NOW, rows

TROTH = os.environ.get("TROTH", "")
if not os.path.exists(TROTH):
    print("no program here")
    sys.exit(77)
home = tempfile.TemporaryDirectory(prefix="rfc5280")


def put(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def run(i):
    what, code, last, between, roots, crls, args, tells = rows[i]
    base = os.path.join(home.name, str(i))
    command = [TROTH, "verify", "--time", NOW, *args, "--roots", put(base + ".roots", "".join(pem(c.der) for c in roots)), put(base + ".leaf", pem(last.der))]
    if between:
        command += ["--untrusted", put(base + ".between", "".join(pem(c.der) for c in between))]
    if crls:
        command += ["--crl", put(base + ".crls", "".join(pem(c, "X509 CRL") for c in crls))]
    p = subprocess.run(command, capture_output=True, text=True, timeout=60)
    said = p.stdout + p.stderr
    seen = re.search(r"\[([a-z0-9.-]+)\]", said)
    got = "ok" if p.returncode == 0 else seen.group(1) if p.returncode == 1 and seen else f"status {p.returncode}"
    missing = [t for t in tells if t not in said]
    same = got == code or code.endswith("*") and got.startswith(code[:-1])
    return f"{what}: {got}, wanted {code}; missing {missing}\n{said}" if not same or missing else None


with concurrent.futures.ThreadPoolExecutor(2) as pool:
    wrong = [r for r in pool.map(run, range(len(rows))) if r]
print(*wrong, sep="\n")
print(f"{len(rows)} chains, {len(wrong)} judged wrongly")
sys.exit(1 if wrong else 0)
