"""Prometheus' text format 0.0.4 and OpenMetrics 1.0.0, read strictly: whatever breaks a rule of theirs is an AssertionError that says which."""
import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
TYPES = {"counter", "gauge", "histogram", "info"}


def unescape(text, allowed):
    out, i = "", 0
    while i < len(text):
        if text[i] != "\\":
            out += text[i]
            i += 1
            continue
        assert text[i + 1:i + 2] in allowed, f"an escape that there is none of: {text[i:i + 2]!r}"
        out += {"n": "\n"}.get(text[i + 1], text[i + 1])
        i += 2
    return out


def labels_of(text):
    """{name: value} and what follows the brace."""
    found, i = {}, 1
    while text[i] != "}":
        name = LABEL.match(text, i)
        assert name and text[name.end():name.end() + 2] == '="', f"no label at {text[i:]!r}"
        assert name[0] not in found, f"a label twice: {text}"
        i = start = name.end() + 2
        while text[i] != '"':
            assert text[i] != "\n"
            i += 2 if text[i] == "\\" else 1
        found[name[0]] = unescape(text[start:i], "\\\"n")
        i += 1
        assert text[i] in ",}", text
        i += text[i] == "," and text[i + 1] != "}"
    return found, text[i + 1:]


def number(text):
    assert re.fullmatch(r"[+-]?Inf|NaN|[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", text), f"no number: {text!r}"
    return float(text)


def owner(sample, family, kind, is_open):
    """May a sample of this name stand in that family?"""
    ends = {"counter": ["_total", "_created"] if is_open else [""], "gauge": [""], "histogram": ["_bucket", "_sum", "_count", "_created"], "info": ["_info"]}
    return sample in [family + e for e in ends[kind]]


def check_histogram(family, rows):
    series = {}
    for name, labels, value in rows:
        key = tuple(sorted((k, v) for k, v in labels.items() if k != "le"))
        series.setdefault(key, {"le": []})
        if name.endswith("_bucket"):
            series[key]["le"].append((number(labels["le"]), value))
        else:
            series[key][name[len(family):]] = value
    for s in series.values():
        les, counts = [x for x, _ in s["le"]], [n for _, n in s["le"]]
        assert les == sorted(les) and les[-1] == float("inf") and len(set(les)) == len(les), f"{family}: buckets out of order"
        assert counts == sorted(counts) and counts[-1] == s["_count"], f"{family}: buckets do not add up"
        assert s["_sum"] >= 0


def read(data, is_open):
    """{(sample, ((label, value), ...)): number} of bytes in one of the two formats, and {family: type}."""
    text = data.decode("utf-8")
    assert text.endswith("\n") and "\r" not in text
    lines = text.split("\n")[:-1]
    if is_open:
        assert lines.pop() == "# EOF", "no # EOF at the end"
    assert "# EOF" not in lines, "# EOF where it does not belong"
    samples, types, helps, rows, family = {}, {}, set(), {}, None
    for line in lines:
        if line.startswith("#"):
            word, name, rest = re.fullmatch(r"# (HELP|TYPE) (\S+) (.+)", line).groups()
            assert NAME.fullmatch(name), name
            if word == "HELP":
                assert name not in helps, f"HELP twice: {name}"
                helps.add(name)
                unescape(rest, '\\n"' if is_open else "\\n")
            else:
                assert name not in types, f"TYPE twice: {name}"
                assert rest in (TYPES if is_open else TYPES - {"info"}), rest
                assert rest != "counter" or name.endswith("_total") != is_open, f"{name}: _total is the samples' in OpenMetrics, the family's before"
                types[name] = rest
            assert word == "HELP" or family == name, f"TYPE without its HELP: {name}"
            assert name == family or name not in rows, f"family in two places: {name}"
            family = name
            continue
        name = NAME.match(line)
        assert name, line
        labels, rest = labels_of(line[name.end():]) if line[name.end()] == "{" else ({}, line[name.end():])
        assert re.fullmatch(r" \S+", rest), f"no single value: {line}"
        assert family in types and owner(name[0], family, types[family], is_open), f"{name[0]} is no sample of {family}"
        value, key = number(rest[1:]), (name[0], tuple(sorted(labels.items())))
        assert key not in samples, f"a sample twice: {key}"
        assert types[family] != "counter" or value >= 0
        samples[key] = value
        rows.setdefault(family, []).append((name[0], labels, value))
    assert helps == set(types) and set(rows) <= set(types)
    for family, kind in types.items():
        if kind == "histogram":
            check_histogram(family, rows[family])
    return samples, types
