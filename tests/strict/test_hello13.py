"""ctest: slow timeout=600
ClientHellos of TLS 1.3 that are wrong in one thing each, and those that look odd and are right."""
from cases import *

ok = "ok"


def hello(change=None, groups=(X25519,), listed=None, settings=(), version_wanted=13, **more):
    """A case's rudeness: a hello with one change; then the rest of the handshake, as far as the server goes along."""
    def rude(c):
        keys = [Key(g) for g in groups]
        h = hello13(keys, groups=listed, **more)
        made = (change(h) if change else None) or h
        if version_wanted == 12:
            c.shake12(h)
            return
        if isinstance(made, bytes):  # a message in raw bytes
            c.raw(c.record(HANDSHAKE, made, 0x0301))
            return
        c.start13(keys, hello=h)
        c.finish13()
    rude.settings = settings
    return rude


def ext(kind, body):
    return lambda h: h.put(kind, body)


def without(*kinds):
    return lambda h: h.drop(*kinds)


def retry(c, change=None, first=None, keys=None, second_share=True, groups=(P256, X25519)):
    """A first hello without a share of what the server wants; the second, changed."""
    keys = keys or [Key(g) for g in groups]
    h = hello13([], groups=[k.group for k in keys])
    if first:
        first(h)
    c.keys = keys
    c.say(h.bytes(), version=0x0301)
    again, exts = c.read_hello13()
    assert again, "no HelloRetryRequest"
    wanted = int.from_bytes(exts[KEY_SHARE], "big")
    hash1 = len(h.bytes())
    c.transcript = message(MESSAGE_HASH, sha(c.transcript[:hash1])) + c.transcript[hash1:]
    if COOKIE in exts:
        h.put(COOKIE, exts[COOKIE])
    key = next(k for k in keys if k.group == wanted)
    if second_share:
        h.put(KEY_SHARE, vec(2, share(key.group, key.public)))
    if change:
        change(h)
    c.say(h.bytes())
    c.server_hello13()
    c.flight13()
    c.finish13()


# ---------------------------------------------------------------- what is right, however it looks
G = 0x4a4a
case("GREASE everywhere", ok, "RFC 8701 3", hello(lambda h: (h.exts.insert(0, (G, b"")), h.exts.append((0x5a5a, b"\0")),
     h.put(VERSIONS, vec(1, shorts(0x6a6a, 0x0304))), h.put(GROUPS, vec(2, shorts(0x7a7a, X25519))), h.put(PSK_MODES, vec(1, b"\x0b\1")),
     h.put(KEY_SHARE, vec(2, share(0x7a7a, b"\0") + h.exts[h.find(KEY_SHARE)][1][2:]))) and None, suites=(0x8a8a, 0x1301)))
