"""Captures as users have them: of STARTTLS and proxies, through tunnels, begun too late or ended too early, with no TLS in them; and such as
were made to take long.  Each gets its story or a sentence that is true."""
import json
import os
import struct
import subprocess
import tempfile

from relay import ACK, FIN, PUSH, RST, SYN, Stream, pcap

here, troth = os.path.join(os.environ["SRC_DIR"], "tests/explain/data"), os.environ["TROTH"]
work = tempfile.mkdtemp()


def run(packets, link=101, status=0, stderr=""):
    """(verdict, detail, messages, marks) of what is told first."""
    with open(f"{work}/capture", "wb") as f:
        f.write(pcap(packets, link))
    r = subprocess.run([troth, "explain", "--pcap", f"{work}/capture", "--json", "--keylog", f"{here}/full.keys"], capture_output=True, text=True)
    assert r.returncode == status and stderr in r.stderr, (r.returncode, r.stderr)
    if status:
        return None
    told = json.loads(r.stdout)
    return told["code"], told.get("error", {}).get("detail", ""), [m["raw"] for m in told["messages"]], " ".join(t["what"] for t in told["timeline"] if "what" in t)


def payloads():
    """(side, flags, bytes) of each packet of the recorded handshake, the first three aside."""
    data, at, out = open(f"{here}/full.pcapng", "rb").read(), 0, []
    while at + 12 <= len(data):
        kind, n = struct.unpack_from("<II", data, at)
        if kind == 6:
            p = data[at + 28:at + 28 + struct.unpack_from("<I", data, at + 20)[0]][14:]
            ip, whole = (p[0] & 15) * 4, struct.unpack_from(">H", p, 2)[0]
            out.append((struct.unpack_from(">H", p, ip)[0], p[ip + 13], p[ip + (p[ip + 12] >> 4) * 4:whole]))
        at += n
    client = out[0][0]
    return [(int(port != client), flags, b) for port, flags, b in out[3:]]


tls = payloads()
hello = tls[0][2]
assert hello[0] == 22


def stream(*before, glued=b"", number=0):
    """The handshake, with what was said before it; `glued` comes in one piece with the hello."""
    s = Stream(number, at=1e9).opens()
    for side, said in before:
        s.add(side, PUSH | ACK, said)
    for side, flags, b in tls:
        s.add(side, flags, glued + b if glued and b is hello else b)
    return s.packets


plain = stream()
want = run(plain)
assert want[0] == "ok" and len(want[2]) >= 12 and not want[3], (want[3], len(want[2]))

