"""The program as a client of servers that are wrong in one thing each: the alert that it sends, the reason that it gives, how it exits.
ctest: timeout=600"""
import json
import os
import socket
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from serving import D, TROTH, authority, check, finish
from rawserver import *  # noqa: E402,F403

authority()
CERT, KEY = der_of(f"{D}/localhost.pem"), open(f"{D}/localhost-key.pem", "rb").read()
SESSION, EARLY, only = f"{D}/session", f"{D}/early", sys.argv[1:]
with open(EARLY, "wb") as f:
    f.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")


def run_one(rude, args):
    """(what the client said at last, how it ended TCP, its exit status, its one object)"""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = str(listening.getsockname()[1])
        p = subprocess.Popen([TROTH, *[a.replace("PORT", port) for a in args]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        listening.settimeout(60)
        s = RawServer(listening.accept()[0], CERT, KEY)
    try:
        said = rude(s)
        said = s.outcome() if said is None else said
    except Ended as e:
        said = str(e)
    except (BrokenPipeError, ConnectionResetError):
        said = s.outcome()
    except AssertionError as e:
        said = f"assertion: {e}"
    ended = wait_closed(s)
    s.close()
    try:
        out, err = p.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        p.kill()
        return said, ended, "it hangs", "", b""
    text = (out if args[0] == "connect" else err).decode()
    return said, ended, p.returncode, json.loads(text) if text.startswith("{") else text, out


def case(what, wants, code, rude, *args, get=False, exit_with=4, body=None):
    """`rude`: does it, on a RawServer; `wants`: what the client then says, an alert or "ok": it ends in order and is content."""
    if only and not any(o in what for o in only):
        return
    begin = ["get", "https://localhost:PORT/"] if get else ["connect", "localhost:PORT", "--wait", "0"]
    said, ended, status, said_why, out = run_one(rude, [*begin, "-4", "--ca", f"{D}/ca.pem", "--json", *args])
    good = code == "ok" and said == "close_notify" if wants == "ok" else said in wants.split("/")
    failure = said_why.get("failure") or {} if isinstance(said_why, dict) else {}
    good = good and status == (0 if code == "ok" else exit_with) and (code == "ok" or failure.get("code") == code)
    check(f"{what}: {wants}, {code}", good and (body is None or out == body) and (ended == "closed" or said in ("close_notify", "closed", "reset")), (said, ended, status, failure or said_why))


def hello(**fields):
    """A ServerHello with other values in these fields."""
    def change(h):
        for name, value in fields.items():
            setattr(h, name, value)
    return change


shaken = lambda change=None, **flight: lambda s: s.shake(change, **flight)
put = lambda kind, body: lambda h: h.put(kind, body) and None
drop = lambda kind: lambda h: h.drop(kind) and None
illegal, decode, unexpected, unsupported, decrypt = "illegal_parameter", "decode_error", "unexpected_message", "unsupported_extension", "decrypt_error"

# ---------------------------------------------------------------- ServerHello, HelloRetryRequest (RFC 9846 4.2.3, 4.2.4, 4.3.1, 4.3.8)
case("as it should be", "ok", "ok", shaken())
case("legacy_version 0x0302", "protocol_version", "tls.legacy-version", shaken(hello(version=0x0302)))
case("much behind what is wrong", illegal, "tls.compression", lambda s: (s.take_hello(), s.raw(s.record(HANDSHAKE, bent(s.hello13(), hello(compression=1))) + s.record(DATA, bytes(16384)) * 10)) and None)
case("another session id", illegal, "tls.session-id-echo", shaken(hello(session_id=bytes(32))))
case("supported_versions 0x0305", illegal, "tls.version-not-offered", shaken(put(VERSIONS, u16(0x0305))))
case("supported_versions 0x0302", illegal, "tls.version", shaken(put(VERSIONS, u16(0x0302))))
case("supported_versions cut", decode, "tls.truncated-message", shaken(put(VERSIONS, b"\3")))
case("supported_versions twice", illegal, "tls.extension-twice", shaken(lambda h: h.exts.append(h.exts[0])))
case("legacy_version 0x0301 alone", "protocol_version", "tls.version", shaken(lambda h: (h.drop(VERSIONS), hello(version=0x0301)(h)) and None))
case("a share that is zero", illegal, "tls.bad-key-share", shaken(put(KEY_SHARE, share(X25519, bytes(32)))))
case("a share of another group", illegal, "tls.group-not-offered", shaken(put(KEY_SHARE, share(0x0100, bytes(256)))))
RETRIES = ("--groups", "x25519,secp256r1", "--key-shares", "x25519")
retried = lambda change=None, group=P256, then=None: lambda s: (s.take_hello(), s.retry(group, change), then(s) if then else (s.say_hello13(), s.flight(), s.take_finished())) and None
case("a retry", "ok", "ok", retried(), *RETRIES)
case("a retry that compresses", illegal, "tls.compression", retried(hello(compression=1)), *RETRIES)
case("a retry with version 0x0305", illegal, "tls.version-not-offered", retried(put(VERSIONS, u16(0x0305))), *RETRIES)
case("a retry for the share that was sent", illegal, "tls.retry-same-group", retried(group=X25519), *RETRIES)
case("a retry, and another suite", illegal, "tls.retry-changed-cipher", retried(then=lambda s: s.say_hello13(hello(suite=0x1303))), *RETRIES)
for n, wants, code in ((60000, "ok", "ok"), (65500, illegal, "tls.cookie-too-long")):
    case(f"a retry with a cookie of {n} bytes", wants, code, retried(lambda h, n=n: h.put(COOKIE, vec(2, b"c" * n)) and None), *RETRIES)
case("two retries", unexpected, "tls.unexpected-message", retried(then=lambda s: s.retry(P256)), *RETRIES)
# ---------------------------------------------------------------- the rest of the flight
case("an answer that nobody asked for", unsupported, "tls.extension-unsolicited", shaken(ee=[(ALPN, b"\0\3\2h2")]))
case("a share where it is not answered", unsupported, "tls.extension-elsewhere", shaken(ee=[(KEY_SHARE, share(X25519, bytes(32)))]))
case("ALPN that was not offered", illegal, "tls.alpn-not-offered", shaken(ee=[(ALPN, b"\0\3\2h3")]), "--alpn", "h2")
case("early data taken, and none was sent", unsupported, "tls.extension-unsolicited", shaken(ee=[(EARLY_DATA, b"")]))
case("a request with a context", illegal, "tls.certificate-request-context", shaken(request=message(CERTIFICATE_REQUEST, b"\1x" + ext_block([(SIG_ALGS, b"\0\2\4\3")]))))
case("a request without signature_algorithms", "missing_extension", "tls.signature-algorithms-missing", shaken(request=message(CERTIFICATE_REQUEST, b"\0\0\0")))
case("a certificate list of nothing", decode, "tls.server-without-certificate", shaken(certificate=message(CERTIFICATE, bytes(4))))
case("a certificate with a context", illegal, "tls.certificate-context", shaken(certificate=lambda s: s.certificate(context=b"x")))
case("a certificate that says 2^24 - 1 bytes", decode, "tls.message-too-long", shaken(certificate=b"\x0b\xff\xff\xff"))
case("a signature in another context", decrypt, "tls.bad-signature", shaken(verify=lambda s: s.verify(context=b"TLS 1.3, client CertificateVerify")))
case("a signature that claims SHA-1", illegal, "tls.sigalg-not-offered", shaken(verify=lambda s: s.verify(claim=0x0203)))
case("Finished cut", decode, "tls.truncated-message", shaken(finished=lambda s: message(FINISHED, s.finished()[4:-1])))
case("Finished of zeros", decrypt, "tls.bad-finished", shaken(finished=message(FINISHED, bytes(32))))
case("no Finished", unexpected, "tls.data-unexpected", lambda s: (s.take_hello(), s.say_hello13(), s.send(DATA, b"x")) and None)
halfway = lambda *alerts: lambda s: (s.take_hello(), s.say_hello13(), [s.alert(*a) for a in alerts], s.s.shutdown(socket.SHUT_WR)) and None
case("user_canceled and close_notify instead of it", "close_notify", "peer.alert.user_canceled", halfway((1, 90), (1, 0)))
case("user_canceled alone instead of it", "closed", "peer.alert.user_canceled", halfway((1, 90)))
case("an error as a warning instead of it", decode, "tls.alert-warning", halfway((1, 40)))
case("close_notify instead of it", "close_notify", "peer.alert.close_notify", lambda s: (s.take_hello(), s.say_hello13(), s.alert(1, 0)) and None)
# ---------------------------------------------------------------- after it
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
asked = lambda then: lambda s: (s.shake(), s.request(), then(s)) and None
answered = lambda before: asked(lambda s: (before(s), s.send(DATA, OK), s.alert(1, 0)))
case("tickets of any lifetime", "ok", "ok", answered(lambda s: [s.ticket(n) for n in (0, 604801, 0xffffffff)]), get=True, body=b"hello")
case("two tickets before each byte", "ok", "ok", asked(lambda s: ([(s.ticket(), s.ticket(), s.send(DATA, OK[i:i + 1])) for i in range(len(OK))], s.alert(1, 0))), get=True, body=b"hello")
case("seventy tickets in a row", unexpected, "tls.ticket-flood", asked(lambda s: [s.ticket() for _ in range(70)]), get=True)
case("a ticket of nothing", decode, "tls.length-out-of-bounds", asked(lambda s: s.ticket(ticket=b"")), get=True)
case("KeyUpdate 2", illegal, "tls.key-update-value", asked(lambda s: s.say(message(KEY_UPDATE, b"\2"))), get=True)
case("KeyUpdate, and the old keys", "bad_record_mac", "tls.bad-mac", asked(lambda s: (s.say(message(KEY_UPDATE, b"\0")), s.send(DATA, OK))), get=True)
case("a record with nothing inside", unexpected, "tls.record-all-padding", asked(lambda s: s.raw(s.record(None, b""))), get=True)
case("change_cipher_spec", unexpected, "tls.ccs-unexpected", asked(lambda s: s.raw(b"\x14\3\3\0\1\1")), get=True)
case("the end of TCP where the answer should go on", "closed", "tls.truncated", asked(lambda s: (s.send(DATA, OK[:-1]), s.s.shutdown(socket.SHUT_WR))), get=True)
case("the end of TCP behind the answer", "close_notify/closed", "ok", asked(lambda s: (s.send(DATA, OK), s.s.shutdown(socket.SHUT_WR))), get=True, body=b"hello")


# ---------------------------------------------------------------- sessions (RFC 9846 4.3.11)
def keep(s, **more):
    s.shake()
    s.request()
    keep.psk = s.ticket(exts=[(EARLY_DATA, b"\0\0\x40\0")], **more)
    s.send(DATA, OK)
    s.alert(1, 0)


def resumed(change=None, **flight):
    return lambda s: (s.take_hello(), s.say_hello13(change, psk=keep.psk), s.flight(psk=True, **flight), s.take_finished()) and None


def gone(s):
    """TLS 1.2 in answer to early data, and a reset: the alert that follows can be sent to nobody."""
    s.take_hello()
    s.say_hello12()
    s.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return "gone"


for what, wants, code, rude, args in (("a session", "ok", "ok", resumed(), ()), ("a session, without a share", illegal, "tls.key-share-missing", resumed(drop(KEY_SHARE)), ()),
                                      ("another session than ours", illegal, "tls.psk-not-offered", resumed(put(PSK, u16(1))), ()),
                                      ("a session of another hash", illegal, "tls.psk-wrong-hash", resumed(hello(suite=0x1302)), ()),
                                      ("no early data in TLS 1.2, and nobody there", "gone", "tls.version-after-early-data", gone, ("--early-data", EARLY))):
    case("a session is kept", "ok", "ok", keep, "--session", SESSION, get=True) if not only or any(o in what for o in only) else None
    case(what, wants, code, rude, "--session", SESSION, *args)
    if os.path.exists(SESSION):
        os.remove(SESSION)
for n, offered in ((24576, True), (24577, False), (64700, False)):  # longer ones do not fit a hello, or not twice
    def with_ticket(s, offered=offered):
        s.take_hello()
        assert (PSK in s.offer.exts) == offered
        s.say_hello13(psk=keep.psk if offered else None)
        s.flight(psk=offered)
        s.take_finished()
    case("a long ticket is kept", "ok", "ok", lambda s, n=n: keep(s, ticket=b"t" * n), "--session", SESSION, get=True)
    case(f"a long ticket, of {n} bytes: offered: {offered}", "ok", "ok", with_ticket, "--session", SESSION)
    if os.path.exists(SESSION):
        os.remove(SESSION)
# ---------------------------------------------------------------- TLS 1.2
case("1.2", "ok", "ok", lambda s: s.shake12())
case("1.2: the mark of a downgrade", illegal, "tls.downgrade", lambda s: s.shake12(lambda h: setattr(h, "random", h.random[:24] + b"DOWNGRD\1")))
case("1.2: no extended master secret", "handshake_failure", "tls.extended-master-secret", lambda s: s.shake12(drop(EMS)))
case("1.2: no renegotiation_info", "handshake_failure", "tls.renegotiation-info-missing", lambda s: s.shake12(drop(RENEGOTIATION)))
case("1.2: a share that is zero", illegal, "tls.bad-key-share", lambda s: s.shake12(exchange=lambda s: s.exchange12(point=bytes(32))))
case("1.2: a group that was not offered", illegal, "tls.group-not-offered", lambda s: s.shake12(exchange=lambda s: s.exchange12(group=P521)), "--groups", "x25519,secp256r1")
case("1.2: a signature that claims SHA-1", illegal, "tls.sigalg-not-offered", lambda s: s.shake12(exchange=lambda s: s.exchange12(claim=0x0203)))
case("1.2: Finished of zeros", decrypt, "tls.bad-finished", lambda s: s.shake12(finished=lambda s: message(FINISHED, bytes(12))))
case("1.2: Finished without change_cipher_spec", unexpected, "tls.unexpected-message", lambda s: s.shake12(ccs=False))
case("1.2 alone: change_cipher_spec before ServerHello", unexpected, "tls.ccs-unexpected", lambda s: (s.raw(b"\x14\3\3\0\1\1"), s.shake12()) and None, "--max", "1.2")
case("1.2: HelloRequest", "no_renegotiation", "tls.renegotiation", lambda s: (s.shake12(), s.request(), s.say(message(0, b""))) and None, get=True)
# ---------------------------------------------------------------- no TLS
case("HTTP", "closed/reset", "peer.not-tls.http", lambda s: s.raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
case("a record of a type that nobody knows", unexpected, "tls.record-type", lambda s: s.raw(b"\x18\3\3\0\1\0"))
case("nothing", "closed", "net.eof-on-hello", lambda s: s.s.shutdown(socket.SHUT_WR))
finish()