case("an extension that nobody knows", ok, "RFC 9846 4.3", hello(ext(0xfade, os.urandom(700))))
case("a padding extension of 15000 bytes", ok, "RFC 7685", hello(ext(21, bytes(15000))))
case("a hello of 60000 bytes", ok, "RFC 9846 5.1", hello(ext(0xfade, bytes(60000))))
case("many unknown extensions", ok, "RFC 9846 4.3", hello(lambda h: h.exts.extend((0x8000 + i, b"") for i in range(60)) and None))
case("16000 unknown extensions", ok, "RFC 9846 4.3", hello(lambda h: h.exts.extend((0x4000 + i, b"") for i in range(16000)) and None))
case("16000 unknown extensions, one of them twice", "decode_error", "RFC 9846 4.3", hello(lambda h: h.exts.extend((0x4000 + i % 15999, b"") for i in range(16000)) and None))
case("the longest hello there can be", ok, "RFC 9846 4.2.2", hello(lambda h: h.put(21, bytes(65535 - 4 - len(h.extensions()))) and None, suites=(0x1301,) + (0xdada,) * 32766))
case("all suites there are", ok, "RFC 9846 4.2.2", hello(suites=[i for i in range(0x0001, 0x00ff)] + [0x1301]))
case("no session id", ok, "RFC 9846 4.2.2", hello(session_id=b""))
case("a session id of one byte", ok, "RFC 9846 4.2.2", hello(session_id=b"x"))
case("heartbeat is offered", ok, "RFC 6520 2", hello(ext(15, b"\1")))
case("status_request, SCT list, compress_certificate", ok, "RFC 6066 8", hello(lambda h: (h.put(5, b"\1\0\0\0\0"), h.put(18, b""), h.put(27, b"\4\0\1\0\2")) and None))
case("signature_algorithms_cert", ok, "RFC 9846 4.3.3", hello(ext(50, vec(2, shorts(*SIGS)))))
case("post_handshake_auth", ok, "RFC 9846 4.3.6", hello(ext(49, b"")))
case("session_ticket as TLS 1.2 has it", ok, "RFC 5077 3.2", hello(ext(SESSION_TICKET, os.urandom(200))))
case("extended_master_secret beside", ok, "RFC 7627 5.1", hello(ext(EMS, b"")))
case("max_fragment_length", ok, "RFC 6066 4", hello(ext(1, b"\1")))
case("record_size_limit", ok, "RFC 8449 4", hello(ext(28, u16(512))))
case("no server_name", ok, "RFC 9846 9.2", hello(without(SERVER_NAME)))
case("no psk_key_exchange_modes", ok, "RFC 9846 4.3.9", hello(without(PSK_MODES)))
case("psk_ke alone as a mode", ok, "RFC 9846 4.3.9", hello(ext(PSK_MODES, vec(1, b"\0"))))
for g in (P256, P384, P521):
    case(f"group {g:#06x} alone", ok, "RFC 9846 4.3.7", hello(groups=(g,)))
case("all groups, shares of three", ok, "RFC 9846 4.3.8", hello(groups=(X25519, P256, P384), listed=(X25519, P256, P384, P521, 0x0100)))
for v in (0x0300, 0x0302, 0x0304, 0x03ff):
    def other_record_version(c, v=v):
        key = Key(X25519)
        h = hello13([key])
        c.keys, c.transcript = [key], h.bytes()
        c.raw(c.record(HANDSHAKE, h.bytes(), v))
        c.server_hello13()
        c.flight13()
        c.finish13()
    case(f"the hello's record has version {v:#06x}", ok, "RFC 9846 5.1", other_record_version)
for size in (1, 2, 3, 5, 100):
    case(f"in records of {size} bytes", ok, "RFC 9846 5.1", lambda c, size=size: c.shake13(size=size))
case("empty key_share, then what HelloRetryRequest asks for", ok, "RFC 9846 4.3.8", lambda c: retry(c))
case("versions 1.3 after unknown and old ones", ok, "RFC 9846 4.3.1", hello(ext(VERSIONS, vec(1, shorts(0x0302, 0x7f1c, 0x0303, 0x0304)))))
case("versions: 1.2 alone", ok, "RFC 9846 4.3.1", hello(lambda h: (h.put(VERSIONS, vec(1, shorts(0x0303))), h.drop(KEY_SHARE, PSK_MODES), h.put(EMS, b""), h.put(POINT_FORMATS, b"\1\0")) and None, listed=(X25519, P256), version_wanted=12))


# ---------------------------------------------------------------- lengths and ends
bad, wrong, missing = "decode_error", "illegal_parameter", "missing_extension"
body = lambda h: h.body()
raw = lambda change: hello(lambda h: message(CLIENT_HELLO, change(h)))
case("a byte behind the extensions", bad, "RFC 9846 6.2", raw(lambda h: h.body() + b"\0"))
case("extensions longer than the message", bad, "RFC 9846 6.2", raw(lambda h: h.head() + u16(len(h.extensions()) + 1) + h.extensions()))
case("extensions shorter than what is there", bad, "RFC 9846 6.2", raw(lambda h: h.head() + u16(len(h.extensions()) - 1) + h.extensions()))
case("an extension longer than the block", bad, "RFC 9846 6.2", raw(lambda h: h.head() + vec(2, h.extensions() + u16(0xfade) + u16(1))))
case("half the head of an extension", bad, "RFC 9846 6.2", raw(lambda h: h.head() + vec(2, h.extensions() + b"\xfa")))
case("a hello of nothing", bad, "RFC 9846 6.2", raw(lambda h: b""))
full = hello13([Key(X25519)]).body()
for n in (1, 2, 20, 34, 35, 66, 67, 68, 70, 73, 74, 75, 80, len(full) - 1):
    case(f"cut off after {n} bytes", (bad,) if n not in (75,) else (bad, "protocol_version", "handshake_failure"), "RFC 9846 6.2", raw(lambda h, n=n: h.body()[:n]))
