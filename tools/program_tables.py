"""The tables of the program - cli/verbs.def, options.def, common/args.h - for the tools that make the manual and the completions from them."""
import re


def string(literals):
    return "".join(re.findall(r'"((?:\\.|[^"\\])*)"', literals)).replace('\\"', '"')


def read(top="."):
    """(verbs, options): (ID, name, operands, one line, about); (name, letter or "0", ARGUMENT or "NULL", {verb IDs}, help)."""
    text = open(f"{top}/cli/options.def", encoding="utf-8").read() + open(f"{top}/cli/verbs.def", encoding="utf-8").read()
    verbs = [(i, n, ops, one, string(long)) for i, n, ops, _, _, one, long in re.findall(
        r'^VERB\((\w+),\s*"([^"]*)",\s*"([^"]*)",\s*(-?\d+),\s*(-?\d+),\s*"((?:\\.|[^"\\])*)",\s*((?:"(?:\\.|[^"\\])*"\s*)+)\)', text, re.M)]
    macros = dict(re.findall(r"^#define (\w+)\s+(\(.*\))$", text, re.M))
    macros["ALL"] = " | ".join(f"V({v[0]})" for v in verbs)

    def verbs_of(expression):
        for _ in range(4):
            expression = re.sub(r"\b(" + "|".join(macros) + r")\b", lambda m: macros[m[1]], expression)
        return set(re.findall(r"V\((\w+)\)", expression))

    options = [(n, c.strip("'"), a.strip('"'), verbs_of(w), string(h)) for n, c, a, w, h in re.findall(
        r'^OPT\(\w+,\s*"([^"]*)",\s*(\'.\'|0),\s*("[^"]*"|NULL),\s*(.*?),\s*("(?:\\.|[^"\\])*")\s*\)', text, re.M)]
    return verbs, options


def words(top="."):
    """{option: what its row says besides the verbs}: REPEATS, CREDENTIAL, START, LINE_ONLY."""
    text = open(f"{top}/cli/options.def", encoding="utf-8").read()
    return {n: set(re.findall(r"\b(REPEATS|CREDENTIAL|START|LINE_ONLY)\b", w)) for n, w in re.findall(
        r'^OPT\(\w+,\s*"([^"]*)",\s*(?:\'.\'|0),\s*(?:"[^"]*"|NULL),\s*(.*?),\s*"(?:\\.|[^"\\])*"\s*\)', text, re.M)}
