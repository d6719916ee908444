#!/usr/bin/env python3
# ctest: slow
"""Instructions per handshake (both ends) and per record of 1000 bytes (sealed and opened), counted by valgrind, against the numbers
in instructions.txt.  With the test provider they are the protocol's alone; with libcrypto (its portable paths and ours) they depend
on the processor and the library, so those are compared only where both are the ones that were counted on.
`test_instructions.py --write` makes the file again."""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
FILE = HERE / "instructions.txt"
TOLERANCE = 0.03
COUNTS = {"handshake": 8, "record": 200, "real-handshake": 4, "real-record": 100}


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def instructions(program, what, n):
    """Of the whole run: without caches, only instructions are counted."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(["valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={folder}/out", program, what, str(n)],
                             stderr=subprocess.PIPE, text=True, check=False)
    found = re.search(r"I\s+refs:\s+([\d,]+)", run.stderr)
    if run.returncode or not found:
        sys.exit(f"valgrind failed on {what}:\n{run.stderr[-2000:]}")
    return int(found.group(1).replace(",", ""))


def surroundings():
    """What the figures of the real provider depend on."""
    flags = set(re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.M).group(1).split())
    version = subprocess.run(["openssl", "version"], stdout=subprocess.PIPE, text=True, check=False).stdout.split()
    return " ".join([f for f in ("aes", "pclmulqdq", "avx2", "bmi2", "adx", "sha_ni", "vaes") if f in flags] + version[1:2])


def main():
    build = Path(os.environ.get("BUILD_DIR", HERE.parent.parent / "build" / "release"))
    program = build / "tests" / "bin" / "cost_count"
    if not program.exists():
        program = build / "bin" / "cost_count"
    cache = (build / "CMakeCache.txt").read_text()
    if not re.search(r"^CMAKE_BUILD_TYPE:\w+=Release$", cache, re.M) or re.search(r"^TROTH_SANITIZE:\w+=.+$", cache, re.M):
        skip("instructions are counted in the release build")
    if not re.search(r"^CMAKE_C_COMPILER:\w+=.*gcc", cache, re.M):
        skip("instructions are counted for gcc")
    if subprocess.run(["which", "valgrind"], stdout=subprocess.DEVNULL, check=False).returncode:
        skip("no valgrind")
    write = "--write" in sys.argv
    lines = {} if write else dict(l.split(": ", 1) for l in FILE.read_text().splitlines() if l and not l.startswith("#"))
    here, bad, out = surroundings(), 0, []
    for what, n in COUNTS.items():
        if what.startswith("real-") and not write and lines["counted on"] != here:
            print(f"skipped: {what}: counted on \"{lines['counted on']}\", this is \"{here}\"")
            continue
        got = round((instructions(program, what, 2 * n) - instructions(program, what, n)) / n)
        out.append(f"{what}: {got}")
        if write:
            continue
        want = int(lines[what])
        off = got / want - 1
        verdict = "ok" if abs(off) <= TOLERANCE else "MORE" if off > 0 else "less: lower the number in instructions.txt"
        print(f"{what}: {got} instructions, {want} committed, {off:+.1%}: {verdict}")
        bad += abs(off) > TOLERANCE
    if write:
        FILE.write_text("# made by test_instructions.py --write, release build\n" + f"counted on: {here}\n" + "\n".join(out) + "\n")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