case("a session id of 33 bytes", bad, "RFC 9846 4.2.2", hello(session_id=bytes(33)))
case("a session id of 255 bytes", bad, "RFC 9846 4.2.2", hello(session_id=bytes(255)))
case("no suites", bad, "RFC 9846 4.2.2", hello(suites=()))
case("one and a half suites", bad, "RFC 9846 4.2.2", hello(lambda h: setattr(h, "suites", b"\x13\x01\x13")))
case("unknown suites alone", "handshake_failure", "RFC 9846 4.2.2", hello(suites=(0xdada, 0x1399)))
case("suites of TLS 1.2 alone in a 1.3 hello", "handshake_failure", "RFC 9846 4.2.1", hello(suites=(0xc02b, 0xc02f)))
for what, methods in (("deflate first", b"\1\0"), ("null twice", b"\0\0"), ("deflate alone", b"\1"), ("64 methods", bytes(range(64)))):
    case(f"compression: {what}", wrong, "RFC 9846 4.2.2", hello(compression=methods))
case("compression: an empty list", (wrong, bad), "RFC 9846 4.2.2", hello(compression=b""))
for v in (0x0000, 0x0300, 0x0301, 0x0302, 0x0304, 0x0305, 0x7f1c, 0xffff, 0x0200):
    case(f"legacy_version {v:#06x}", "protocol_version", "RFC 9846 4.2.2", hello(version=v))
# ---------------------------------------------------------------- supported_versions
case("versions: unknown alone", "protocol_version", "RFC 9846 4.3.1", hello(ext(VERSIONS, vec(1, shorts(0x7f1c, 0x0305)))))
case("versions: old alone", "protocol_version", "RFC 9846 4.3.1", hello(ext(VERSIONS, vec(1, shorts(0x0301, 0x0302)))))
for what, b in (("empty list", b"\0"), ("odd list", b"\3\3\4\3"), ("one byte", b"\1\3"), ("longer than it is", b"\4\3\4"), ("trailing byte", b"\2\3\4\0"), ("nothing", b"")):
    case(f"versions: {what}", bad, "RFC 9846 4.3.1", hello(ext(VERSIONS, b)))
# ---------------------------------------------------------------- lists of extensions
for name, kind, good in (("supported_groups", GROUPS, vec(2, shorts(X25519))), ("signature_algorithms", SIG_ALGS, vec(2, shorts(*SIGS))),
                         ("signature_algorithms_cert", 50, vec(2, shorts(*SIGS)))):
    for what, b in (("empty list", b"\0\0"), ("odd list", u16(len(good) - 1) + good[2:] + b"\0"), ("longer than it is", u16(len(good)) + good[2:]),
                    ("shorter than it is", u16(len(good) - 4) + good[2:]), ("trailing byte", good + b"\0"), ("nothing", b""), ("one byte", b"\0")):
        case(f"{name}: {what}", bad, "RFC 9846 4.3.3, 4.3.7", hello(ext(kind, b)))
case("supported_groups: unknown alone", "handshake_failure", "RFC 9846 4.2.1", hello(ext(GROUPS, vec(2, shorts(0x9999))), groups=()))
case("signature_algorithms: unknown alone", "handshake_failure", "RFC 9846 4.2.1", hello(ext(SIG_ALGS, vec(2, shorts(0x9999)))))
case("signature_algorithms: SHA-1 and PKCS#1 alone", "handshake_failure", "RFC 9846 4.3.3", hello(ext(SIG_ALGS, vec(2, shorts(0x0201, 0x0203, 0x0401)))))
for what, kinds in (("signature_algorithms", (SIG_ALGS,)), ("supported_groups", (GROUPS,)), ("key_share", (KEY_SHARE,)), ("groups and key_share", (GROUPS, KEY_SHARE)),
                    ("all but versions", (SIG_ALGS, GROUPS, KEY_SHARE, SERVER_NAME, PSK_MODES))):
    case(f"without {what}", missing, "RFC 9846 9.2", hello(without(*kinds)))
