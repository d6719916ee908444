#!/usr/bin/env python3
"""Writes src/x509/unicode.def: how characters of alphabets compare (RFC 4518 2.2 to 2.4), and the classes of combining marks.

Each row is a character and what it becomes when case, compatibility forms and composition are taken away.  Python's own tables are the
source; characters of scripts without upper and lower case are left as they are, and so are those that only a later Unicode knows."""
import unicodedata

ALPHABETS = [(0xA0, 0x58F), (0x1E00, 0x1FFF), (0x2100, 0x214F), (0xFB00, 0xFB17)]
MARKS = [(0x300, 0x58F), (0x1AB0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F)]


def prepared(c):
    before, text = None, chr(c)
    while text != before:
        before, text = text, unicodedata.normalize("NFKD", text.casefold())
    return text


def characters(ranges):
    return (c for first, last in ranges for c in range(first, last + 1))


def class_ranges():
    out = []
    for c in characters(MARKS):
        k = unicodedata.combining(chr(c))
        if k and out and out[-1][1] == c - 1 and out[-1][2] == k:
            out[-1][1] = c
        elif k:
            out.append([c, c, k])
    return out


def wrapped(items):
    line = ""
    for item in items:
        if len(line) + len(item) > 108:
            yield line.rstrip()
            line = ""
        line += item + " "
    if line:
        yield line.rstrip()


rows = [(c, prepared(c)) for c in characters(ALPHABETS) if prepared(c) != chr(c)]
assert all(len(t) <= 4 for _, t in rows)
print("/* unicode.def - made by tools/gen_unicode.py: how characters compare, and the classes of combining marks.\n"
      " *\n * PREPARED(character, up to four that it becomes)      CLASS(first, last, combining class) */")
print("/* clang-format off */")
print("\n".join(wrapped(f"PREPARED(0x{c:x}, {', '.join(f'0x{ord(x):x}' for x in t)})" for c, t in rows)))
print("\n".join(wrapped(f"CLASS(0x{a:x}, 0x{b:x}, {k})" for a, b, k in class_ranges())))
print("/* clang-format on */")
