"""ctest: slow timeout=600
Tickets, binders and early data of TLS 1.3: what a client may do with a ticket, and what it may not."""
import signal

from cases import *

ok, wrong, bad, unexpected, missing = "ok", "illegal_parameter", "decode_error", "unexpected_message", "missing_extension"
EARLY = ("--early-max", "16384")
SHARED = ("--ticket-key", f"{D}/ticket.key")
with open(f"{D}/ticket.key", "wb") as f:
    f.write(os.urandom(48))
PAGE = b"GET / HTTP/1.0\r\n\r\n"


def ticket_of(port):
    """(ticket, its PSK, obfuscated age) of a fresh connection."""
    c = Client(port)
    c.shake13()
    kind, body = c.next()
    assert kind == TICKET, kind
    add = int.from_bytes(body[4:8], "big")
    nonce = body[9:9 + body[8]]
    at = 9 + body[8]
    n = int.from_bytes(body[at:at + 2], "big")
    psk = expand_label(c.resumption, b"resumption", nonce, 32)
    c.close()
    return body[at + 2:at + 2 + n], psk, add


def resuming(key, ticket, psk, age, change=None, early=False, binder=None, identities=None):
    """The hello, whole, with its binder made right unless `binder` says what it is."""
    h = hello13([key])
    if early:
        h.put(EARLY_DATA, b"")
    names = identities or [(ticket, age)]
    ids = vec(2, b"".join(vec(2, t) + struct.pack("!I", a & 0xffffffff) for t, a in names))
    zeros = vec(2, vec(1, bytes(32)) * len(names))
    h.put(PSK, ids + zeros)
    if change:
        change(h)
    whole = h.bytes()
    key_early = mac(bytes(32), psk)
    finished = expand_label(expand_label(key_early, b"res binder", sha(b""), 32), b"finished", b"", 32)
    good = mac(finished, sha(whole[:len(whole) - len(zeros)]))
    binders = binder(good) if binder else vec(2, vec(1, good) * len(names))
    if len(binders) != len(zeros) or binders != zeros:  # the lengths around it follow
        h.put(PSK, h.exts[h.find(PSK)][1][:-len(zeros)] + binders)
    return h


def with_ticket(go, options=()):
    def rude(c):
        t = ticket_of(c.s.getpeername()[1])
        return go(c, Key(X25519), *t)
    return rude


def resume(change=None, must=None, **more):
    """must: the session is (not) taken."""
    def go(c, key, ticket, psk, add):
        h = resuming(key, ticket, psk, add + 10, change, **more)
        c.start13([key], hello=h, psk=psk)
        assert must is None or c.resumed == must, f"resumed: {c.resumed}"
        c.finish13()
    return with_ticket(go)


def resume_second(c, key, ticket, psk, add):
    c.start13([key], hello=resuming(key, ticket, psk, add, identities=[(b"unknown" * 20, 1), (ticket, add)]), psk=psk)
    c.finish13()


def plain(c, key, hello):
    c.start13([key], hello=hello)
    assert not c.resumed
    c.finish13()


def move_psk_last(h):
    e = h.exts.pop(h.find(PSK))
    h.exts.append(e)


case("a ticket", ok, "RFC 9846 4.3.11", resume(must=True))
case("a ticket that is unknown", ok, "RFC 9846 4.3.11", resume(identities=[(os.urandom(150), 5)], must=False))
case("an unknown one in front of it", ok, "RFC 9846 4.3.11", with_ticket(lambda c, key, t, psk, add: resume_second(c, key, t, psk, add)))
case("a ticket one bit of which is wrong", ok, "RFC 9846 4.7.1", with_ticket(lambda c, key, t, psk, add: plain(c, key, resuming(key, t[:-1] + bytes([t[-1] ^ 1]), psk, add))))
case("a ticket that is cut", ok, "RFC 9846 4.7.1", with_ticket(lambda c, key, t, psk, add: plain(c, key, resuming(key, t[:-5], psk, add))))
case("a ticket of one byte", ok, "RFC 9846 4.3.11", resume(identities=[(b"x", 5)], must=False))
case("psk_ke alone", ok, "RFC 9846 4.3.9", resume(lambda h: move_psk_last(h.put(PSK_MODES, b"\1\0")), must=False))


