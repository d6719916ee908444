"""rawtls.py's other half: a TLS server that says whatever it is told to say, for test_client.py.

It answers one connection and checks nothing of the client that a test does not ask for.  Must never be used where something is to be
protected."""
import ssl

from rawtls import *  # noqa: F403


def der_of(path):
    with open(path, encoding="utf-8") as f:
        return ssl.PEM_cert_to_DER_cert(f.read())


def ext_block(exts):
    return vec(2, b"".join(u16(k) + vec(2, b) for k, b in exts))


class Offer:
    """The client's hello, read: random, session_id, exts by their type, shares by their group."""

    def __init__(self, body):
        self.random, self.session_id = body[2:34], body[35:35 + body[34]]
        at = 35 + body[34]
        at += 2 + int.from_bytes(body[at:at + 2], "big")
        self.exts = self.pairs(body[at + 1 + body[at] + 2:])
        self.shares = self.pairs(self.exts.get(KEY_SHARE, b"\0\0")[2:])

    @staticmethod
    def pairs(data):
        out = {}
        while data:
            n = int.from_bytes(data[2:4], "big")
            out[int.from_bytes(data[:2], "big")] = data[4:4 + n]
            data = data[4 + n:]
        return out


class Say:
    """A ServerHello or HelloRetryRequest in pieces that can be bent."""

    def __init__(self, offer, suite, exts, random=None):
        self.version, self.random, self.session_id, self.suite, self.compression = 0x0303, random or os.urandom(32), offer.session_id, suite, 0
        self.exts = list(exts)

    put, drop, find = Hello.put, Hello.drop, Hello.find

    def bytes(self):
        return message(SERVER_HELLO, u16(self.version) + self.random + vec(1, self.session_id) + u16(self.suite) + u8(self.compression) + ext_block(self.exts))


def bent(made, change):
    """`change` may bend what was made, or return bytes to say instead."""
    said = (change(made) if change else None) or made
    return said if isinstance(said, bytes) else said.bytes()


class RawServer(Client):
    def __init__(self, s, cert, key):  # of a client: rawtls connects, this one was connected to
        self.s, self.cert, self.key = s, cert, key
        self.s.settimeout(60)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rd = self.wr = None
        self.got, self.messages, self.transcript, self.data = b"", b"", b"", b""
        self.version, self.updates = 13, 0

    def read_record(self):
        head = self.read(5)
        data, kind = self.read(int.from_bytes(head[3:5], "big")), head[0]
        if self.rd and kind not in (CCS, ALERT) or self.rd and self.version == 12:  # of TLS 1.3 an alert can be in the clear
            kind, data = self.rd.open(kind, data)
        if kind == ALERT:
            raise Ended(ALERTS.get(data[1], str(data[1])))
        return kind, data

    def take_hello(self):
        self.offer = Offer(self.expect(CLIENT_HELLO))

    # ---- TLS 1.3
    def hello13(self):
        self.group = next(g for g in self.offer.shares if g in (X25519, P256, P384, P521))
        self.pair = Key(self.group)
        return Say(self.offer, 0x1301, [(VERSIONS, u16(0x0304)), (KEY_SHARE, share(self.group, self.pair.public))])

    def say_hello13(self, change=None, psk=None):
        h = self.hello13()
        h.exts += [(PSK, u16(0))] if psk else []
        self.say(bent(h, change))
        self.secrets13(self.pair.secret(self.offer.shares[self.group]), psk)
        self.rd, self.wr = Cipher.of(self.c_hs), Cipher.of(self.s_hs)

    def retry(self, group, change=None):
        self.transcript = message(MESSAGE_HASH, sha(self.transcript))
        self.say(bent(Say(self.offer, 0x1301, [(VERSIONS, u16(0x0304)), (KEY_SHARE, u16(group))], random=RETRY), change))
        self.take_hello()

    def certificate(self, exts=(), context=b""):
        return message(CERTIFICATE, vec(1, context) + vec(3, vec(3, self.cert) + ext_block(exts)))

    def verify(self, scheme=0x0403, context=b"TLS 1.3, server CertificateVerify", claim=None):
        s = sign(self.key, scheme, b" " * 64 + context + b"\0" + sha(self.transcript))
        return message(CERTIFICATE_VERIFY, u16(claim or scheme) + vec(2, s))

    def finished(self):
        return message(FINISHED, mac(expand_label(self.s_hs, b"finished", b"", 32), sha(self.transcript)))

    def flight(self, ee=(), request=b"", certificate=None, verify=None, finished=None, psk=False):
        """What is None is as it should be; bytes, or a function of the server that makes them, take its place."""
        def say(given, usual):
            m = usual() if given is None else given(self) if callable(given) else given
            if m:
                self.say(m)
        say(message(ENCRYPTED_EXTENSIONS, ext_block(ee)), None)
        say(request, None)
        if not psk:
            say(certificate, self.certificate)
            say(verify, self.verify)
        say(finished, self.finished)
        h = sha(self.transcript)
        self.c_ap, self.s_ap = expand_label(self.master, b"c ap traffic", h, 32), expand_label(self.master, b"s ap traffic", h, 32)
        self.wr = Cipher.of(self.s_ap)

    def take_finished(self):
        self.expect(FINISHED)
        self.rd = Cipher.of(self.c_ap)
        self.resumption = expand_label(self.master, b"res master", sha(self.transcript), 32)

    def shake(self, change=None, **flight):
        self.take_hello()
        self.say_hello13(change)
        self.flight(**flight)
        self.take_finished()

    def ticket(self, lifetime=7200, ticket=b"ticket" * 10, exts=()):
        """Says it, and returns its PSK."""
        self.say(message(TICKET, struct.pack("!II", lifetime, 5) + b"\1n" + vec(2, ticket) + ext_block(exts)))
        return expand_label(self.resumption, b"resumption", b"n", 32)

    def request(self):
        while b"\r\n\r\n" not in self.data:
            kind, data = self.read_record()
            self.data += data if kind == DATA else b""

    # ---- TLS 1.2
    def say_hello12(self, change=None):
        h = Say(self.offer, 0xc02b, [(EMS, b""), (RENEGOTIATION, b"\0"), (POINT_FORMATS, b"\1\0")])
        self.version, h.session_id = 12, b""
        self.say(bent(h, change))
        self.random = h.random

    def certificate12(self):
        return message(CERTIFICATE, vec(3, vec(3, self.cert)))

    def exchange12(self, point=None, claim=0x0403, group=X25519):
        self.pair = Key(group)
        params = b"\3" + u16(group) + vec(1, self.pair.public if point is None else point)
        return message(KEY_EXCHANGE, params + u16(claim) + vec(2, sign(self.key, 0x0403, self.offer.random + self.random + params)))

    def shake12(self, change=None, exchange=None, finished=None, ccs=True):
        self.take_hello()
        self.say_hello12(change)
        self.say(self.certificate12())
        self.say(exchange(self) if exchange else self.exchange12())
        self.say(message(HELLO_DONE, b""))
        body = self.expect(CLIENT_KEY_EXCHANGE)
        self.master = prf(self.pair.secret(body[1:]), b"extended master secret", sha(self.transcript), 48)
        block = prf(self.master, b"key expansion", self.random + self.offer.random, 40)
        self.expect(CCS)
        self.rd = Cipher(block[:16], block[32:36], old=True)
        self.expect(FINISHED)
        if ccs:
            self.send(CCS, b"\1")
            self.wr = Cipher(block[16:32], block[36:40], old=True)
        self.say(finished(self) if finished else message(FINISHED, prf(self.master, b"server finished", sha(self.transcript), 12)))
