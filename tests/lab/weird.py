"""Servers that fail in ways no TLS library does on purpose.  Each is `serve(kind, backend_port)`: the port it listens on, in a thread."""
import select
import socket
import struct
import threading
import time

SAYS = {  # before anything was asked, or once it was: (greeting, answer)
    "plainhttp": (b"", b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 12\r\nConnection: close\r\n\r\nBad Request\n"),
    "smtp": (b"220 mail.example.test ESMTP\r\n", b"502 5.5.2 Error: command not recognized\r\n"),
    "ssh": (b"SSH-2.0-OpenSSH_9.2p1\r\n", b""),
    "imap": (b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n", b"* BAD\r\n"),
    "pop3": (b"+OK POP3 ready\r\n", b"-ERR\r\n"),
    "ftp": (b"220 FTP server ready\r\n", b"500 what?\r\n"),
}


def reset(c):
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()


def relay(c, backend, first=b"", limit=1 << 30, corrupt=False):
    """Between the client and a real server; breaks after `limit` bytes of the server's, or flips one bit of them."""
    s = socket.create_connection(("127.0.0.1", backend))
    s.sendall(first)
    passed = 0
    while True:
        ready, _, _ = select.select([c, s], [], [], 20)
        if not ready:
            return
        if c in ready:
            data = c.recv(65536)
            if not data:
                return
            s.sendall(data)
        if s in ready:
            data = bytearray(s.recv(65536))
            if not data:
                c.close()
                return
            if corrupt and passed <= 300 < passed + len(data):
                data[300 - passed] ^= 1
            if passed + len(data) > limit:
                c.sendall(data[:limit - passed])
                time.sleep(0.1)
                reset(c)
                return
            c.sendall(data)
            passed += len(data)


def one(kind, c, backend):
    try:
        if kind in SAYS:
            greeting, answer = SAYS[kind]
            c.sendall(greeting)
            c.recv(65536)
            c.sendall(answer)
            time.sleep(0.2)
            c.close()
        elif kind == "rst":
            c.recv(65536)
            reset(c)
        elif kind == "fin":
            c.recv(65536)
            c.close()
        elif kind == "silent":
            time.sleep(20)
        elif kind == "bighello":  # a middlebox that wants the whole hello in one small segment
            data = c.recv(1300)
            if len(data) < 5 or 5 + struct.unpack(">H", data[3:5])[0] > len(data):
                reset(c)
            else:
                relay(c, backend, data)
        elif kind == "midrst":
            relay(c, backend, limit=200)
        elif kind == "corrupt":
            relay(c, backend, corrupt=True)
    except OSError:
        pass


def serve(kind, backend=0):
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def loop():
        while True:
            c, _ = listener.accept()
            threading.Thread(target=one, args=(kind, c, backend), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()
    return listener.getsockname()[1]
