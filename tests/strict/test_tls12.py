"""ctest: slow timeout=600
TLS 1.2, wrong in one thing each: hello, key exchange, the order of messages, records, renegotiation."""
from cases import *

ok, unexpected, bad, wrong, refuse = "ok", "unexpected_message", "decode_error", "illegal_parameter", "handshake_failure"


def hello(change=None, **more):
    def rude(c):
        h = hello12(**more)
        made = change(h) if change else None
        if isinstance(made, bytes):
            c.raw(c.record(HANDSHAKE, made, 0x0301))
            return
        c.shake12(h)
    return rude


def ext(kind, body):
    return lambda h: h.put(kind, body)


def without(*kinds):
    return lambda h: h.drop(*kinds)


def started(after):
    """`after` is done where the client's flight would come."""
    def rude(c):
        c.start12()
        return after(c)
    return rude


def keyed(after):
    """`after` is done where change_cipher_spec would come."""
    def rude(c):
        c.start12()
        c.say(c.key_exchange12())
        c.secrets12()
        return after(c)
    return rude


def shaken(after):
    def rude(c):
        c.shake12()
        return after(c)
    return rude


def small(c, size):
    c.version, c.asked, c.hello = 12, None, hello12()
    say, c.say = c.say, lambda *m, **more: say(*m, size=size, **more)
    c.shake12(c.hello)


# ---------------------------------------------------------------- hello: what is right
case("a plain handshake", ok, "RFC 5246 7.3", hello())
for suite in (0xc02b, 0xcca9, 0xc02c):
    case(f"suite {suite:#06x} alone is taken", "taken", "RFC 5289", lambda c, suite=suite: (c.start12(hello12(suites=(suite,))), "taken" if c.suite == suite else f"{c.suite:#06x}")[1], settle=False)
for g in (X25519, P256, P384, P521):
    case(f"group {g:#06x} is taken", "taken", "RFC 8422 5.1", lambda c, g=g: (c.start12(hello12(groups=(g, P256))), "taken" if c.group in (g, P256) else f"{c.group:#06x}")[1], settle=False)
case("GREASE", ok, "RFC 8701 3", hello(lambda h: (h.exts.insert(0, (0x2a2a, b"")), h.put(GROUPS, vec(2, shorts(0x3a3a, X25519, P256)))) and None, suites=(0x1a1a, 0xc02b)))
case("the signalling suite instead of renegotiation_info", ok, "RFC 5746 3.6", hello(without(RENEGOTIATION), suites=(0xc02b, 0x00ff)))
case("both signals", ok, "RFC 5746 3.6", hello(suites=(0xc02b, 0x00ff)))
case("no point formats", ok, "RFC 8422 5.1.2", hello(without(POINT_FORMATS)))
case("other point formats as well", ok, "RFC 8422 5.1.2", hello(ext(POINT_FORMATS, b"\3\0\1\2")))
case("compression methods besides null", ok, "RFC 5246 7.4.1.2", hello(compression=b"\1\0"))
case("an unknown extension", ok, "RFC 5246 7.4.1.4", hello(ext(0xfade, bytes(3000))))
case("an empty session ticket", ok, "RFC 5077 3.2", hello(ext(SESSION_TICKET, b"")))
case("a session ticket that is none", ok, "RFC 5077 3.4", hello(ext(SESSION_TICKET, os.urandom(300))))
case("a session id that is unknown", ok, "RFC 5246 7.4.1.2", hello(session_id=bytes(32)))
case("legacy_version 0x0304 without supported_versions", ok, "RFC 9846 4.3.1", hello(version=0x0304))
case("legacy_version 0x0399 without supported_versions", ok, "RFC 5246 E.1", hello(version=0x0399))
case("heartbeat", ok, "RFC 6520 2", hello(ext(15, b"\1")))
case("encrypt_then_mac", ok, "RFC 7366 3", hello(ext(22, b"")))
case("max_fragment_length 1", ok, "RFC 6066 4", hello(ext(1, b"\1")))


