#!/usr/bin/env python3
# ctest: slow
"""Instructions per handshake (both ends) and per record of 1000 bytes (sealed and opened), counted by valgrind, against the numbers
in instructions.txt.  With the test provider they are the protocol's alone; with libcrypto (its portable paths and ours) they depend
on the processor and the library, so those are compared only where both are the ones that were counted on.  Counted is a build of its own,
BUILD_DIR/cost: without sanitizers, checks and LTO, whatever the tests around it are built with.  Valgrind knows no AVX-512, so every
processor takes the same paths.  `test_instructions.py --write` makes the file again."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
FILE = HERE / "instructions.txt"
TOLERANCE, REAL_TOLERANCE = 0.03, 0.06  # libcrypto draws random numbers, and how long it takes depends on them
COUNTS = {"handshake": 8, "record": 200, "real-handshake": 32, "real-record": 8000}


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


def built():
    """The program, from a build of its own; only it and the archive it is linked with are made."""
    source = Path(os.environ.get("SRC_DIR", HERE.parent.parent))
    build = Path(os.environ.get("BUILD_DIR", source / "build" / "dev")) / "cost"
    for command in (["cmake", "-S", source, "-B", build, "-G", "Ninja", "-DCMAKE_C_COMPILER=gcc", "-DCMAKE_BUILD_TYPE=Release",
                     "-DCMAKE_C_FLAGS_RELEASE=-O2 -g -DNDEBUG", "-DTROTH_HARDEN=ON", "-DTROTH_LTO=OFF"],
                    ["cmake", "--build", build, "--target", "cost_count", "-j", "2"]):
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if run.returncode:
            sys.exit(f"{command[1]} failed:\n{run.stdout[-3000:]}")
    return build / "bin" / "cost_count"


def main():
    for tool in ("valgrind", "gcc"):
        if not shutil.which(tool):
            skip(f"no {tool}")
    program = Path(os.environ["COST_PROGRAM"]) if "COST_PROGRAM" in os.environ else built()
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
        tolerance = REAL_TOLERANCE if what.startswith("real-") else TOLERANCE
        verdict = "ok" if abs(off) <= tolerance else "MORE" if off > 0 else "less: lower the number in instructions.txt"
        print(f"{what}: {got} instructions, {want} committed, {off:+.1%}: {verdict}")
        bad += abs(off) > tolerance
    if write:
        FILE.write_text("# made by test_instructions.py --write\n" + f"counted on: {here}\n" + "\n".join(out) + "\n")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