# ---- before TLS
smtp = [(1, b"220 mx ESMTP\r\n"), (0, b"EHLO me\r\n"), (1, b"250 STARTTLS\r\n"), (0, b"STARTTLS\r\n"), (1, b"220 go\r\n")]
for packets, kind in ((stream(*smtp), "19 bytes of the client, 36 of the server: the client asked for TLS (STARTTLS)"),
                      (stream(*smtp)[3:], "STARTTLS"),       # without its SYN, where the server speaks first
                      (stream((0, b"CONNECT a:443 HTTP/1.1\r\n\r\n"), (1, b"HTTP/1.1 200 ok\r\n\r\n")), "CONNECT"),
                      (stream((0, b"\5\1\0"), (1, b"\5\0"), (0, b"\5\1\0\1\x7f\0\0\1\1\xbb"), (1, b"\5\0\0\1" + b"\0" * 6)), "SOCKS"),
                      (stream((0, bytes.fromhex("0000000804d2162f")), (1, b"S")), "PostgreSQL"),
                      (stream(glued=b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"), "(PROXY)"),
                      (stream(glued=b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + b"\1" * 12), "(PROXY)")):
    told = run(packets)
    assert told[0] == "ok" and told[2] == want[2] and kind in told[3], (kind, told[0], told[3])

# ---- other layers
tunnel = lambda p, protocol, head=b"": struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(head + p), 0, 0, 64, protocol, 0, b"\1\1\1\1", b"\2\2\2\2") + head + p
six = lambda p, first, head: struct.pack(">IHBB", 6 << 28, len(p) - 20 + len(head), first, 64) + b"\xfe\x80" + b"\0" * 10 + p[12:16] + b"\xfe\x80" + b"\0" * 10 + p[16:20] + head + p[20:]
for name, link, change in (("no length", 101, lambda p: p[:2] + b"\0\0" + p[4:]), ("GRE", 101, lambda p: tunnel(p, 47, b"\0\0\x08\0")),
                           ("GRE with a key", 101, lambda p: tunnel(p, 47, b"\x20\0\x08\0\0\0\0\7")), ("IP in IP in IP", 101, lambda p: tunnel(tunnel(p, 4), 4)),
                           ("loopback", 0, lambda p: b"\2\0\0\0" + p), ("any", 276, lambda p: b"\x08\0" + b"\0" * 18 + p),
                           ("extension headers", 101, lambda p: six(p, 0, b"\x3c" + b"\0" * 7 + b"\x2c" + b"\0" * 7 + b"\6" + b"\0" * 7))):
    assert run([(t, change(p)) for t, p in plain], link)[:3] == want[:3], name
opened = Stream(at=1e9)
opened.add(0, SYN, hello)       # data in the first packet (RFC 7413)
opened.add(1, SYN | ACK)
for side, flags, b in tls[1:]:
    opened.add(side, flags, b)
assert run(opened.packets)[:3] == want[:3]

# ---- which connection: the first that speaks TLS
http = Stream(7, at=1e9).opens()
http.add(0, PUSH | ACK, b"GET / HTTP/1.1\r\n\r\n")
http.add(1, PUSH | ACK, b"HTTP/1.1 200 OK\r\n\r\n")
assert run(http.packets + plain, stderr="this was number 2")[:3] == want[:3]
assert run(http.packets)[0] == "peer.not-tls"


# ---- ended too early, begun too late
def ended(*packets):
    s = Stream(at=1e9).opens()
    for p in packets:
        s.add(*p)
    return run(s.packets)[:2]


first = (0, PUSH | ACK, hello)
assert ended(first) == ("config.capture-incomplete", "it ends before the handshake does")
assert ended(first, (1, RST | ACK)) == ("net.reset-on-hello", "RST from the server")
assert ended(first, (1, FIN | ACK), (0, FIN | ACK)) == ("net.eof-on-hello", "FIN from the server")
assert ended(first, (0, FIN | ACK))[0] == "net.timeout-handshake"
assert ended(first, (tls[1][0] or 1, PUSH | ACK, b"\x16\3\3\0\x50"), (1, FIN | ACK)) == ("net.eof-mid", "FIN from the server")
data = [i for i, (_, p) in enumerate(plain) if len(p) > 40]
for n in range(data[0] + 1, data[-1]):
    told = run(plain[n:])
    assert told[0] == "config.capture-incomplete", (n, told)

# ---- nothing to tell of
refused = Stream(at=1e9)
refused.add(0, SYN)
refused.add(1, RST | ACK)
datagram = lambda b: tunnel(b, 17, struct.pack(">HHHH", 5000, 443, 8 + len(b), 0))
for packets, link, why in (([], 101, "is empty"), (refused.packets, 101, "no byte of data"), ([(1.0, datagram(b"\xc3\0\0\0\1" + b"x" * 1200))], 101, "QUIC (1 packets)"),
                           ([(1.0, datagram(b"\x16\xfe\xfd" + b"x" * 60))], 101, "DTLS"), ([(1.0, datagram(b"x" * 60))], 101, "1 are of UDP"),
                           (plain, 105, "link type 105")):
    run(packets, link, status=1, stderr=why)

# ---- made to take long: tunnels in tunnels, numbers that fall, ends that look alike to a search
bomb = plain[0][1]
for _ in range(300):
    bomb = tunnel(bomb, 4)
run([(1.0, bomb)], status=1, stderr="no TCP connection")
byte = lambda a, port, seq: struct.pack(">BBHHHBBH4s4s", 0x45, 0, 41, 0, 0, 64, 6, 0, a, a) + struct.pack(">HHIIBBHHH", port, 443, seq, 0, 0x50, 24, 0, 0, 0) + b"\x16"
falling = [(1.0, byte(b"\1\2\3\4", 5000, n)) for n in range(150000, 0, -1)]
assert run(falling)[0] in ("peer.not-tls", "config.capture-incomplete")
alike = [(1.0, byte(struct.pack(">I", n * 0x9e3779b1 & 0xffffffff), 443, 7)) for n in range(40000)]
run(alike + alike, stderr="The capture has ")
print("each has its story or its sentence")
