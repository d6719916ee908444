"""A relay between a client and a server that keeps what went by as a capture: no rights are needed, and no packet is lost."""
import select
import socket
import struct
import threading
import time

FIN, SYN, RST, PUSH, ACK = 1, 2, 4, 8, 16


class Stream:
    """One connection, client to server and back, as packets of IPv4; sequence numbers soon begin again at 0."""

    def __init__(self, number=0, at=None):
        self.packets, self.port, self.seq, self.at = [], 40000 + number, [0xfffff000, 0x7ffffff0], at

    def add(self, way, flags, payload=b""):
        ends = [(b"\x0a\0\0\1", self.port), (b"\x0a\0\0\2", 443)]
        (a, sport), (b, dport) = ends[way], ends[1 - way]
        for i in range(0, max(len(payload), 1), 1400):
            p = payload[i:i + 1400]
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(p), 0, 0x4000, 64, 6, 0, a, b)
            tcp = struct.pack(">HHIIBBHHH", sport, dport, self.seq[way], self.seq[1 - way] if flags & ACK else 0, 0x50, flags, 65535, 0, 0)
            self.packets.append((time.time() if self.at is None else self.at + len(self.packets) / 1000, ip + tcp + p))
            self.seq[way] = (self.seq[way] + len(p) + (flags & (SYN | FIN) != 0)) & 0xffffffff

    def opens(self):
        self.add(0, SYN)
        self.add(1, SYN | ACK)
        self.add(0, ACK)
        return self


def pcap(packets, link=101):
    head = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, link)
    return head + b"".join(struct.pack("<IIII", int(t), int(t % 1 * 1e6), len(p), len(p)) + p for t, p in packets)


class Relay:
    def __init__(self, port):
        self.server, self.streams, self.threads = ("127.0.0.1", port), [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                c, _ = self.listener.accept()
            except OSError:
                return
            self.streams.append(Stream(len(self.streams)).opens())
            self.threads.append(threading.Thread(target=self.carry, args=(c, self.streams[-1]), daemon=True))
            self.threads[-1].start()

    def carry(self, c, stream):
        s = socket.create_connection(self.server, 30)
        other, left = {c: (s, 0), s: (c, 1)}, {c, s}
        while left:
            for x in select.select(list(left), [], [], 60)[0]:
                to, way = other[x]
                try:
                    data = x.recv(65536)
                except OSError:
                    data = None
                stream.add(way, PUSH | ACK if data else FIN | ACK if data == b"" else RST | ACK, data or b"")
                try:
                    if data:
                        to.sendall(data)
                    else:
                        left.discard(x)
                        to.shutdown(socket.SHUT_WR)
                except OSError:
                    left.discard(x)
        c.close()
        s.close()

    def packets(self):
        """All that went by, once everybody has gone."""
        for t in self.threads:
            t.join(60)
        self.listener.close()
        return [p for s in self.streams for p in s.packets]
