"""A TLS client that says whatever it is told to say: the tests of this folder talk to `troth serve` through it, over a socket, byte by byte.

Its cryptography is libcrypto's, through ctypes; one suite per version (AES-128-GCM, SHA-256) is enough to be rude.  It checks nothing of
the server that a test does not ask for.  Must never be used where something is to be protected."""
import ctypes
import hashlib
import hmac
import os
import socket
import struct
import time

lib = ctypes.CDLL("libcrypto.so.3")
P = ctypes.c_void_p
for name in ("EVP_CIPHER_CTX_new", "EVP_aes_128_gcm", "EVP_PKEY_Q_keygen", "EVP_PKEY_new", "EVP_PKEY_CTX_new", "EVP_PKEY_new_raw_public_key",
             "EVP_MD_CTX_new", "BIO_new_mem_buf", "PEM_read_bio_PrivateKey", "EVP_sha256", "EVP_sha384", "EVP_sha512", "EVP_sha1"):
    getattr(lib, name).restype = P
lib.EVP_PKEY_get1_encoded_public_key.restype = ctypes.c_size_t

ALERTS = {0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow", 40: "handshake_failure",
          42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired",
          46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca", 49: "access_denied", 50: "decode_error",
          51: "decrypt_error", 70: "protocol_version", 71: "insufficient_security", 80: "internal_error", 86: "inappropriate_fallback",
          90: "user_canceled", 100: "no_renegotiation", 109: "missing_extension", 110: "unsupported_extension", 112: "unrecognized_name",
          113: "bad_certificate_status_response", 115: "unknown_psk_identity", 116: "certificate_required", 120: "no_application_protocol"}
CCS, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23
X25519, P256, P384, P521, X25519MLKEM768 = 0x001d, 0x0017, 0x0018, 0x0019, 0x11ec
CLIENT_HELLO, SERVER_HELLO, TICKET, END_OF_EARLY_DATA, ENCRYPTED_EXTENSIONS, CERTIFICATE, KEY_EXCHANGE, CERTIFICATE_REQUEST = 1, 2, 4, 5, 8, 11, 12, 13
HELLO_DONE, CERTIFICATE_VERIFY, CLIENT_KEY_EXCHANGE, FINISHED, KEY_UPDATE, MESSAGE_HASH = 14, 15, 16, 20, 24, 254
SERVER_NAME, GROUPS, POINT_FORMATS, SIG_ALGS, ALPN, EMS, SESSION_TICKET = 0, 10, 11, 13, 16, 23, 35
PSK, EARLY_DATA, VERSIONS, COOKIE, PSK_MODES, KEY_SHARE, RENEGOTIATION = 41, 42, 43, 44, 45, 51, 0xff01
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


def u8(n):
    return struct.pack("!B", n)


def u16(n):
    return struct.pack("!H", n)


def u24(n):
    return struct.pack("!I", n)[1:]


def vec(width, data):
    return len(data).to_bytes(width, "big") + data


def shorts(*numbers):
    return b"".join(map(u16, numbers))


def message(kind, body, length=None):
    return u8(kind) + u24(len(body) if length is None else length) + body


# ---------------------------------------------------------------- cryptography
def gcm(key, nonce, aad, data, seal):
    """Sealed with its tag, or opened; None: the tag is wrong."""
    ctx, n, out = P(lib.EVP_CIPHER_CTX_new()), ctypes.c_int(), ctypes.create_string_buffer(len(data) + 32)
    body = data if seal else data[:-16]
    lib.EVP_CipherInit_ex(ctx, P(lib.EVP_aes_128_gcm()), None, key, nonce, int(seal))
    lib.EVP_CipherUpdate(ctx, None, ctypes.byref(n), aad, len(aad))
    lib.EVP_CipherUpdate(ctx, out, ctypes.byref(n), body, len(body))
    tag = ctypes.create_string_buffer(b"" if seal else data[-16:], 16)
    if not seal:
        lib.EVP_CIPHER_CTX_ctrl(ctx, 0x11, 16, tag)
    good = lib.EVP_CipherFinal_ex(ctx, ctypes.byref(ctypes.create_string_buffer(16)), ctypes.byref(n))
    if seal:
        lib.EVP_CIPHER_CTX_ctrl(ctx, 0x10, 16, tag)
    lib.EVP_CIPHER_CTX_free(ctx)
    return (out.raw[:len(body)] + tag.raw if seal else out.raw[:len(body)]) if good > 0 else None