# ---------------------------------------------------------------- binders
for i in (0, 1, 15, 31):
    case(f"a binder: byte {i} is wrong", "decrypt_error", "RFC 9846 4.3.11", resume(binder=lambda b, i=i: vec(2, vec(1, b[:i] + bytes([b[i] ^ 0x80]) + b[i + 1:]))))
for what, binder, wants in (("of 31 bytes", lambda b: vec(2, vec(1, b[:-1])), (bad, "decrypt_error", wrong)), ("of 33 bytes", lambda b: vec(2, vec(1, b + b"\0")), ("decrypt_error", wrong)),
                            ("of 255 bytes", lambda b: vec(2, vec(1, b * 7 + bytes(31))), ("decrypt_error", wrong)), ("of nothing", lambda b: vec(2, b"\0" * 33), (bad,)),
                            ("and another", lambda b: vec(2, vec(1, b) * 2), (wrong,)), ("none", lambda b: b"\0\0", (bad, wrong)), ("longer than it is", lambda b: vec(2, b"\x21" + b), (bad,)),
                            ("a byte behind it", lambda b: vec(2, vec(1, b)) + b"\0", (bad,)), ("of zeros", lambda b: vec(2, vec(1, bytes(31) + b"\1")), ("decrypt_error",))):
    case(f"binders: {what}", wants, "RFC 9846 4.3.11", resume(binder=binder))
case("pre_shared_key is not the last", wrong, "RFC 9846 4.3.11", resume(lambda h: h.exts.append((0xfade, b""))))
case("pre_shared_key is the first", wrong, "RFC 9846 4.3.11", resume(lambda h: h.exts.insert(0, h.exts.pop(h.find(PSK)))))
case("no psk_key_exchange_modes", missing, "RFC 9846 4.3.9", resume(lambda h: h.drop(PSK_MODES)))
case("no key_share", (missing, wrong), "RFC 9846 9.2", resume(lambda h: h.drop(KEY_SHARE)))
case("pre_shared_key twice", wrong, "RFC 9846 4.3", resume(lambda h: h.exts.append(h.exts[-1])))
for what, body in (("nothing", b""), ("identities of nothing", b"\0\0" + vec(2, vec(1, bytes(32)))), ("an identity of nothing", vec(2, b"\0\0" + bytes(4)) + vec(2, vec(1, bytes(32)))),
                   ("no age", vec(2, vec(2, b"x") + b"\0") + vec(2, vec(1, bytes(32)))), ("identities longer than they are", b"\0\xff" + bytes(40)), ("no binders", vec(2, vec(2, b"x" * 9) + bytes(4)))):
    case(f"pre_shared_key: {what}", bad, "RFC 9846 4.3.11", with_ticket(lambda c, key, t, psk, add, body=body: c.say(hello13([key]).put(PSK, body).bytes())))


# ---------------------------------------------------------------- early data
def early_keys(c, psk, hello):
    secret = expand_label(mac(bytes(32), psk), b"c e traffic", sha(hello.bytes()), 32)
    return Cipher.of(secret)


def early(data=PAGE, taken=True, then=None, end_of=True, flip=False, binder=None, records=1):
    def go(c, key, ticket, psk, add):
        h = resuming(key, ticket, psk, add + 20, early=True)
        # pre_shared_key stays last
        c.keys, c.hello = [key], h
        c.say(h.bytes(), version=0x0301)
        keys = early_keys(c, psk, h)
        for _ in range(records):
            c.wr = keys
            r = c.record(DATA, data)
            c.wr = None
            c.raw(r[:-1] + bytes([r[-1] ^ 1]) if flip else r)
        c.server_hello13(psk)
        c.flight13()
        if then:
            return then(c, keys)
        if taken and end_of:
            hs, c.wr = c.wr, keys
            c.say(message(END_OF_EARLY_DATA, b""))
            c.wr = hs
        c.finish13()
        if taken:
            end = c.outcome()
            return ok if c.data.endswith(b"<h1>home</h1>") and end == "close_notify" else f"{end} {c.data[:50]!r}" if c.data else end
        return None
    return with_ticket(go)


def under(c, keys, *messages):
    c.wr = keys
    c.say(*messages)


def rubbish(c, records):
    key = Key(X25519)
    h = hello13([key]).put(EARLY_DATA, b"")
    c.keys, c.hello = [key], h
    c.say(h.bytes(), version=0x0301)
    for _ in range(records):
        c.raw(b"\x17\3\3" + vec(2, os.urandom(2000)))
    c.server_hello13()
    c.flight13()
    c.finish13()


