"""ctest: slow timeout=120
troth connect --starttls over each protocol: its words to the byte, TLS behind them, and a refusal that is told with what the peer said."""
import json
import socket
import ssl
import subprocess
import threading

from serving import D, TROTH, authority, check, finish

authority()
CA = f"{D}/ca.pem"
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f"{D}/localhost.pem", f"{D}/localhost-key.pem")

GREETING = b"\x0a8.0.36\0" + b"\1\0\0\0" + b"12345678\0"
STREAM = b"<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
LDAP = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"
# Active Directory writes lengths with four bytes
AD = b"\x30\x84\0\0\0\x28\x02\x01\x01\x78\x84\0\0\0\x1f\x0a\x01\0\x04\0\x04\0\x8a\x161.3.6.1.4.1.1466.20037"
POSTGRES = b"\0\0\0\x08\x04\xd2\x16\x2f"
HELLO, TLS = b"<stream:stream id='1'><stream:features>", b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
MYSQL = bytes([32, 0, 0, 1, 0, 0x8a, 0, 0, 0, 0, 0, 1, 45]) + bytes(23)


def mysql(flags):
    body = GREETING + flags + bytes(20)
    return len(body).to_bytes(3, "little") + b"\0" + body


# protocol, what is said (bytes) and heard (bytes in a tuple) in turn, TLS follows, what troth shows of a refusal
CASES = (
    ("smtp", [b"220-a.example\r\n220 ESMTP\r\n", (b"EHLO troth.invalid\r\n",), b"250-a.example\r\n250 STARTTLS\r\n", (b"STARTTLS\r\n",), b"220 go\r\n"], None),
    ("smtp", [b"220-" + b"a" * 2000 + b"\r\n220 ESMTP\r\n", (b"EHLO troth.invalid\r\n",), b"250 STARTTLS\r\n", (b"STARTTLS\r\n",), b"220 go\r\n"], None),
    ("smtp", [b"220" + b"a" * 100000], "220aaaa"),
    ("smtp", [b"220 ESMTP\r\n", (b"EHLO troth.invalid\r\n",), b"250 STARTTLS\r\n", (b"STARTTLS\r\n",), b"220 go"], "220 go"),
    ("smtp", [b"554 not today\r\n"], "554 not today"),
    ("imap", [b"* OK ready\r\n", (b"a1 STARTTLS\r\n",), b"* by the way\r\na1 OK begin\r\n"], None),
    ("imap", [b"* OK ready\r\n", (b"a1 STARTTLS\r\n",), b"a1 NO never\r\n"], "a1 NO never"),
    ("imap", [b"* BYE full\r\n"], "* BYE full"),
    ("pop3", [b"+OK ready\r\n", (b"STLS\r\n",), b"+OK begin\r\n"], None),
    ("pop3", [b"+OK ready\r\n", (b"STLS\r\n",), b"-ERR what?\r\n"], "-ERR what?"),
    ("lmtp", [b"220 ready\r\n", (b"LHLO troth.invalid\r\n",), b"250-a\r\n250 STARTTLS\r\n", (b"STARTTLS\r\n",), b"220 go\r\n"], None),
    ("sieve", [b'"IMPLEMENTATION" "x"\r\n"STARTTLS"\r\nOK "here"\r\n', (b"STARTTLS\r\n",), b'OK "begin"\r\n'], None),
    ("sieve", [b'"IMPLEMENTATION" "x"\r\nOK\r\n', (b"STARTTLS\r\n",), b'NO "what?"\r\n'], 'NO "what?"'),
    ("sieve", [b'BYE "full"\r\n'], 'BYE "full"'),
    ("nntp", [b"201 no posting\r\n", (b"STARTTLS\r\n",), b"382 begin\r\n"], None),
    ("nntp", [b"200 welcome\r\n", (b"STARTTLS\r\n",), b"580 cannot\r\n"], "580 cannot"),
    ("nntp", [b"400 busy\r\n"], "400 busy"),
    ("ftp", [b"220 ready\r\n", (b"AUTH TLS\r\n",), b"234 begin\r\n"], None),
    ("ftp", [b"220 ready\r\n", (b"AUTH TLS\r\n",), b"530 log in first\r\n"], "530 log in first"),
    ("postgres", [(POSTGRES,), b"S"], None),
    ("postgres", [(POSTGRES,), b"N"], "N: it offers no TLS"),
    ("mysql", [mysql(b"\xff\xff"), (MYSQL,)], None),
    ("mysql", [mysql(b"\xff\xf7")], "MySQL 8.0.36"),
    ("mysql", [b"\x12\0\0\0\xff\x6a\x04Host not let in"], "MySQL error 1130: Host not let in"),
    ("mysql", [b"\x01\0\0\0\x09"], "the peer said nothing in mysql"),
    ("mysql", [b"\xff\xff\xff\0"], "the peer said nothing in mysql"),
    ("xmpp", [(STREAM,), HELLO + TLS + b"</stream:features>", (TLS,), b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"], None),
    ("xmpp", [(STREAM,), HELLO + TLS + b"</stream:features>", (TLS,), b"<failure/>"], "<failure/>"),
    ("xmpp", [(STREAM,), HELLO + b"</stream:features>"], "the peer said nothing in xmpp"),
    ("xmpp", [(STREAM,), b"x" * 5000], "the peer said nothing in xmpp"),
    ("ldap", [(LDAP,), b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\0\x04\0\x04\0"], None),
    ("ldap", [(LDAP,), b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\0\x04\0"], "LDAP result code 2"),
    ("ldap", [(LDAP,), AD], None),
    ("ldap", [(LDAP,), AD.replace(b"\x0a\x01\0", b"\x0a\x01\x33")], "LDAP result code 51"),
    ("ldap", [(LDAP,), b"\x30\x0c\x02\x01\x02\x78\x07\x0a\x01\0\x04\0\x04\0"], "the peer said nothing in ldap"),
    ("xmpp-server", [(STREAM.replace(b"client", b"server"),), HELLO + TLS + b"</stream:features>", (TLS,), b"<proceed/>"], None),
    ("ldap", [(LDAP,), b"\x30\x82\x01\0"], "the peer said nothing in ldap"),
)


def serve(listener, steps, secure, heard):
    c, _ = listener.accept()
    c.settimeout(30)
    try:
        for step in steps:
            if isinstance(step, bytes):
                c.sendall(step)
                continue
            got = b""
            while len(got) < len(step[0]):
                more = c.recv(len(step[0]) - len(got))
                if not more:
                    break
                got += more
            heard.append(got == step[0] or got)
        if secure:
            c = context.wrap_socket(c, server_side=True)
            c.recv(1)
    except OSError:
        pass
    c.close()


for protocol, steps, refusal in CASES:
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener, steps, refusal is None, heard))
        thread.start()
        r = subprocess.run([TROTH, "connect", "--json", "--ca", CA, "--starttls", protocol, f"localhost:{listener.getsockname()[1]}"],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        thread.join()
    answer = json.loads(r.stdout)
    if refusal is None:
        good = r.returncode == 0 and answer["code"] == "ok"
    else:
        good = r.returncode == 3 and answer["code"] == "net.starttls" and refusal in answer["failure"]["evidence"]
    check(f"{protocol}: {refusal or 'TLS'}", good and all(h is True for h in heard), (r.returncode, heard, r.stdout[:700], r.stderr[-300:]))

help_text = " ".join(subprocess.run([TROTH, "connect", "--help"], capture_output=True, text=True, check=True).stdout.split())
check("--help knows them all", ", ".join(["smtp", "lmtp", "imap", "pop3", "sieve", "ftp", "nntp", "postgres", "mysql", "xmpp", "xmpp-server", "ldap"]) in help_text
      and {c[0] for c in CASES} <= set(help_text.replace(",", "").split()), help_text)

# ---- whoever says nothing, or what comes after the last word in the clear
with socket.create_server(("127.0.0.1", 0)) as listener:
    r = subprocess.run([TROTH, "connect", "--json", "--timeout", "1", "--ca", CA, "--starttls", "smtp", f"localhost:{listener.getsockname()[1]}"],
                       stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
check("silence is a timeout", r.returncode == 7 and json.loads(r.stdout)["code"] == "net.timeout-idle", (r.returncode, r.stdout))
with socket.create_server(("127.0.0.1", 0)) as listener:
    steps = [b"220 ESMTP\r\n", (b"EHLO troth.invalid\r\n",), b"250 STARTTLS\r\n", (b"STARTTLS\r\n",), b"220 go\r\n250 injected\r\n"]
    thread = threading.Thread(target=serve, args=(listener, steps, True, []))
    thread.start()
    r = subprocess.run([TROTH, "connect", "--ca", CA, "--starttls", "smtp", f"localhost:{listener.getsockname()[1]}"],
                       stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    thread.join()
check("what is slipped in before TLS is none of it", r.returncode == 4 and "injected" not in r.stdout, (r.returncode, r.stdout, r.stderr[-300:]))
finish()