class Key:
    """A key of one group, for an exchange."""
    CURVES = {P256: b"P-256", P384: b"P-384", P521: b"P-521"}

    def __init__(self, group):
        self.group = group
        self.key = P(lib.EVP_PKEY_Q_keygen(None, None, b"X25519") if group == X25519
                     else lib.EVP_PKEY_Q_keygen(None, None, b"EC", ctypes.c_char_p(self.CURVES[group])))
        out = P()
        n = lib.EVP_PKEY_get1_encoded_public_key(self.key, ctypes.byref(out))
        self.public = ctypes.string_at(out, n)

    def secret(self, peer):
        if self.group == X25519:
            other = P(lib.EVP_PKEY_new_raw_public_key(1034, None, peer, ctypes.c_size_t(len(peer))))
        else:
            other = P(lib.EVP_PKEY_new())
            lib.EVP_PKEY_copy_parameters(other, self.key)
            assert lib.EVP_PKEY_set1_encoded_public_key(other, peer, ctypes.c_size_t(len(peer))) == 1
        ctx, n, out = P(lib.EVP_PKEY_CTX_new(self.key, None)), ctypes.c_size_t(256), ctypes.create_string_buffer(256)
        assert lib.EVP_PKEY_derive_init(ctx) == 1 and lib.EVP_PKEY_derive_set_peer(ctx, other) == 1
        assert lib.EVP_PKEY_derive(ctx, out, ctypes.byref(n)) == 1
        return out.raw[:n.value]


def sign(pem, scheme, data):
    """By a private key in PEM; the padding and the hash as the scheme's number has it."""
    key = P(lib.PEM_read_bio_PrivateKey(P(lib.BIO_new_mem_buf(pem, len(pem))), None, None, None))
    ctx, pctx, n = P(lib.EVP_MD_CTX_new()), P(), ctypes.c_size_t(1024)
    md = {4: lib.EVP_sha256, 5: lib.EVP_sha384, 6: lib.EVP_sha512, 2: lib.EVP_sha1, 8: {4: lib.EVP_sha256, 5: lib.EVP_sha384, 6: lib.EVP_sha512}.get(scheme & 255)}[scheme >> 8]
    assert lib.EVP_DigestSignInit(ctx, ctypes.byref(pctx), P(md()), None, key) == 1
    if scheme >> 8 == 8:
        lib.EVP_PKEY_CTX_set_rsa_padding(pctx, 6)
        lib.EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, -1)
    out = ctypes.create_string_buffer(1024)
    assert lib.EVP_DigestSign(ctx, out, ctypes.byref(n), data, ctypes.c_size_t(len(data))) == 1
    return out.raw[:n.value]