def limits(c, asked, answered):
    """The client's limit is answered, and never by more than 2^14 in this version (RFC 8449 4)."""
    c.start12(hello12().put(28, u16(asked)))
    hello = c.transcript[len(c.hello.bytes()):]
    return "answered" if u16(28) + vec(2, u16(answered)) in hello[:4 + int.from_bytes(hello[1:4], "big")] else "something else"


case("record_size_limit 64 is answered", "answered", "RFC 8449 4", lambda c: limits(c, 64, 16384), settle=False)
case("record_size_limit 64 is answered by one", "answered", "RFC 8449 4", lambda c: limits(c, 64, 700), ("--record-size-limit", "700"), settle=False)
case("record_size_limit: ours is that of TLS 1.3", "answered", "RFC 8449 4", lambda c: limits(c, 16385, 16384), ("--record-size-limit", "16385"), settle=False)
case("2^14 + 1 bytes of data, after record_size_limit", "record_overflow", "RFC 8449 4", lambda c: (c.shake12(hello12().put(28, u16(64))), c.send(DATA, bytes(16385))) and None, ("--record-size-limit", "16385"))
for size in (1, 7):
    case(f"in records of {size} bytes", ok, "RFC 5246 6.2.1", lambda c, size=size: small(c, size))


# ---------------------------------------------------------------- hello: what is wrong
for v in (0x0302, 0x0301, 0x0300, 0x0002, 0x0200):
    case(f"legacy_version {v:#06x}", "protocol_version", "RFC 8996, RFC 9846 E.5", hello(version=v))
case("fallback to 1.2", "inappropriate_fallback", "RFC 7507 3", hello(suites=(0xc02b, 0x5600)))
case("without extended_master_secret", refuse, "RFC 7627 5.3", hello(without(EMS)))
case("extended_master_secret with a body", bad, "RFC 7627 5.1", hello(ext(EMS, b"\0")))
case("extended_master_secret twice", wrong, "RFC 5246 7.4.1.4", hello(lambda h: h.exts.append((EMS, b""))))
case("renegotiation_info with something in it", refuse, "RFC 5746 3.6", hello(ext(RENEGOTIATION, b"\x0c" + bytes(12))))
case("renegotiation_info: cut", bad, "RFC 5746 3.2", hello(ext(RENEGOTIATION, b"\1")))
case("renegotiation_info: nothing", bad, "RFC 5746 3.2", hello(ext(RENEGOTIATION, b"")))
case("compression without null", (wrong, refuse, bad), "RFC 5246 7.4.1.2", hello(compression=b"\1"))
case("compression: an empty list", (wrong, bad), "RFC 5246 7.4.1.2", hello(compression=b""))
case("no suites", bad, "RFC 5246 7.4.1.2", hello(suites=()))
case("half a suite more", bad, "RFC 5246 7.4.1.2", hello(lambda h: setattr(h, "suites", b"\xc0\x2b\xc0")))
case("unknown suites alone", refuse, "RFC 5246 7.4.1.3", hello(suites=(0xdada, 0x00ff)))
for what, suites in (("RSA key exchange", (0x009c, 0x009d, 0x002f)), ("CBC", (0xc009, 0xc00a, 0xc023, 0xc013)), ("DHE", (0x009e, 0x009f)), ("anonymous", (0xc018, 0x00a6)), ("NULL and RC4", (0xc006, 0xc007, 0x0005)),
                     ("the signalling suite", (0x00ff,)), ("suites of TLS 1.3", (0x1301, 0x1302)), ("ECDHE_RSA, and the key is ECDSA", (0xc02f,))):
    case(f"{what} alone", refuse, "RFC 5246 7.4.1.3, RFC 9325 4.1", hello(suites=suites))
