"""The same connection in many captures: other formats and byte orders, packets lost, late, twice, cut to pieces, behind VLAN tags and IPv6,
in the middle of others; the story is the same, or says where it ends."""
import json
import os
import random
import struct
import subprocess
import tempfile

here = os.path.join(os.environ["SRC_DIR"], "tests/explain/data")
tool = os.path.join(os.environ["BUILD_DIR"], "bin/explain_capture")
work = tempfile.mkdtemp()


def packets(path):
    """Frames of a little-endian pcapng, with microseconds; and its interface's link type."""
    data, at, out, link = open(path, "rb").read(), 0, [], 1
    while at + 12 <= len(data):
        kind, n = struct.unpack_from("<II", data, at)
        if kind == 1:
            link = struct.unpack_from("<H", data, at + 8)[0]
        if kind == 6:
            _, high, low, size = struct.unpack_from("<IIII", data, at + 8)
            out.append(((high << 32 | low), data[at + 28:at + 28 + size]))
        at += n
    first = out[0][0]
    return [((t - first) // 1000, frame) for t, frame in out], link   # dumpcap counts nanoseconds


def story(name, capture, n=0):
    path = f"{work}/{name}"
    open(path, "wb").write(capture)
    out = subprocess.run([tool, path, f"{here}/full.keys", str(n), "json"], capture_output=True)
    assert out.returncode == 0, (name, out.stderr)
    return json.loads(out.stdout)


def pcap(frames, link, order="<", magic=0xa1b2c3d4, scale=1):
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    for t, f in frames:
        out += struct.pack(order + "IIII", t // 1000000, t % 1000000 * scale, len(f), len(f)) + f
    return out


def pcapng(frames, link, secrets=b"", order="<", resolution=b""):
    def block(kind, body):
        body += b"\0" * (-len(body) % 4)
        return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)
    out = block(0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1))
    if secrets:
        out += block(10, struct.pack(order + "II", 0x544c534b, len(secrets)) + secrets)
    out += block(1, struct.pack(order + "HHI", link, 0, 65535) + (struct.pack(order + "HH", 9, 1) + resolution + b"\0\0\0" if resolution else b""))
    for t, f in frames:
        out += block(6, struct.pack(order + "IIIII", 0, t >> 32, t & 0xffffffff, len(f), len(f)) + f)
    return out


def what(s):
    """What must not depend on how it was captured."""
    return [(m["type"], m["from"], m["raw"]) for m in s["messages"]], [(d["from"], d["bytes"]) for d in s["data"]], s["code"], s["facts"].get("cipher_suite")


def tcp(frame):
    """Offsets in an Ethernet, IPv4, TCP frame: payload, TCP header."""
    ip = 14 + (frame[14] & 15) * 4
    return ip + (frame[ip + 12] >> 4) * 4, ip


def cut(frame, size):
    """One segment as several."""
    at, head = tcp(frame)
    payload, seq = frame[at:], struct.unpack_from(">I", frame, head + 4)[0]
    for k in range(0, len(payload), size):
        piece = payload[k:k + size]
        new = bytearray(frame[:at] + piece)
        struct.pack_into(">I", new, head + 4, (seq + k) & 0xffffffff)
        struct.pack_into(">H", new, 16, len(new) - 14)
        yield bytes(new)


frames, link = packets(f"{here}/full.pcapng")
truth = story("as-it-is", open(f"{here}/full.pcapng", "rb").read())
want = what(truth)
assert len(want[0]) >= 12 and truth["ok"]
rng = random.Random(7)

for order in "<>":
    assert what(story("pcap", pcap(frames, link, order))) == want
    assert what(story("nano", pcap(frames, link, order, 0xa1b23c4d, 1000))) == want
    assert what(story("pcapng", pcapng(frames, link, order=order))) == want
keys = open(f"{here}/full.keys", "rb").read()
open(f"{work}/none", "w").close()
# a frame every half a second, counted in seconds, hundredths, binary fractions, nanoseconds; and some that took longer than there are years
for power, (per_second, frame) in {b"\0": (1, 1000000), b"\2": (100, 500000), b"\x88": (256, 500000), b"\xb3": (2**51, 500000), b"\x09": (10**9, 500000)}.items():
    told = story("in units", pcapng([(per_second * frame * i // 1000000, f) for i, (_, f) in enumerate(frames)], link, resolution=power))
    assert told["messages"] and {m["at_us"] % frame for m in told["messages"]} == {0}, power
    assert max(m["at_us"] for m in told["messages"]) >= frame, power
for power in b"\0", b"\x06":
    assert what(story("for ever", pcapng([(2**63 * i // len(frames), f) for i, (_, f) in enumerate(frames)], link, resolution=power))) == want

with_secrets = pcapng(frames, link, keys)
open(f"{work}/dsb", "wb").write(with_secrets)
inside = json.loads(subprocess.run([tool, f"{work}/dsb", f"{work}/none", "0", "json"], capture_output=True, check=True).stdout)
assert what(inside) == want
blind = json.loads(subprocess.run([tool, f"{here}/full.pcapng", f"{work}/none", "0", "json"], capture_output=True, check=True).stdout)
assert [m["type"] for m in blind["messages"]][:2] == ["ClientHello", "ServerHello"] and not blind["certificates"]
assert any("no key log" in t.get("what", "") for t in blind["timeline"])

# twice, late, in pieces, overlapping
assert what(story("twice", pcap([f for f in frames for _ in (0, 1)], link))) == want
late = [(t, p) for t, f in frames for p in (list(cut(f, 120))[::-1] or [f])]     # each segment in pieces, the last piece first
assert what(story("late", pcap(late, link)))[0] == want[0]
for size in (1, 7, 100):
    pieces = [(t, p) for t, f in frames for p in (list(cut(f, size)) or [f])]
    assert what(story("pieces", pcap(pieces, link)))[0] == want[0]
assert what(story("overlap", pcap([(t, p) for t, f in frames for p in [*cut(f, 50), f]], link))) == want
shuffled = [(t, p) for t, f in frames for p in rng.sample(list(cut(f, 64)) or [f], len(list(cut(f, 64))) or 1)]
assert what(story("shuffled", pcap(shuffled, link)))[0] == want[0]

# tags, other links
tagged = [(t, f[:12] + b"\x81\x00\x00\x05" + f[12:]) for t, f in frames]
assert what(story("vlan", pcap(tagged, 1))) == want
assert what(story("raw", pcap([(t, f[14:]) for t, f in frames], 101))) == want
assert what(story("sll", pcap([(t, b"\0" * 14 + f[12:]) for t, f in frames], 113))) == want
six = [(t, struct.pack(">IHBB", 6 << 28, len(f) - 34, 6, 64) + b"\xfe\x80" + b"\0" * 10 + f[26:30] + b"\xfe\x80" + b"\0" * 10 + f[30:34] + f[34:])
       for t, f in frames]
assert what(story("six", pcap(six, 101))) == want

# without its beginning; a second connection on the same ports
assert what(story("no-syn", pcap(frames[3:], link))) == want
both = pcap(frames + [(t + 5000000, f) for t, f in packets(f"{here}/hrr.pcapng")[0]], link)
assert what(story("both", both)) == want and story("both2", both, 1)["facts"]["hello_retry"]

# lost for ever: the story ends there, and says so
for drop in range(3, len(frames), 2):
    s = story("lost", pcap(frames[:drop] + frames[drop + 1:], link))
    assert what(s)[0] == want[0][:len(what(s)[0])] or all(m in want[0] for m in what(s)[0])
# cut anywhere, or noise: never a crash
whole = pcap(frames, link)
for n in list(range(0, 200, 23)) + list(range(200, len(whole), 797)):
    open(f"{work}/cut", "wb").write(whole[:n])
    assert subprocess.run([tool, f"{work}/cut", f"{here}/full.keys", "0", "json"], capture_output=True).returncode in (0, 1)
for i in range(14):
    noisy = bytearray(rng.choice([whole, with_secrets]))
    for _ in range(rng.randrange(1, 20)):
        noisy[rng.randrange(24, len(noisy))] = rng.randrange(256)
    open(f"{work}/noise", "wb").write(noisy)
    r = subprocess.run([tool, f"{work}/noise", f"{here}/full.keys", "0", "html"], capture_output=True)
    assert r.returncode in (0, 1), r.stderr[-2000:]
print("one story from every capture")