def sha(data):
    return hashlib.sha256(data).digest()


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def expand_label(secret, label, context, n):
    info, out, block = u16(n) + vec(1, b"tls13 " + label) + vec(1, context), b"", b""
    while len(out) < n:
        block = mac(secret, block + info + u8(len(out) // 32 + 1))
        out += block
    return out[:n]


def prf(secret, label, seed, n):
    a, out = label + seed, b""
    while len(out) < n:
        a = mac(secret, a)
        out += mac(secret, a + label + seed)
    return out[:n]


class Cipher:
    """One direction's keys; `old`: the TLS 1.2 form."""

    def __init__(self, key, iv, old=False):
        self.key, self.iv, self.old, self.seq = key, iv, old, 0

    @staticmethod
    def of(secret):
        c = Cipher(expand_label(secret, b"key", b"", 16), expand_label(secret, b"iv", b"", 12))
        c.secret = secret
        return c

    def nonce(self):
        n = bytes(a ^ b for a, b in zip(self.iv, self.seq.to_bytes(12, "big")))
        self.seq += 1
        return n

    def seal(self, kind, data, pad=0):
        if self.old:
            seq = self.seq.to_bytes(8, "big")
            self.seq += 1
            return kind, seq + gcm(self.key, self.iv + seq, seq + u8(kind) + b"\3\3" + u16(len(data)), data, True)
        inner = data + (u8(kind) if kind is not None else b"") + bytes(pad)
        return DATA, gcm(self.key, self.nonce(), u8(DATA) + b"\3\3" + u16(len(inner) + 16), inner, True)

    def open(self, kind, data):
        if self.old:
            seq = self.seq.to_bytes(8, "big")
            self.seq += 1
            return kind, gcm(self.key, self.iv + data[:8], seq + u8(kind) + b"\3\3" + u16(len(data) - 24), data[8:], False)
        inner = gcm(self.key, self.nonce(), u8(kind) + b"\3\3" + u16(len(data)), data, False)
        assert inner is not None, "the server's record cannot be opened"
        inner = inner.rstrip(b"\0")
        return inner[-1], inner[:-1]


# ---------------------------------------------------------------- a hello, in pieces that can be bent
class Hello:
    def __init__(self, exts, suites=(0x1301, 0xc02b, 0xc02f), version=0x0303, session_id=None, compression=b"\0"):
        self.version, self.random, self.suites, self.compression = version, os.urandom(32), shorts(*suites), compression
        self.session_id = os.urandom(32) if session_id is None else session_id
        self.exts = list(exts)

    def find(self, kind):
        return next(i for i, (k, _) in enumerate(self.exts) if k == kind)

    def put(self, kind, body):
        """Replaces the extension, or adds it."""
        if any(k == kind for k, _ in self.exts):
            self.exts[self.find(kind)] = (kind, body)
        else:
            self.exts.append((kind, body))
        return self

    def drop(self, *kinds):
        self.exts = [e for e in self.exts if e[0] not in kinds]
        return self

    def extensions(self):
        return b"".join(u16(k) + vec(2, b) for k, b in self.exts)

    def head(self):
        return u16(self.version) + self.random + vec(1, self.session_id) + vec(2, self.suites) + vec(1, self.compression)

    def body(self):
        return self.head() + vec(2, self.extensions())

    def bytes(self):
        return message(CLIENT_HELLO, self.body())


SIGS = (0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0807, 0x0401, 0x0501)


def name_ext(name=b"localhost"):
    return vec(2, b"\0" + vec(2, name))


def share(group, public):
    return u16(group) + vec(2, public)


def hello13(keys, groups=None, versions=(0x0304,), **more):
    return Hello([(SERVER_NAME, name_ext()), (GROUPS, vec(2, shorts(*(groups or [k.group for k in keys])))), (SIG_ALGS, vec(2, shorts(*SIGS))),
                  (VERSIONS, vec(1, shorts(*versions))), (PSK_MODES, vec(1, b"\1")),
                  (KEY_SHARE, vec(2, b"".join(share(k.group, k.public) for k in keys)))], **more)


def hello12(groups=(X25519, P256, P384), **more):
    return Hello([(SERVER_NAME, name_ext()), (GROUPS, vec(2, shorts(*groups))), (POINT_FORMATS, b"\1\0"), (SIG_ALGS, vec(2, shorts(*SIGS))),
                  (EMS, b""), (RENEGOTIATION, b"\0")], **more)


class Ended(Exception):
    """The server ended the connection; the text says how: an alert's name, "closed", "reset", "silent"."""


class Client:
    def __init__(self, port, timeout=4):
        self.s = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rd = self.wr = None
        self.got, self.messages, self.transcript, self.data = b"", b"", b"", b""
        self.version, self.updates = 13, 0

    # ---- out
    def raw(self, data):
        self.s.sendall(data)

    def record(self, kind, data, version=0x0303, length=None, pad=0):
        if self.wr:
            kind, data = self.wr.seal(kind, data, pad)
        return u8(kind) + u16(version) + u16(len(data) if length is None else length) + data

    def send(self, kind, data, **more):
        self.raw(self.record(kind, data, **more))

    def say(self, *messages, size=16384, **more):
        """Handshake messages, in as few records as they fit in."""
        data = b"".join(messages)
        self.transcript += data
        self.raw(b"".join(self.record(HANDSHAKE, data[i:i + size], **more) for i in range(0, len(data), size)))

    def alert(self, level, number):
        self.send(ALERT, bytes([level, number]))

    # ---- in
    def read(self, n):
        while len(self.got) < n:
            try:
                more = self.s.recv(65536)
            except ConnectionResetError:
                raise Ended("reset") from None
            except socket.timeout:
                raise Ended("silent") from None
            if not more:
                raise Ended("closed")
            self.got += more
        out, self.got = self.got[:n], self.got[n:]
        return out

    def read_record(self):
        head = self.read(5)
        data = self.read(int.from_bytes(head[3:5], "big"))
        kind = head[0]
        if self.rd and kind != CCS:
            kind, data = self.rd.open(kind, data)
        if kind == HANDSHAKE and data[:1] == b"\x18" and len(data) == 5 and not self.messages:  # an answer to ours
            self.updates += 1
            self.rd = Cipher.of(expand_label(self.rd.secret, b"traffic upd", b"", 32))
        if kind == ALERT:
            raise Ended(ALERTS.get(data[1], str(data[1])))
        return kind, data

    def next(self):
        """The next handshake message: (type, body)."""
        while len(self.messages) < 4 or len(self.messages) < 4 + int.from_bytes(self.messages[1:4], "big"):
            kind, data = self.read_record()
            if kind == HANDSHAKE:
                self.messages += data
            elif kind == DATA:
                self.data += data
            elif kind == CCS and self.version == 12:
                return CCS, data
        n = 4 + int.from_bytes(self.messages[1:4], "big")
        m, self.messages = self.messages[:n], self.messages[n:]
        self.transcript += m
        return m[0], m[4:]

    def expect(self, kind):
        got, body = self.next()
        assert got == kind, f"message {got} where {kind} was expected"
        return body

    # ---- TLS 1.3
    def start13(self, keys, hello=None, psk=None, size=16384):
        """ClientHello to the server's Finished, answering a HelloRetryRequest if the key of its group is there."""
        self.keys = keys
        self.hello = hello or hello13(keys[:1], groups=[k.group for k in keys])
        self.say(self.hello.bytes(), size=size, version=0x0301)
        self.server_hello13(psk)
        self.flight13()

    def read_hello13(self):
        body = self.expect(SERVER_HELLO)
        retry = body[2:34] == RETRY
        at = 35 + body[34] + 3
        exts, p = {}, body[at + 2:]
        while p:
            n = int.from_bytes(p[2:4], "big")
            exts[int.from_bytes(p[:2], "big")] = p[4:4 + n]
            p = p[4 + n:]
        return retry, exts

    def server_hello13(self, psk=None):
        _, exts = self.read_hello13()
        group = int.from_bytes(exts[KEY_SHARE][:2], "big")
        key = next(k for k in self.keys if k.group == group)
        self.resumed = PSK in exts
        self.secrets13(key.secret(exts[KEY_SHARE][4:]), psk if self.resumed else None)

    def secrets13(self, shared, psk=None):
        early = mac(bytes(32), psk or bytes(32))
        self.hs = mac(expand_label(early, b"derived", sha(b""), 32), shared)
        h = sha(self.transcript)
        self.c_hs, self.s_hs = expand_label(self.hs, b"c hs traffic", h, 32), expand_label(self.hs, b"s hs traffic", h, 32)
        self.rd, self.wr = Cipher.of(self.s_hs), Cipher.of(self.c_hs)
        self.master = mac(expand_label(self.hs, b"derived", sha(b""), 32), bytes(32))

    def flight13(self):
        self.asked = None
        while True:
            kind, body = self.next()
            if kind == ENCRYPTED_EXTENSIONS:
                self.encrypted, p = set(), body[2:]
                while p:
                    self.encrypted.add(int.from_bytes(p[:2], "big"))
                    p = p[4 + int.from_bytes(p[2:4], "big"):]
            if kind == CERTIFICATE_REQUEST:
                self.asked = body
            if kind == FINISHED:
                break
        h = sha(self.transcript)
        self.c_ap, self.s_ap = expand_label(self.master, b"c ap traffic", h, 32), expand_label(self.master, b"s ap traffic", h, 32)
        self.rd = Cipher.of(self.s_ap)

    def verify_data(self):
        return mac(expand_label(self.c_hs, b"finished", b"", 32), sha(self.transcript))

    def finish13(self):
        self.say(message(FINISHED, self.verify_data()))
        self.wr = Cipher.of(self.c_ap)
        self.resumption = expand_label(self.master, b"res master", sha(self.transcript), 32)

    def shake13(self, groups=(X25519,), **more):
        self.start13([Key(g) for g in groups], **more)
        self.finish13()

    def certificate13(self, ders, context=b"", exts=b""):
        return message(CERTIFICATE, vec(1, context) + vec(3, b"".join(vec(3, d) + vec(2, exts) for d in ders)))

    def certificate_verify13(self, pem, scheme, flip=False):
        signed = b" " * 64 + b"TLS 1.3, client CertificateVerify\0" + sha(self.transcript)
        s = sign(pem, scheme, signed)
        return message(CERTIFICATE_VERIFY, u16(scheme) + vec(2, s[:-1] + u8(s[-1] ^ 1) if flip else s))

    def update(self, ask=0):
        self.say(message(KEY_UPDATE, u8(ask)))
        self.wr = Cipher.of(expand_label(self.wr.secret, b"traffic upd", b"", 32))

    # ---- TLS 1.2
    def start12(self, hello=None):
        """ClientHello to ServerHelloDone."""
        self.version, self.asked, self.hello = 12, None, hello or hello12()
        self.say(self.hello.bytes(), version=0x0301)
        body = self.expect(SERVER_HELLO)
        self.server_random = body[2:34]
        self.suite = int.from_bytes(body[35 + body[34]:37 + body[34]], "big")
        while True:
            kind, body = self.next()
            if kind == KEY_EXCHANGE:
                self.group, n = int.from_bytes(body[1:3], "big"), body[3]
                self.peer = body[4:4 + n]
            if kind == CERTIFICATE_REQUEST:
                self.asked = body
            if kind == HELLO_DONE:
                return

    def key_exchange12(self):
        """The ClientKeyExchange, and the keys that follow from it once it was said."""
        self.key = Key(self.group)
        return message(CLIENT_KEY_EXCHANGE, vec(1, self.key.public))

    def secrets12(self):
        pre = self.key.secret(self.peer)
        self.master = prf(pre, b"extended master secret", sha(self.transcript), 48)
        block = prf(self.master, b"key expansion", self.server_random + self.hello.random, 40)
        self.next_wr, self.next_rd = Cipher(block[:16], block[32:36], old=True), Cipher(block[16:32], block[36:40], old=True)

    def finished12(self):
        return message(FINISHED, prf(self.master, b"client finished", sha(self.transcript), 12))

    def change12(self):
        self.send(CCS, b"\1")
        self.wr = self.next_wr

    def end12(self):
        kind, _ = self.next()
        if kind == TICKET:
            kind, _ = self.next()
        assert kind == CCS, kind
        self.rd = self.next_rd
        self.expect(FINISHED)

    def shake12(self, hello=None):
        self.start12(hello)
        self.say(self.key_exchange12())
        self.secrets12()
        self.change12()
        self.say(self.finished12())
        self.end12()

    # ---- how it ends
    def outcome(self):
        """What the server said at last: an alert's name, or "closed", "reset", "silent"."""
        try:
            while True:
                kind, data = self.read_record()
                if kind == DATA:
                    self.data += data
        except Ended as e:
            return str(e)

    def answer(self, request=b"GET / HTTP/1.0\r\n\r\n"):
        """The answer to a request and how the connection ended: (bytes, outcome)."""
        self.send(DATA, request)
        end = self.outcome()
        return self.data, end

    def close(self):
        self.s.close()


def wait_closed(client, seconds=4):
    """After its last word the server ends TCP in order, too: nothing, or a reset, after the alert?"""
    client.s.settimeout(seconds)
    try:
        while client.s.recv(4096):
            pass
        return "closed"
    except ConnectionResetError:
        return "reset"
    except socket.timeout:
        return "open"


def now():
    return time.monotonic()