case("a session id of 33 bytes", bad, "RFC 5246 7.4.1.2", hello(session_id=bytes(33)))
case("no extensions at all", refuse, "RFC 7627 5.3", hello(lambda h: message(CLIENT_HELLO, h.head())))
case("a byte behind the compression methods", bad, "RFC 9846 4.2.2", hello(lambda h: message(CLIENT_HELLO, h.head() + b"\0")))
case("a byte behind the extensions", bad, "RFC 5246 7.4.1.2", hello(lambda h: message(CLIENT_HELLO, h.body() + b"\0")))
case("point formats without uncompressed", wrong, "RFC 8422 5.1.2", hello(ext(POINT_FORMATS, b"\2\1\2")))
case("point formats: empty", bad, "RFC 8422 5.1.2", hello(ext(POINT_FORMATS, b"\0")))
case("groups: unknown alone", refuse, "RFC 8422 5.1", hello(groups=(0x9999,)))
case("groups: empty", bad, "RFC 8422 5.1.1", hello(ext(GROUPS, b"\0\0")))
case("signature_algorithms: empty", bad, "RFC 5246 7.4.1.4.1", hello(ext(SIG_ALGS, b"\0\0")))
case("signature_algorithms: odd", bad, "RFC 5246 7.4.1.4.1", hello(ext(SIG_ALGS, b"\0\3\4\3\4")))
case("signature_algorithms: unknown alone", refuse, "RFC 5246 7.4.1.4.1", hello(ext(SIG_ALGS, vec(2, shorts(0x9999)))))
case("signature_algorithms: none, which means SHA-1", refuse, "RFC 9155 3", hello(without(SIG_ALGS)))
case("supported_groups: none", (ok, refuse), "RFC 8422 4", hello(without(GROUPS)))
# ---------------------------------------------------------------- ClientKeyExchange
point = Key(P256).public
only_group = lambda group: hello12(groups=(group,) if group == P256 else (group, P256))


def exchange(group, body):
    def rude(c):
        c.start12(only_group(group))
        assert c.group == group, c.group
        c.say(message(CLIENT_KEY_EXCHANGE, body))
        c.send(CCS, b"\1")
        c.raw(b"\x16\3\3\0\x28" + bytes(40))
    return rude


for what, group, body, wants in (
        ("nothing", P256, b"", bad), ("a point of nothing", P256, b"\0", (bad, wrong)), ("a point longer than the message", P256, b"\x42" + point, bad),
        ("a byte behind the point", P256, vec(1, point) + b"\0", bad), ("a point off the curve", P256, vec(1, point[:-1] + bytes([point[-1] ^ 1])), wrong),
        ("the origin", P256, vec(1, b"\4" + bytes(64)), wrong), ("infinity", P256, b"\1\0", (wrong, bad)), ("compressed", P256, vec(1, b"\2" + point[1:33]), (wrong, bad)),
        ("64 bytes", P256, vec(1, point[:-1]), (wrong, bad)), ("66 bytes", P256, vec(1, point + b"\0"), (wrong, bad)), ("x25519: zero", X25519, vec(1, bytes(32)), wrong),
        ("x25519: low order", X25519, vec(1, b"\1" + bytes(31)), wrong), ("x25519: 31 bytes", X25519, vec(1, bytes(31)), (wrong, bad)), ("x25519: 33 bytes", X25519, vec(1, bytes(33)), (wrong, bad)),
        ("as RSA would have it", P256, vec(2, bytes(256)), (bad, wrong))):
    case(f"ClientKeyExchange: {what}", wants, "RFC 8422 5.7, 5.11", exchange(group, body))
# ---------------------------------------------------------------- order
case("change_cipher_spec instead of ClientKeyExchange", unexpected, "RFC 5246 7.3", started(lambda c: c.send(CCS, b"\1")))
case("change_cipher_spec and Finished instead of it", unexpected, "RFC 5246 7.3", started(lambda c: (c.send(CCS, b"\1"), c.raw(b"\x16\3\3\0\x28" + bytes(40))) and None))
for kind in (0, 1, 2, 4, 11, 12, 13, 14, 15, 20, 24, 99):
    body = hello12().body() if kind == 1 else b"" if kind in (0, 14) else bytes(12)
    case(f"a message of type {kind} instead of ClientKeyExchange", unexpected, "RFC 5246 7.3", started(lambda c, kind=kind, body=body: c.say(message(kind, body))))
