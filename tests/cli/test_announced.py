"""PROXY headers through the program: serve and proxy read them from whom they are told to and from nobody else; proxy sends them, version 2
with what was agreed in TLS.
ctest: timeout=400"""
import os
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

from serving import D, Server, authority, check, finish, home_page, names_from, refused, run, tls

authority()
run("ca", "issue", "me", "--client", "--out", D)
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"
web = home_page()
SIGN = b"\r\n\r\n\0\r\nQUIT\n"


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def v2(command=1, family=0x11, addresses=socket.inet_aton("203.0.113.7") + socket.inet_aton("192.0.2.1") + struct.pack(">HH", 4000, 443), entries=b""):
    return SIGN + bytes([0x20 | command, family]) + struct.pack(">H", len(addresses) + len(entries)) + addresses + entries


def entries_of(data):
    found = {}
    while data:
        kind, n = struct.unpack(">BH", data[:3])
        found[kind], data = data[3:3 + n], data[3 + n:]
    return found


def raw(port):
    if isinstance(port, int):
        return socket.create_connection(("127.0.0.1", port), timeout=20)
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(port)
    return s


def page(port, header, pieces=1, **options):
    """What is served behind a header; b"": nothing."""
    context = ssl.create_default_context(cafile=CA)
    for name, value in options.items():
        setattr(context, name, value)
    with raw(port) as s:
        for i in range(pieces):
            s.sendall(header[i * len(header) // pieces:(i + 1) * len(header) // pieces])
            time.sleep(0.02 if pieces > 1 else 0)
        try:
            with context.wrap_socket(s, server_hostname="localhost") as c:
                c.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return b"".join(iter(lambda: c.recv(4096), b"")).partition(b"\r\n\r\n")[2]
        except (ssl.SSLError, OSError):
            return b""


HOME = b"<h1>home</h1>"
LINE = b"PROXY TCP4 203.0.113.7 192.0.2.1 4000 443\r\n"

# ---- serve
s = Server(web, "-v", "--accept-proxy", "10.0.0.0/8,127.0.0.1", "--accept-proxy", "::1", "--timeout", "2", "--record", f"{D}/records", cert=CERT, key=KEY)
for what, header, peer in (("a line", LINE, "203.0.113.7:4000"), ("IPv6", b"PROXY TCP6 2001:db8::1 2001:db8::2 4001 443\r\n", "[2001:db8::1]:4001"),
                           ("UNKNOWN", b"PROXY UNKNOWN\r\n", None), ("LOCAL", v2(0, 0, b""), None),
                           ("version 2", v2(addresses=bytes(8) + struct.pack(">HH", 4002, 1)), "0.0.0.0:4002"),
                           ("version 2, IPv6", v2(family=0x21, addresses=bytes(15) + b"\x09" + bytes(16) + struct.pack(">HH", 4003, 1)), "[::9]:4003"),
                           ("a unix socket", v2(family=0x31, addresses=b"/run/x".ljust(216, b"\0")), "unix:/run/x"),
                           ("16384 bytes", v2(entries=b"\x04" + struct.pack(">H", 16353) + bytes(16353)), "203.0.113.7:4000")):
    for pieces in (1, 7):
        before = len(s.log())
        got = page(s.port, header, pieces)
        time.sleep(0.05)
        log = s.log()[before:]
        right = (f"peer={peer} " in log) if peer else log.count("peer=127.0.0.1:") == 2
        check(f"serve: {what} in {pieces}", got == HOME and right and log.count("event=handshake") == 1 and log.count("event=request") == 1, (got, log))
with raw(s.port) as c:
    c.sendall(LINE)
    c.sendall(b"\x16\x03\x01\x00\x02hello")
    try:
        c.recv(100)
    except ConnectionError:
        pass
found = s.said("event=recording")
names = os.listdir(f"{D}/records") if found else []
check("the recording of a failure, and its log line, have the announced address", found and "peer=203.0.113.7:4000" in s.log().split("event=recording")[1].split("\n")[0] and
      "203.0.113.7" in run("explain", f"{D}/records/{names[0]}", status=None).stdout, (names, s.log()[-600:]))
for what, data, code in (("malformed", b"PROXY TCP4 1.2.3.4\r\n", "net.proxy-header "), ("missing", None, "net.proxy-header-missing"),
                         ("HTTP", b"GET / HTTP/1.1\r\n\r\n", "net.proxy-header-missing"), ("a bad checksum", v2(entries=b"\x03\0\4abcd"), "net.proxy-header "),
                         ("too long", v2(entries=b"\x04" + struct.pack(">H", 16354) + bytes(16354)), "net.proxy-header ")):
    before = len(s.log())
    if data is None:
        check("serve: a hello without a header gets nothing", page(s.port, b"") == b"")
    else:
        with raw(s.port) as c:
            try:
                c.sendall(data)
                answer = c.recv(100)
            except ConnectionError:
                answer = b""
            check(f"serve: {what}: closed without a word", answer == b"", answer)
    for _ in range(100):
        if "event=handshake" in s.log()[before:]:
            break
        time.sleep(0.1)
    log = s.log()[before:]
    check(f"serve: {what}: one line with its code", log.count("event=handshake") == 1 and f"code={code}" in log and "peer=127.0.0.1:" in log, log)
before = len(s.log())
with raw(s.port) as c:
    c.sendall(LINE[:20])
check("serve: the end within it", s.said("ended within it", 20) and "code=net.proxy-header " in s.log()[before:], s.log()[before:])
for _ in range(100):
    if "event=recording" in s.log()[before:]:
        break
    time.sleep(0.1)
before = len(s.log())
raw(s.port).close()
with raw(s.port) as c:
    c.sendall(v2(0, 0, b""))
time.sleep(0.3)
check("serve: who only looks whether somebody is there is no failure", s.log()[before:] == "", s.log()[before:])
s.kill(signal.SIGSTOP)
for data in (LINE, LINE + b"GET /"):  # as the health checks of some load balancers: reset before anybody has read it
    c = raw(s.port)
    c.sendall(data)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()
s.kill(signal.SIGCONT)
check("serve: nor is who has gone again", page(s.port, LINE) == HOME and s.log()[before:].count("\n") == 2, s.log()[before:])
before = len(s.log())
with raw(s.port) as c:
    c.sendall(LINE[:20])
    check("serve: half a header is let go in time", c.recv(10) == b"")
check("and logged", s.said("code=net.timeout-handshake") and "PROXY header was not complete" in s.log()[before:], s.log()[before:])
check("serve ends in order", s.end() == 0, s.log()[-500:])
other = Server(web, "-v", "--accept-proxy", "10.0.0.0/8,unix", "--listen", f"unix:{D}/door", cert=CERT, key=KEY)
check("who is not on the list is served as who it is", page(other.port, b"") == HOME and other.said("peer=127.0.0.1:"))
check("and not read a header from", page(other.port, LINE) == b"" and other.said("code=peer.not-tls.proxy-protocol"), other.log()[-600:])
check("version 2 neither", page(other.port, v2()) == b"" and other.log().count("code=peer.not-tls.proxy-protocol") == 2, other.log()[-600:])
check("peers over a unix socket, by the word unix", page(f"{D}/door", LINE) == HOME and other.said("peer=203.0.113.7:4000"), other.log()[-600:])
other.end()

# ---- proxy, out


class Backend:
    """Keeps what comes, and answers "hello" to whatever ends with a line end behind the header."""

    def __init__(self, context=None, first=False):
        self.listener, self.heard, self.context, self.first = socket.create_server(("127.0.0.1", 0)), [], context, first
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.loop, daemon=True).start()

    def loop(self):
        while True:
            c, _ = self.listener.accept()
            c.settimeout(20)
            try:
                head = c.recv(12, socket.MSG_WAITALL)
                if head == SIGN:
                    head += c.recv(4, socket.MSG_WAITALL)
                    head += c.recv(struct.unpack(">H", head[14:16])[0], socket.MSG_WAITALL)
                else:
                    while not head.endswith(b"\r\n"):
                        head += c.recv(1)
                self.heard.append(head)
                if self.first:
                    c.sendall(b"me first")
                c = self.context.wrap_socket(c, server_side=True) if self.context else c
                c.recv(100)
                c.sendall(b"hello")
            except OSError as e:
                self.heard.append(e)
            c.close()


b = Backend()
p = Server("--backend", f"127.0.0.1:{b.port}", "--send-proxy", "v1", verb="proxy", cert=CERT, key=KEY)


def through(port, **options):
    """Our address, and what the backend answered."""
    with tls(port, CA, **options) as c:
        c.sendall(b"x\n")
        return c.getsockname(), c.recv(100), c


me, answer, _ = through(p.port)
check("proxy: version 1", answer == b"hello" and b.heard[-1] == f"PROXY TCP4 127.0.0.1 127.0.0.1 {me[1]} {p.port}\r\n".encode(), b.heard[-1])
p.end()
talks = Backend(first=True)
p = Server("--backend", f"127.0.0.1:{talks.port}", "--send-proxy", "v1", verb="proxy", cert=CERT, key=KEY)
with tls(p.port, CA) as c:
    check("proxy: without a word of the client's, for services that speak first", c.recv(100) == b"me first" and len(talks.heard) == 1, talks.heard)
p.end()
with open(f"{D}/hosts", "w", encoding="utf-8") as f:
    f.write("127.0.0.2 both.example\n127.0.0.1 both.example\n127.0.0.1 localhost\n")
try:
    with names_from(f"{D}/hosts"):
        p = Server("--backend", f"both.example:{b.port}", "--send-proxy", "v1", verb="proxy", cert=CERT, key=KEY)
except (AssertionError, OSError) as x:
    p = print("not here: a file of hosts of one's own", x)
if p:
    before = len(b.heard)
    me, answer, _ = through(p.port)
    check("proxy: a backend that answers at its second address hears it once", answer == b"hello" and len(b.heard) == before + 1 and
          b.heard[-1] == f"PROXY TCP4 127.0.0.1 127.0.0.1 {me[1]} {p.port}\r\n".encode(), b.heard[before:])
    p.end()
p = Server("-v", "--backend", f"127.0.0.1:{b.port}", "--send-proxy", "v2", "--client-ca", CA, "--client-auth", "optional", "--alpn", "h2,http/1.1",
           verb="proxy", cert=CERT, key=KEY)


def header(heard):
    """(command, family, addresses, entries), once it is sound."""
    n = {0x11: 12, 0x21: 36, 0x31: 216, 0: 0}[heard[13]]
    found = entries_of(heard[16 + n:])
    at = len(heard) - 4
    assert heard[at - 3:at] == b"\3\0\4" and crc32c(heard[:at] + bytes(4)) == struct.unpack(">I", found[3])[0], heard
    return heard[12], heard[13], heard[16:16 + n], found


context = ssl.create_default_context(cafile=CA)
context.set_alpn_protocols(["http/1.1"])


def ask_with(context, port, session=None):
    with context.wrap_socket(raw(port), server_hostname="localhost", session=session) as c:
        c.sendall(b"x\n")
        return c.getsockname(), c.recv(100), c.version(), c.session, c.session_reused


me, answer, _, _, _ = ask_with(context, p.port)
command, family, addresses, found = header(b.heard[-1])
seen = entries_of(found[0x20][5:])
local = socket.inet_aton("127.0.0.1")
check("proxy: version 2, both addresses", answer == b"hello" and (command, family) == (0x21, 0x11) and
      addresses == local + local + struct.pack(">HH", me[1], p.port), b.heard[-1])
check("ALPN, the name asked for", found[1] == b"http/1.1" and found[2] == b"localhost", found)
check("UNIQUE_ID is the hs= of the log", len(found[5]) == 16 and p.said("hs=" + found[5].decode()), found)
check("SSL: TLS, no certificate", found[0x20][:5] == b"\1\0\0\0\1" and 0x22 not in seen, found)
check("version, cipher, signature and key of our certificate", seen[0x21] == b"TLSv1.3" and seen[0x23].startswith(b"TLS_") and
      seen[0x24] == b"ecdsa-with-SHA256" and seen[0x25] == b"EC256", seen)
context.load_cert_chain(f"{D}/me-client.pem", f"{D}/me-client-key.pem")
for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
    context.minimum_version = context.maximum_version = version
    _, answer, spoken, session, _ = ask_with(context, p.port)
    found = header(b.heard[-1])[3]
    seen = entries_of(found[0x20][5:])
    check(f"{spoken}: a client certificate, verified", answer == b"hello" and found[0x20][:5] == b"\7\0\0\0\0" and seen[0x22] == b"me" and
          seen[0x21] == spoken.encode(), (found, seen))
    _, answer, _, _, again = ask_with(context, p.port, session)
    found = header(b.heard[-1])[3]
    seen = entries_of(found[0x20][5:])
    check(f"{spoken}: a session that is resumed: in the session, not on this connection, and the name is known", again and found[0x20][:5] == b"\5\0\0\0\0" and
          seen.get(0x22) == b"me", (again, found, seen))
check("TLS 1.2: the cipher as others write it", seen[0x23].startswith(b"ECDHE-ECDSA-AES"), seen)
p.end()

# ---- both: whom is announced is passed on, with its id
p = Server("-v", "--backend", f"127.0.0.1:{b.port}", "--accept-proxy", "127.0.0.0/8", "--send-proxy", "v2", "--timeout", "2", verb="proxy", cert=CERT, key=KEY)
page(p.port, v2(entries=b"\5\0\3one"))
command, family, addresses, found = header(b.heard[-1])
check("proxy: from one to the next", addresses == v2()[16:28] and found[5] == b"one" and p.said("event=connection peer=203.0.113.7:4000"), (b.heard[-1], p.log()))
page(p.port, v2(0, 0, b""))
check("LOCAL: its own address", header(b.heard[-1])[2][:4] == local)
before = len(b.heard)
page(p.port, b"")
check("none where one is due: refused, and the backend hears nothing", p.said("code=net.proxy-header-missing") and len(b.heard) == before, p.log())
with raw(p.port) as c:
    c.sendall(b"PROXY ")
check("the end within it", p.said("code=net.proxy-header "), p.log())
with raw(p.port) as c:
    c.sendall(b"PROXY ")
    check("half a header is let go in time", c.recv(10) == b"")
check("and logged", p.said("code=net.timeout-handshake") and "PROXY header was not complete" in p.log(), p.log())
check("proxy ends in order", p.end() == 0, p.log()[-500:])

# ---- without TLS in front
serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
serving.load_cert_chain(CERT, KEY)
t = Backend(serving)
p = Server("-v", "--wrap", f"localhost:{t.port}", "--ca", CA, "--accept-proxy", "127.0.0.1", "--send-proxy", "v2", "--timeout", "2", verb="proxy")
with raw(p.port) as c:
    c.sendall(LINE + b"x\n")
    check("--wrap: in the clear in front of TLS, both ways", c.recv(100) == b"hello" and header(t.heard[-1])[2] == v2()[16:28] and
          list(header(t.heard[-1])[3]) == [3], t.heard)
check("and it is said of whom", p.said("event=connection peer=203.0.113.7:4000"), p.log())
before = len(t.heard)
for what, data, code in (("something else", b"GET /", "net.proxy-header-missing"), ("malformed", b"PROXY TCP5 \r\n", "net.proxy-header ")):
    with raw(p.port) as c:
        c.sendall(data)
        try:
            check(f"--wrap: {what}: closed", c.recv(10) == b"")
        except ConnectionError:
            check(f"--wrap: {what}: closed", True)
    check("and logged", p.said("code=" + code), p.log())
with raw(p.port) as c:
    try:
        check("--wrap: silence is let go in time", c.recv(10) == b"")
    except ConnectionError:
        check("--wrap: silence is let go in time", True)
check("and logged", p.said("code=net.timeout-handshake"), p.log())
raw(p.port).close()
check("--wrap: the end before it", p.said("code=net.eof-on-hello"), p.log())
check("the backend heard none of them", len(t.heard) == before, t.heard)
check("ends in order", p.end() == 0, p.log()[-500:])
p = Server("--wrap", f"localhost:{t.port}", "--ca", CA, "--accept-proxy", "10.0.0.0/8", "--send-proxy", "v1", verb="proxy")
with raw(p.port) as c:
    c.sendall(b"x\n")
    check("--wrap: who is not on the list", c.recv(100) == b"hello" and t.heard[-1].startswith(b"PROXY TCP4 127.0.0.1 127.0.0.1 "), t.heard[-1])
p.end()

# ---- mistakes
for words, networks in ((["10.0.0.1/8", "behind those that count"], "10.0.0.1/8"), (["neither an IP"], "lan"), (["neither an IP"], ""), (["neither an IP"], "::1,"),
                        (["number of bits"], "10.0.0.0/33"), (["number of bits"], "10.0.0.0/"), (["number of bits"], "::/129"), (["number of bits"], "::/+1"),
                        (["too long"], "1" * 70), (["more than 64"], ",".join(["10.0.0.0/8"] * 65))):
    refused([*words, "--accept-proxy"], "serve", web, "--cert", CERT, "--key", KEY, "--accept-proxy", networks)
refused(["--send-proxy", "v1, v2"], "proxy", "--backend", "127.0.0.1:1", "--cert", CERT, "--key", KEY, "--send-proxy", "v3")
finish()