def replay(c, key, ticket, psk, add, between=lambda: None):
    """The same hello and data on a second connection: it is not taken, at least not early."""
    port = c.s.getpeername()[1]
    h = resuming(key, ticket, psk, add + 20, early=True)
    for n, client in enumerate((Client(port), None)):
        client = client or again(c, port, between)
        client.keys, client.hello = [key], h
        client.say(h.bytes(), version=0x0301)
        keys = early_keys(client, psk, h)
        client.wr = keys
        r = client.record(DATA, PAGE)
        client.wr = None
        client.raw(r)
        client.server_hello13(psk)
        client.flight13()
        taken = EARLY_DATA in client.encrypted
        assert taken == (n == 0), f"connection {n}: early data taken: {taken}"
    c.finish13()


def again(c, port, between):
    """In place of the connection that the case began with, which has the configuration of then."""
    between()
    c.close()
    c.s = Client(port).s
    return c


def reload():
    s = server(*EARLY, *SHARED)
    before = s.log().count("result=ok")
    s.kill(signal.SIGHUP)
    while s.log().count("result=ok") == before:
        time.sleep(0.05)


def old(c, key, ticket, psk, add):
    """It says that it is an hour old, and is not: no early data (RFC 9846 8.3), and the session goes on."""
    h = resuming(key, ticket, psk, add + 3600000, early=True)
    c.start13([key], hello=h, psk=psk)
    assert c.resumed and EARLY_DATA not in c.encrypted
    c.finish13()


case("early data is taken, and answered", ok, "RFC 9846 4.3.10", early(), EARLY)
case("early data of a server that takes none is passed over", ok, "RFC 9846 4.3.10", early(taken=False))
case("early data that is refused, 16 KB of it", ok, "RFC 9846 4.3.10", early(data=bytes(1000), records=15, taken=False))
case("early data that is refused, a megabyte of it", ("bad_record_mac", unexpected), "RFC 9846 4.7.1", early(data=bytes(16000), records=70, taken=False))
case("more early data than the ticket allows", unexpected, "RFC 9846 4.7.1", early(data=b"GET /" + bytes(16000), records=3), EARLY)
case("early data one bit of which is wrong", "bad_record_mac", "RFC 9846 5.2", early(flip=True), EARLY)
case("no EndOfEarlyData", ("bad_record_mac", unexpected), "RFC 9846 4.6", early(data=b"GET /", end_of=False), EARLY)
case("EndOfEarlyData with something in it", bad, "RFC 9846 6.2", early(data=b"GET /", then=lambda c, k: under(c, k, message(END_OF_EARLY_DATA, b"\0"))), EARLY)
case("EndOfEarlyData twice", unexpected, "RFC 9846 4.6", early(data=b"GET /", then=lambda c, k: under(c, k, message(END_OF_EARLY_DATA, b"") * 2)), EARLY)
case("Finished under the keys of early data", (unexpected, "bad_record_mac"), "RFC 9846 4.6", early(data=b"GET /", then=lambda c, k: under(c, k, message(FINISHED, bytes(32)))), EARLY)
case("EndOfEarlyData under the keys of the handshake", ("bad_record_mac", unexpected), "RFC 9846 4.6", early(data=b"GET /", then=lambda c, k: c.say(message(END_OF_EARLY_DATA, b""))), EARLY)
case("a KeyUpdate in early data", unexpected, "RFC 9846 4.7.3", early(data=b"GET /", then=lambda c, k: under(c, k, message(KEY_UPDATE, b"\0"))), EARLY)
case("early_data without a ticket, and rubbish behind it", ok, "RFC 9846 4.3.10", lambda c: rubbish(c, 4), EARLY)
case("early_data without a ticket, and much rubbish", ("bad_record_mac", unexpected), "RFC 9846 4.3.10", lambda c: rubbish(c, 200), EARLY)


case("a hello that was there before: its early data is not taken again", ok, "RFC 9846 8", with_ticket(replay), EARLY)
case("a hello that was there before the configuration was read again", ok, "RFC 9846 8", with_ticket(lambda *a: replay(*a, reload)), EARLY + SHARED)
case("a ticket after its age", ok, "RFC 9846 8.3", with_ticket(lambda c, key, t, psk, add: old(c, key, t, psk, add)), EARLY)


end()