case("ClientKeyExchange twice", unexpected, "RFC 5246 7.3", keyed(lambda c: c.say(c.key_exchange12())))
case("Finished without change_cipher_spec", unexpected, "RFC 5246 7.1", keyed(lambda c: c.say(c.finished12())))
case("Finished without change_cipher_spec, protected", (unexpected, "bad_record_mac", bad, wrong, "record_overflow"), "RFC 5246 7.1", keyed(lambda c: (setattr(c, "wr", c.next_wr), c.say(c.finished12())) and None))
case("change_cipher_spec twice", (unexpected, "bad_record_mac", bad), "RFC 5246 7.1", keyed(lambda c: (c.send(CCS, b"\1"), c.send(CCS, b"\1")) and None))
for what, raw in (("of value 2", b"\2"), ("of two bytes", b"\1\1"), ("of nothing", b"")):
    case(f"change_cipher_spec {what}", (unexpected, bad, wrong), "RFC 5246 7.1", keyed(lambda c, raw=raw: c.raw(b"\x14\3\3" + vec(2, raw))))
case("change_cipher_spec in the middle of a message", unexpected, "RFC 5246 7.1", started(lambda c: (c.send(HANDSHAKE, c.key_exchange12()[:10]), c.send(CCS, b"\1")) and None))
case("application data before Finished", unexpected, "RFC 5246 7.3", keyed(lambda c: c.send(DATA, b"GET / HTTP/1.0\r\n\r\n")))
case("application data before Finished, protected", unexpected, "RFC 5246 7.3", keyed(lambda c: (c.change12(), c.send(DATA, b"GET / HTTP/1.0\r\n\r\n")) and None))
case("an empty handshake record", unexpected, "RFC 5246 6.2.1", started(lambda c: c.send(HANDSHAKE, b"")))
# ---------------------------------------------------------------- Finished
for i in range(12):
    def flip(c, i=i):
        c.change12()
        m = bytearray(c.finished12())
        m[4 + i] ^= 1 << i % 8
        c.say(bytes(m))
    case(f"Finished: byte {i} is wrong", "decrypt_error", "RFC 5246 7.4.9", keyed(flip), settle=i < 2)
for what, cut in (("of 11 bytes", lambda v: v[:-1]), ("of 13 bytes", lambda v: v + b"\0"), ("of nothing", lambda v: b""), ("of 36 bytes", lambda v: v * 3)):
    case(f"Finished {what}", bad if what in ("of 11 bytes", "of nothing") else "decrypt_error", "RFC 5246 7.4.9, 7.2.2", keyed(lambda c, cut=cut: (c.change12(), c.say(message(FINISHED, cut(c.finished12()[4:])))) and None))
case("Finished in records of one byte", ok, "RFC 5246 6.2.1", keyed(lambda c: (c.change12(), c.say(c.finished12(), size=1), c.end12()) and None))
case("Finished with a byte behind it", (unexpected, bad), "RFC 5246 7.4.9", keyed(lambda c: (c.change12(), c.say(c.finished12() + b"\0")) and None))
case("Finished with application data behind it", "close_notify", "RFC 5246 7.4.9", keyed(lambda c: (c.change12(), c.say(c.finished12()), c.send(DATA, b"GET / HTTP/1.0\r\n\r\n"), c.end12()) and None))
case("ClientKeyExchange, change_cipher_spec, Finished at once", ok, "RFC 5246 7.3", hello())
# ---------------------------------------------------------------- records
case("a record one bit of which is wrong", "bad_record_mac", "RFC 5246 7.2.2", shaken(lambda c: c.raw(c.record(DATA, b"GET / HTTP/1.0\r\n\r\n")[:-1] + b"\0")))
case("another explicit nonce", "bad_record_mac", "RFC 5288 3", shaken(lambda c: c.raw((lambda r: r[:5] + b"\xff" + r[6:])(c.record(DATA, b"GET /")))))
case("a record twice", "bad_record_mac", "RFC 5246 6.2.3.3", shaken(lambda c: c.raw(c.record(DATA, b"G") * 2)))
for n in (0, 1, 8, 23):
    case(f"a protected record of {n} bytes", ("bad_record_mac", bad, unexpected), "RFC 5246 6.2.3.3", shaken(lambda c, n=n: c.raw(b"\x17\3\3" + u16(n) + bytes(n))))
