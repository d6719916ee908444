"""Copies sources with the contracts of a .acsl file put in front of their functions and loops: annotate.py CONTRACTS SOURCES_OF OUT

A line `== FILE` says which file the blocks behind it are for; `-- after LINE` puts a block behind that line, `-- NAME` in front of the
first declaration of the function NAME, `-- NAME loop K` in front of its K-th loop.  What is not found is an error: then the source has moved on and the
contracts have to follow."""
import os
import re
import sys


def find_function(lines, name):
    for i, line in enumerate(lines):
        if re.match(r"[A-Za-z].*\b%s\(" % name, line):
            return i
    raise SystemExit(f"annotate: no function {name}")


def find_loop(lines, name, k):
    for i in range(find_function(lines, name), len(lines)):
        if lines[i].startswith("}"):
            break
        if re.match(r"\s+(for|while) \(", lines[i]):
            k -= 1
            if not k:
                return i
    raise SystemExit(f"annotate: {name} has fewer loops")


def place(lines, where):
    if where.startswith("after "):
        if where[6:] not in lines:
            raise SystemExit(f"annotate: no line {where[6:]!r}")
        return lines.index(where[6:]) + 1
    words = where.split()
    return find_loop(lines, words[0], int(words[2])) if len(words) == 3 else find_function(lines, words[0])


def main(contracts, root, out):
    files, where = {}, None
    for line in open(contracts, encoding="utf-8").read().split("\n"):
        if line.startswith("== "):
            blocks = files.setdefault(line[3:], [])
        elif line.startswith("-- "):
            where = [line[3:], []]
            blocks.append(where)
        elif where:
            where[1].append(line)
    for name, blocks in files.items():
        lines = open(os.path.join(root, name), encoding="utf-8").read().split("\n")
        into = {}
        for at, text in blocks:
            into.setdefault(place(lines, at), []).extend(text)
        for at in sorted(into, reverse=True):
            lines[at:at] = into[at]
        os.makedirs(os.path.dirname(os.path.join(out, name)), exist_ok=True)
        with open(os.path.join(out, name), "w", encoding="utf-8") as f:
            f.write("\n".join(lines))


main(*sys.argv[1:4])