for name, kind in (("supported_versions", VERSIONS), ("key_share", KEY_SHARE), ("supported_groups", GROUPS), ("signature_algorithms", SIG_ALGS),
                   ("server_name", SERVER_NAME), ("psk_key_exchange_modes", PSK_MODES)):
    case(f"{name} twice", wrong, "RFC 9846 4.3, 6", hello(lambda h, kind=kind: h.exts.append(h.exts[h.find(kind)])))
case("an unknown extension twice", bad, "RFC 9846 4.3", hello(lambda h: h.exts.extend([(0xfade, b""), (0xfade, b"")])))
case("an empty extension twice", wrong, "RFC 9846 4.3", hello(lambda h: h.exts.extend([(EMS, b""), (EMS, b"")])))
for what, b in (("empty list", b"\0"), ("longer than it is", b"\2\1"), ("trailing byte", b"\1\1\0"), ("nothing", b"")):
    case(f"psk_key_exchange_modes: {what}", bad, "RFC 9846 4.3.9", hello(ext(PSK_MODES, b)))
# ---------------------------------------------------------------- key shares
point = Key(P256).public
for what, groups, b, wants in (
        ("a group that is not listed", (X25519,), share(X25519, Key(X25519).public) + share(P384, Key(P384).public), wrong),
        ("the same group twice", (X25519,), share(X25519, Key(X25519).public) * 2, wrong),
        ("x25519 of 31 bytes", (X25519,), share(X25519, bytes(31)), (wrong, bad)), ("x25519 of 33 bytes", (X25519,), share(X25519, bytes(33)), (wrong, bad)),
        ("x25519 of 0 bytes", (X25519,), share(X25519, b""), (bad,)), ("x25519: zero", (X25519,), share(X25519, bytes(32)), (wrong,)),
        ("x25519: one, of low order", (X25519,), share(X25519, b"\1" + bytes(31)), (wrong,)),
        ("x25519: of order 8", (X25519,), share(X25519, bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")), (wrong,)),
        ("x25519: p - 1", (X25519,), share(X25519, b"\xec" + b"\xff" * 30 + b"\x7f"), (wrong,)),
        ("P-256: not on the curve", (P256,), share(P256, point[:-1] + bytes([point[-1] ^ 1])), (wrong,)),
        ("P-256: the origin", (P256,), share(P256, b"\4" + bytes(64)), (wrong,)), ("P-256: compressed", (P256,), share(P256, b"\2" + point[1:33]), (wrong, bad)),
        ("P-256: hybrid form", (P256,), share(P256, b"\6" + point[1:]), (wrong, bad)), ("P-256: infinity", (P256,), share(P256, b"\0"), (wrong, bad)),
        ("P-256: a coordinate of p and more", (P256,), share(P256, b"\4" + b"\xff" * 64), (wrong,)),
        ("P-256: 64 bytes", (P256,), share(P256, point[:-1]), (wrong, bad)), ("P-256: 66 bytes", (P256,), share(P256, point + b"\0"), (wrong, bad)),
        ("P-384: not on the curve", (P384,), share(P384, b"\4" + b"\1" * 96), (wrong,)), ("P-521: not on the curve", (P521,), share(P521, b"\4" + b"\0" + b"\1" * 65 + b"\0" + b"\1" * 65), (wrong,)),
        ("X25519MLKEM768: coefficients of q and more", (X25519MLKEM768,), share(X25519MLKEM768, b"\xff" * 1152 + bytes(32) + Key(X25519).public), (wrong,)),
        ("X25519MLKEM768: too short", (X25519MLKEM768,), share(X25519MLKEM768, bytes(1215)), (wrong, bad)),
        ("X25519MLKEM768: too long", (X25519MLKEM768,), share(X25519MLKEM768, bytes(1217)), (wrong, bad)),
        ("X25519MLKEM768: its x25519 zero", (X25519MLKEM768,), share(X25519MLKEM768, bytes(1216)), (wrong,))):
    case("key_share: " + what, wants, "RFC 9846 4.3.8, 7.4.2", hello(lambda h, b=b: h.put(KEY_SHARE, vec(2, b)), groups=(), listed=groups))
one = share(X25519, Key(X25519).public)
for n in (15, 16, 17, 1000):  # a retry for a share that was sent would be an error of ours
    many = [0x2000 + i for i in range(n)]
    case(f"key_share: {n} of unknown groups before a known one", ok, "RFC 9846 4.3.8", hello(lambda h, many=many: h.put(KEY_SHARE, vec(2, b"".join(share(g, b"x") for g in many) + h.exts[h.find(KEY_SHARE)][1][2:])) and None, listed=many + [X25519]))
for what, b in (("longer than it is", u16(len(one) + 1) + one), ("shorter than it is", u16(len(one) - 1) + one), ("an entry longer than the list", vec(2, one[:2] + u16(33) + one[4:])),
                ("trailing byte", vec(2, one) + b"\0"), ("nothing", b""), ("one byte", b"\0"), ("half a head", vec(2, b"\0\x1d\0"))):
    case("key_share: " + what, bad, "RFC 9846 4.3.8", hello(ext(KEY_SHARE, b)))
# ---------------------------------------------------------------- HelloRetryRequest
case("retry: another random", wrong, "RFC 9846 4.2.2", lambda c: retry(c, lambda h: setattr(h, "random", bytes(32))))
case("retry: another session id", wrong, "RFC 9846 4.2.2", lambda c: retry(c, lambda h: setattr(h, "session_id", bytes(32))))
case("retry: other suites", wrong, "RFC 9846 4.2.2", lambda c: retry(c, lambda h: setattr(h, "suites", shorts(0x1302))))
case("retry: without versions", (wrong, "protocol_version", missing), "RFC 9846 4.2.2", lambda c: retry(c, lambda h: h.drop(VERSIONS)))
case("retry: an extension more", wrong, "RFC 9846 4.2.2", lambda c: retry(c, lambda h: h.put(50, vec(2, shorts(*SIGS)))))
case("retry: other signature_algorithms", wrong, "RFC 9846 4.2.2", lambda c: retry(c, lambda h: h.put(SIG_ALGS, vec(2, shorts(0x0403)))))
case("retry: other groups", wrong, "RFC 9846 4.2.2", lambda c: retry(c, lambda h: h.put(GROUPS, vec(2, shorts(P256)))))
case("retry: no share again", wrong, "RFC 9846 4.3.8", lambda c: retry(c, second_share=False))
case("retry: a share of another group", wrong, "RFC 9846 4.3.8", lambda c: retry(c, lambda h: h.put(KEY_SHARE, vec(2, share(P256, Key(P256).public) if h.exts[h.find(KEY_SHARE)][1][3] == 0x1d else one))))
case("retry: two shares", wrong, "RFC 9846 4.3.8", lambda c: retry(c, lambda h: h.put(KEY_SHARE, vec(2, share(P256, Key(P256).public) + one))))
case("retry: without key_share", missing, "RFC 9846 9.2", lambda c: retry(c, lambda h: h.drop(KEY_SHARE)))
case("retry: early_data", wrong, "RFC 9846 4.2.2", lambda c: retry(c, lambda h: h.put(EARLY_DATA, b"")))
case("retry: a cookie that nobody gave", wrong, "RFC 9846 4.3.2", lambda c: retry(c, lambda h: h.put(COOKIE, vec(2, b"crumbs"))))
case("retry: a ticket, and the first had none", wrong, "RFC 9846 4.2.2", lambda c: retry(c, lambda h: h.put(PSK, vec(2, vec(2, b"a ticket") + bytes(4)) + vec(2, vec(1, bytes(32))))))
case("retry: padding that changed", ok, "RFC 9846 4.2.2", lambda c: retry(c, lambda h: h.put(21, bytes(11)), first=lambda h: h.put(21, bytes(10))))
case("retry: padding that came", ok, "RFC 9846 4.2.2", lambda c: retry(c, lambda h: h.put(21, bytes(11))))
# ---------------------------------------------------------------- names
for what, b, wants in (("an empty list", b"\0\0", bad), ("a name of nothing", vec(2, b"\0\0\0"), bad), ("longer than it is", b"\0\x0d\0\0\x09localhost", bad),
                       ("a trailing byte", name_ext() + b"\0", bad), ("two names of a kind", vec(2, b"\0" + vec(2, b"localhost") + b"\0" + vec(2, b"b.example")), (bad, wrong)),
                       ("with NUL in it", name_ext(b"local\0host"), (wrong, bad, "unrecognized_name")), ("an address", name_ext(b"127.0.0.1"), (ok, wrong, "unrecognized_name")),
                       ("with a dot at its end", name_ext(b"localhost."), (ok, wrong, "unrecognized_name")), ("of 256 bytes", name_ext(b"a" * 256), (wrong, bad, "unrecognized_name")),
                       ("of bytes above 127", name_ext(b"l\xc3\xb6calhost"), (wrong, "unrecognized_name", bad)), ("unknown", name_ext(b"other.example"), (ok, "unrecognized_name")),
                       ("of an unknown type before the host's", vec(2, b"\7" + vec(2, b"zz") + name_ext()[2:]), ok),
                       ("in capitals", name_ext(b"LOCALHOST"), ok), ("nothing", b"", bad)):
    case("server_name: " + what, wants, "RFC 6066 3", hello(ext(SERVER_NAME, b)))
for what, b, wants in (("an empty list", b"\0\0", bad), ("an empty name", vec(2, b"\0"), bad), ("an empty name behind a good one", vec(2, b"\2h2\0"), bad),
                       ("longer than it is", b"\0\x04\2h2", bad), ("a name longer than the list", vec(2, b"\3h2"), bad), ("a trailing byte", vec(2, b"\2h2") + b"\0", bad),
                       ("nothing", b"", bad), ("no overlap", vec(2, b"\7gopher!"), "no_application_protocol"), ("http/1.1", vec(2, b"\2h9\x08http/1.1"), ok),
                       ("names of 255 bytes", vec(2, vec(1, b"x" * 255) * 30 + b"\x08http/1.1"), ok)):
    case("ALPN: " + what, wants, "RFC 7301 3", hello(ext(ALPN, b)), options=("--alpn", "http/1.1"))
case("max_fragment_length 9, beside record_size_limit, so that it does not count", ok, "RFC 8449 5", hello(lambda h: (h.put(1, b"\x09"), h.put(28, u16(512))) and None))
case("ALPN: not offered", ok, "RFC 7301 3.2", hello(), options=("--alpn", "http/1.1"))
# ---------------------------------------------------------------- others
for what, kind, b, wants in (("max_fragment_length 0", 1, b"\0", (ok, wrong)), ("max_fragment_length 5", 1, b"\5", (ok, wrong)),
                             ("record_size_limit 63", 28, u16(63), wrong), ("record_size_limit of one byte", 28, b"\1", bad), ("record_size_limit of three", 28, b"\1\0\0", bad),
                             ("record_size_limit 64", 28, u16(64), ok), ("record_size_limit 65535", 28, u16(65535), ok),
                             ("quic_transport_parameters", 57, b"", ("unsupported_extension", ok)), ("early_data with a body", EARLY_DATA, b"\0\0\0\1", bad),
                             ("post_handshake_auth with a body", 49, b"\0", bad), ("compress_certificate: odd", 27, b"\3\0\1\0", bad), ("compress_certificate: empty", 27, b"\0", bad),
                             ("status_request: cut", 5, b"\1\0", bad), ("cookie of nothing", COOKIE, b"\0\0", bad), ("certificate_authorities: empty list", 47, b"\0\0", bad),
                             ("certificate_authorities: a name of nothing", 47, b"\0\2\0\0", bad), ("oid_filters, which is the server's", 48, b"\0\0", (wrong, ok))):
    case(what, wants, "RFC 9846 4.3, RFC 8449 4, RFC 8879 3", hello(ext(kind, b)))
end()
