"""ctest: slow timeout=600
Records, alerts and what comes after the hello, in TLS 1.3: wrong types, lengths, order, keys; each place where something may be slipped in."""
from cases import *

ok, unexpected, overflow, badmac, bad, wrong = "ok", "unexpected_message", "record_overflow", "bad_record_mac", "decode_error", "illegal_parameter"
HELLO = hello13([Key(X25519)])


def started(after):
    """`after` is done where the client's Finished would come."""
    def rude(c):
        c.start13([Key(X25519)])
        return after(c)
    return rude


def shaken(after):
    def rude(c):
        c.shake13()
        return after(c)
    return rude


def big(c):
    key = Key(X25519)
    h = hello13([key])
    h.put(21, bytes(16384 - len(h.bytes()) - 4))
    assert len(h.bytes()) == 16384
    c.start13([key], hello=h)
    c.finish13()


def seal_raw(c, inner):
    return c.record(None, inner)


def flipped(record):
    return record[:-1] + bytes([record[-1] ^ 1])


def update(c, ask, times=1):
    """The answer may wait for the server's next data (RFC 9846 4.7.3); several requests are one."""
    for _ in range(times):
        c.update(ask)
    data, end = c.answer()
    assert c.updates == ask, f"{c.updates} KeyUpdates came back"
    return ok if data.endswith(b"<h1>home</h1>") else end