case("2^14 bytes of data", "close_notify", "RFC 5246 6.2.1", shaken(lambda c: c.send(DATA, b"GET / HTTP/1.0\r\n" + b"X: " + b"y" * (16384 - 23) + b"\r\n\r\n")))
case("2^14 + 1 bytes of data", "record_overflow", "RFC 5246 6.2.1", shaken(lambda c: c.send(DATA, bytes(16385))))
case("2^14 + 2049 bytes of record", "record_overflow", "RFC 5246 6.2.3", shaken(lambda c: c.raw(b"\x17\3\3" + u16(16384 + 2049) + bytes(18433))))
case("empty application data", ok, "RFC 5246 6.2.1", shaken(lambda c: c.send(DATA, b"")))
case("a request byte by byte", "close_notify", "RFC 5246 6.2.1", shaken(lambda c: [c.send(DATA, bytes([b])) for b in b"GET / HTTP/1.0\r\n\r\n"] and None))
for v in (0x0300, 0x0302, 0x0304, 0x0404):
    case(f"a protected record of version {v:#06x}", ("protocol_version", wrong, bad, "bad_record_mac"), "RFC 5246 6.2.1", shaken(lambda c, v=v: c.send(DATA, b"GET / HTTP/1.0\r\n\r\n", version=v)))
for kind in (0, 24, 25, 99, 255):
    case(f"a protected record of type {kind}", (unexpected, "bad_record_mac"), "RFC 5246 6", shaken(lambda c, kind=kind: c.send(kind, b"abc")))
case("change_cipher_spec after the handshake", unexpected, "RFC 5246 7.1", shaken(lambda c: c.send(CCS, b"\1")))
# ---------------------------------------------------------------- again
no = ("no_renegotiation", refuse, unexpected)
case("renegotiation", no, "RFC 9325 3.5", shaken(lambda c: c.say(hello12().put(RENEGOTIATION, vec(1, bytes(12))).bytes())))
case("renegotiation, without renegotiation_info", no, "RFC 5746 3.7", shaken(lambda c: c.say(hello12().drop(RENEGOTIATION).bytes())))
case("renegotiation to TLS 1.3", no, "RFC 9846 4.2.2", shaken(lambda c: c.say(hello13([Key(X25519)]).bytes())))
for kind in (0, 2, 4, 11, 14, 16, 20, 24, 99):
    case(f"a message of type {kind} after the handshake", (unexpected,) + (no if kind == 0 else ()), "RFC 5246 7.4", shaken(lambda c, kind=kind: c.say(message(kind, b"" if kind in (0, 14) else bytes(12)))))
# ---------------------------------------------------------------- alerts
case("close_notify", "close_notify", "RFC 5246 7.2.1", shaken(lambda c: c.alert(1, 0)))
case("close_notify behind a request", "close_notify", "RFC 5246 7.2.1", shaken(lambda c: (c.send(DATA, b"GET / HTTP/1.0\r\n\r\n"), c.alert(1, 0)) and None))
case("a warning, then a request", (ok, "closed", "close_notify"), "RFC 5246 7.2.2", shaken(lambda c: c.alert(1, 90)))
case("a thousand warnings", (unexpected, bad, "closed", wrong), "RFC 5246 7.2.2", shaken(lambda c: [c.alert(1, 90) for _ in range(1000)] and None))
for level, number in ((2, 10), (2, 255), (3, 10), (0, 10)):
    case(f"an alert {level}, {number}", ("closed", "close_notify", wrong, bad), "RFC 5246 7.2", shaken(lambda c, level=level, number=number: c.alert(level, number)))
case("an alert of one byte", (bad, unexpected, wrong), "RFC 5246 7.2", shaken(lambda c: c.send(ALERT, b"\2")))
case("an alert of nothing", (bad, unexpected, wrong), "RFC 5246 6.2.1", shaken(lambda c: c.send(ALERT, b"")))
end()