def half_closed(c):
    c.send(DATA, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
    c.s.shutdown(socket.SHUT_WR)
    end = c.outcome()
    assert c.data.count(b"<h1>home</h1>") == 3, c.data
    return end


# ---------------------------------------------------------------- the first record
for kind in (0, 1, 19, 24, 25, 64, 128, 255):
    case(f"first a record of type {kind}", unexpected, "RFC 9846 5", lambda c, kind=kind: c.raw(bytes([kind, 3, 1, 0, 5]) + bytes(5)))
case("first application data", unexpected, "RFC 9846 5", lambda c: c.send(DATA, b"hello"))
case("first change_cipher_spec", unexpected, "RFC 9846 5", lambda c: c.send(CCS, b"\1"))
case("first a fatal alert", ("closed",), "RFC 9846 6.2", lambda c: c.alert(2, 40))
case("first close_notify", ("closed", "close_notify"), "RFC 9846 6.1", lambda c: c.alert(1, 0))
case("first an empty handshake record", unexpected, "RFC 9846 5.1", lambda c: c.send(HANDSHAKE, b""))
case("first an empty alert record", (unexpected, bad), "RFC 9846 5.1", lambda c: c.send(ALERT, b""))
for what, raw in (("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), ("SSH", b"SSH-2.0-x\r\n"), ("SMTP", b"EHLO x\r\nQUIT\r\n"), ("an SSL 2 hello", bytes.fromhex("802e0100020015000000100100800200800300800400800500800600400700c0") + bytes(16)),
                  ("zeros", bytes(100)), ("ones", b"\xff" * 100)):
    case(f"{what} on the port", (unexpected, "protocol_version", "decode_error", "closed", "record_overflow"), "RFC 9846 5", lambda c, raw=raw: c.raw(raw))
for n in (16385, 16384 + 256, 16384 + 257, 20000, 65535):
    case(f"a plain record of {n} bytes", overflow, "RFC 9846 5.1", lambda c, n=n: c.raw(b"\x16\3\1" + u16(n) + (HELLO.bytes() + bytes(70000))[:n]))
case("a plain record that says 65535 and does not come", overflow, "RFC 9846 5.1", lambda c: c.raw(b"\x16\3\1\xff\xff"))
case("a record of exactly 16384", ok, "RFC 9846 5.1", big)


# ---------------------------------------------------------------- messages in the place of a hello, and beside it
for kind in (0, 2, 4, 5, 8, 11, 12, 13, 14, 15, 16, 20, 22, 24, 25, 99, 254, 255):
    case(f"first a message of type {kind}", unexpected, "RFC 9846 4", lambda c, kind=kind: c.say(message(kind, bytes(4))))
case("a hello that says 2^24 - 1 bytes", bad, "RFC 9846 6.2", lambda c: c.say(message(CLIENT_HELLO, HELLO.body(), 0xffffff)))
case("a hello of 200000 bytes", bad, "RFC 9846 6.2", lambda c: c.say(message(CLIENT_HELLO, HELLO.body() + bytes(200000))))
case("two hellos in one record", unexpected, "RFC 9846 5.1", lambda c: c.say(HELLO.bytes() * 2))
case("another hello in the clear instead of Finished", unexpected, "RFC 9846 4.2.2", started(lambda c: c.raw(b"\x16\3\3" + vec(2, HELLO.bytes()))))
case("half a message behind the hello", unexpected, "RFC 9846 5.1", lambda c: c.say(HELLO.bytes() + b"\x14\0\0\x20"))
case("one byte behind the hello", unexpected, "RFC 9846 5.1", lambda c: c.say(HELLO.bytes() + b"\x14"))
half = HELLO.bytes()[:60]
for what, kind, body in (("an alert", ALERT, b"\1\x5a"), ("change_cipher_spec", CCS, b"\1"), ("application data", DATA, b"x"), ("an empty record", HANDSHAKE, b"")):
    case(f"{what} in the middle of a hello", unexpected, "RFC 9846 5.1", lambda c, kind=kind, body=body: (c.send(HANDSHAKE, half), c.send(kind, body), c.send(HANDSHAKE, HELLO.bytes()[60:])) and None)
case("a fatal alert in the middle of a hello", ("closed", unexpected), "RFC 9846 6.2", lambda c: (c.send(HANDSHAKE, half), c.alert(2, 80)) and None)
case("the end of TCP in the middle of a hello", ("closed", bad, unexpected, "close_notify"), "RFC 9846 6", lambda c: (c.send(HANDSHAKE, half), c.s.shutdown(socket.SHUT_WR)) and None)
# ---------------------------------------------------------------- change_cipher_spec
case("change_cipher_spec before Finished", ok, "RFC 9846 5", started(lambda c: (c.raw(b"\x14\3\3\0\1\1"), c.finish13()) and None))
case("change_cipher_spec in a record of another version", ok, "RFC 9846 E", started(lambda c: (c.raw(b"\x14\3\1\0\1\1"), c.finish13()) and None))
case("five of them", ok, "RFC 9846 5", started(lambda c: (c.raw(b"\x14\3\3\0\1\1" * 5), c.finish13()) and None))
case("thousands of them", (unexpected, ok), "RFC 9846 5", started(lambda c: (c.raw(b"\x14\3\3\0\1\1" * 3000), c.finish13()) and None))
for what, raw in (("of value 2", b"\2"), ("of value 0", b"\0"), ("of two bytes", b"\1\1"), ("of nothing", b"")):
    case(f"change_cipher_spec {what}", (unexpected, bad) if what in ("of nothing", "of two bytes") else unexpected, "RFC 9846 5", started(lambda c, raw=raw: c.raw(b"\x14\3\3" + vec(2, raw))))
case("change_cipher_spec, protected", unexpected, "RFC 9846 5", started(lambda c: c.send(CCS, b"\1")))
case("change_cipher_spec after Finished", unexpected, "RFC 9846 5", shaken(lambda c: c.raw(b"\x14\3\3\0\1\1")))
case("change_cipher_spec after Finished, protected", unexpected, "RFC 9846 5", shaken(lambda c: c.send(CCS, b"\1")))
# ---------------------------------------------------------------- Finished
for i in range(32):
    def flip(c, i=i):
        v = bytearray(c.verify_data())
        v[i] ^= 1 << i % 8
        c.say(message(FINISHED, bytes(v)))
    case(f"Finished: byte {i} is wrong", "decrypt_error", "RFC 9846 4.5.3", started(flip), settle=i < 2)
for what, cut in (("of 31 bytes", lambda v: v[:-1]), ("of 33 bytes", lambda v: v + b"\0"), ("of nothing", lambda v: b""), ("of 48 bytes", lambda v: v + bytes(16)), ("of 16384 bytes", lambda v: v + bytes(16384))):
    case(f"Finished {what}", bad if what in ("of 31 bytes", "of nothing") else "decrypt_error", "RFC 9846 4.5.3, 6.2", started(lambda c, cut=cut: c.say(message(FINISHED, cut(c.verify_data())))))
case("Finished of zeros", "decrypt_error", "RFC 9846 4.5.3", started(lambda c: c.say(message(FINISHED, bytes(32)))))
case("Finished in records of one byte", ok, "RFC 9846 5.1", started(lambda c: (c.say(message(FINISHED, c.verify_data()), size=1), setattr(c, "wr", Cipher.of(c.c_ap))) and None))
case("Finished with padding", ok, "RFC 9846 5.4", started(lambda c: (c.say(message(FINISHED, c.verify_data()), pad=3000), setattr(c, "wr", Cipher.of(c.c_ap))) and None))
case("Finished with a byte behind it", unexpected, "RFC 9846 5.1", started(lambda c: c.say(message(FINISHED, c.verify_data()) + b"\x18")))
case("Finished and a KeyUpdate in one record", unexpected, "RFC 9846 5.1", started(lambda c: c.say(message(FINISHED, c.verify_data()) + message(KEY_UPDATE, b"\0"))))
case("Finished twice", unexpected, "RFC 9846 4.5.3", shaken(lambda c: c.say(message(FINISHED, c.verify_data()))))
case("Finished in the clear", (unexpected, badmac, bad), "RFC 9846 4.5.3", started(lambda c: c.raw(b"\x16\3\3" + vec(2, message(FINISHED, c.verify_data())))))
case("Finished under the application's keys", badmac, "RFC 9846 4.5.3", started(lambda c: (setattr(c, "wr", Cipher.of(c.c_ap)), c.say(message(FINISHED, c.verify_data()))) and None))
for kind in (0, 1, 2, 4, 5, 8, 11, 13, 15, 16, 24, 25, 99, 254):
    case(f"a message of type {kind} instead of Finished", unexpected, "RFC 9846 4", started(lambda c, kind=kind: c.say(message(kind, b"\0" * (1 if kind == 24 else 8)))))
case("application data instead of Finished", unexpected, "RFC 9846 5", started(lambda c: c.send(DATA, b"GET / HTTP/1.0\r\n\r\n")))
case("a fatal alert instead of Finished", ("closed",), "RFC 9846 6.2", started(lambda c: c.alert(2, 42)))
case("a fatal alert in the clear instead of Finished", ("closed", unexpected, badmac, bad), "RFC 9846 6.2", started(lambda c: c.raw(b"\x15\3\3\0\2\2\x2a")))
case("the end of TCP instead of Finished", ("closed", "close_notify", bad, unexpected), "RFC 9846 6", started(lambda c: c.s.shutdown(socket.SHUT_WR)))
# ---------------------------------------------------------------- protected records
for where, then in (("before Finished", started), ("after the handshake", shaken)):
    case(f"a record that cannot be opened, {where}", badmac, "RFC 9846 5.2", then(lambda c: c.raw(b"\x17\3\3\0\x20" + bytes(32))))
    case(f"a record of 16 bytes, {where}", (badmac, bad), "RFC 9846 5.2", then(lambda c: c.raw(b"\x17\3\3\0\x10" + bytes(16))))
    case(f"a record of nothing, {where}", (badmac, bad, unexpected), "RFC 9846 5.2", then(lambda c: c.raw(b"\x17\3\3\0\0")))
    case(f"padding alone, {where}", unexpected, "RFC 9846 5.4", then(lambda c: c.raw(seal_raw(c, bytes(20)))))
    case(f"nothing at all inside, {where}", unexpected, "RFC 9846 5.4", then(lambda c: c.raw(seal_raw(c, b""))))
    case(f"a full record of padding, {where}", unexpected, "RFC 9846 5.4", then(lambda c: c.raw(seal_raw(c, bytes(16385)))))
    case(f"one byte more than fits, {where}", overflow, "RFC 9846 5.4", then(lambda c: c.raw(seal_raw(c, b"x" * 16385 + b"\x17"))))
    case(f"one byte of padding more than fits, {where}", overflow, "RFC 9846 5.4", then(lambda c: c.raw(seal_raw(c, b"x" * 16384 + b"\x17\0"))))
    case(f"a record of 2^14 + 257, {where}", overflow, "RFC 9846 5.2", then(lambda c: c.raw(b"\x17\3\3" + u16(16384 + 257) + bytes(16384 + 257))))
    case(f"a record of 65535, {where}", overflow, "RFC 9846 5.2", then(lambda c: c.raw(b"\x17\3\3\xff\xff" + bytes(65535))))
    for kind in (0, 1, 24, 25, 99, 255):
        case(f"inside a record of type {kind}, {where}", unexpected, "RFC 9846 5", then(lambda c, kind=kind: c.raw(seal_raw(c, b"abc" + u8(kind)) if kind else seal_raw(c, bytes(8)))))
    case(f"an empty handshake fragment, {where}", unexpected, "RFC 9846 5.4", then(lambda c: c.raw(seal_raw(c, b"\x16"))))
    case(f"an empty alert, {where}", unexpected, "RFC 9846 5.4", then(lambda c: c.raw(seal_raw(c, b"\x15"))))
    case(f"the outer type is not application data, {where}", (unexpected, badmac, bad), "RFC 9846 5.2", then(lambda c: c.raw(b"\x16" + seal_raw(c, b"x\x17")[1:])))


case("empty application data", ok, "RFC 9846 5.4", shaken(lambda c: (c.send(DATA, b""), c.send(DATA, b"", pad=100)) and None))
case("empty application data, 5000 times", (ok, unexpected), "RFC 9846 5.4", shaken(lambda c: [c.send(DATA, b"") for _ in range(5000)] and None))
case("a request byte by byte", ("close_notify",), "RFC 9846 5.1", shaken(lambda c: [c.send(DATA, bytes([b])) for b in b"GET / HTTP/1.0\r\n\r\n"] and None))
case("a request with padding", ("close_notify",), "RFC 9846 5.4", shaken(lambda c: c.send(DATA, b"GET / HTTP/1.0\r\n\r\n", pad=16000)))
case("a record one bit of which is wrong", badmac, "RFC 9846 5.2", shaken(lambda c: c.raw(flipped(c.record(DATA, b"GET / HTTP/1.0\r\n\r\n")))))
case("a record twice", badmac, "RFC 9846 5.3", shaken(lambda c: c.raw(c.record(DATA, b"GET / HT") * 2)))
case("a record left out", badmac, "RFC 9846 5.3", shaken(lambda c: (c.record(DATA, b"GET "), c.send(DATA, b"/")) and None))


# ---------------------------------------------------------------- messages after the handshake
for kind, what in ((0, "HelloRequest"), (1, "ClientHello"), (2, "ServerHello"), (4, "NewSessionTicket"), (5, "EndOfEarlyData"), (8, "EncryptedExtensions"), (11, "Certificate"),
                   (13, "CertificateRequest"), (15, "CertificateVerify"), (16, "ClientKeyExchange"), (20, "Finished"), (99, "an unknown message")):
    body = HELLO.body() if kind == 1 else b"" if kind in (0, 5) else bytes(8)
    case(f"{what} after the handshake", unexpected, "RFC 9846 4.7", shaken(lambda c, kind=kind, body=body: c.say(message(kind, body))))
case("half a message, then application data", unexpected, "RFC 9846 5.1", shaken(lambda c: (c.send(HANDSHAKE, b"\x18\0"), c.send(DATA, b"x")) and None))
case("a message that says 2^24 - 1 bytes", bad, "RFC 9846 6.2", shaken(lambda c: c.send(HANDSHAKE, b"\x18\xff\xff\xff")))
# ---------------------------------------------------------------- KeyUpdate
for ask in (0, 1):
    case(f"KeyUpdate, request_update {ask}", ok if not ask else "ok", "RFC 9846 4.7.3", shaken(lambda c, ask=ask: update(c, ask)))


case("KeyUpdate, ten of them", ok, "RFC 9846 4.7.3", shaken(lambda c: update(c, 0, 10)))
case("KeyUpdate that asks, ten of them", ok, "RFC 9846 4.7.3", shaken(lambda c: update(c, 1, 10)))
case("KeyUpdate, thousands of them", (unexpected, "internal_error", ok), "RFC 9846 4.7.3", shaken(lambda c: [c.update(0) for _ in range(3000)] and None))
for value in (2, 3, 255):
    case(f"KeyUpdate, request_update {value}", wrong, "RFC 9846 4.7.3", shaken(lambda c, value=value: c.say(message(KEY_UPDATE, u8(value)))))
for what, body in (("of nothing", b""), ("of two bytes", b"\0\0"), ("of 100 bytes", bytes(100))):
    case(f"KeyUpdate {what}", bad, "RFC 9846 6.2", shaken(lambda c, body=body: c.say(message(KEY_UPDATE, body))))
case("KeyUpdate before Finished", unexpected, "RFC 9846 4.7.3", started(lambda c: c.say(message(KEY_UPDATE, b"\0"))))
case("KeyUpdate, and the old keys", badmac, "RFC 9846 4.7.3", shaken(lambda c: (c.say(message(KEY_UPDATE, b"\0")), c.send(DATA, b"x")) and None))
case("KeyUpdate with another in its record", unexpected, "RFC 9846 5.1", shaken(lambda c: c.say(message(KEY_UPDATE, b"\0") * 2)))
case("KeyUpdate in records of one byte", ok, "RFC 9846 5.1", shaken(lambda c: (c.say(message(KEY_UPDATE, b"\0"), size=1), setattr(c, "wr", Cipher.of(expand_label(c.wr.secret, b"traffic upd", b"", 32)))) and None))
case("KeyUpdate in the middle of a request", ("close_notify",), "RFC 9846 4.7.3", shaken(lambda c: (c.send(DATA, b"GET / HT"), c.update(0), c.send(DATA, b"TP/1.0\r\n\r\n")) and None))
# ---------------------------------------------------------------- alerts
case("close_notify", "close_notify", "RFC 9846 6.1", shaken(lambda c: c.alert(1, 0)))
case("close_notify that says it is fatal", "close_notify", "RFC 9846 6", shaken(lambda c: c.alert(2, 0)))
case("close_notify before Finished", ("closed", "close_notify"), "RFC 9846 6.1", started(lambda c: c.alert(1, 0)))
case("user_canceled, then close_notify", ("close_notify", "closed"), "RFC 9846 6.1", shaken(lambda c: (c.alert(1, 90), c.alert(1, 0)) and None))
case("user_canceled before Finished, then close_notify", ("close_notify", "closed"), "RFC 9846 6.1", started(lambda c: (c.alert(1, 90), c.alert(1, 0)) and None))
for level, number in ((2, 10), (2, 20), (2, 40), (2, 80), (2, 255), (1, 40), (1, 112), (1, 255), (0, 10), (3, 10), (255, 10)):
    case(f"an alert {level}, {number}", ("closed", "close_notify", wrong, bad), "RFC 9846 6.2", shaken(lambda c, level=level, number=number: c.alert(level, number)))
for what, body in (("of one byte", b"\2"), ("of three bytes", b"\2\x28\0"), ("twice in a record", b"\1\0\1\0")):
    case(f"an alert {what}", (bad, unexpected, wrong), "RFC 9846 5.1, 6.2", shaken(lambda c, body=body: c.send(ALERT, body)))
case("close_notify behind a request", "close_notify", "RFC 9846 6.1", shaken(lambda c: (c.send(DATA, b"GET / HTTP/1.0\r\n\r\n"), c.alert(1, 0)) and None))
case("data behind close_notify", "close_notify", "RFC 9846 6.1", shaken(lambda c: (c.alert(1, 0), c.send(DATA, b"GET / HTTP/1.0\r\n\r\n")) and None))
case("rubbish behind close_notify", "close_notify", "RFC 9846 6.1", shaken(lambda c: (c.alert(1, 0), c.raw(bytes(5000))) and None))
case("the end of TCP without close_notify", ("close_notify", "closed"), "RFC 9846 6.1", shaken(lambda c: c.s.shutdown(socket.SHUT_WR)))


case("requests, and the end of TCP behind them", "close_notify", "RFC 9846 6.1", shaken(half_closed))
end()
