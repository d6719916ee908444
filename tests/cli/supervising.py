"""What the tests of troth as a service share: a supervisor that hears how it is, and a start with its variables and sockets."""
import atexit
import fcntl
import os
import socket
import subprocess
import tempfile

from serving import D, TROTH, Server


class Supervisor:
    """A socket that messages come to; `name` is what NOTIFY_SOCKET has to be."""

    def __init__(self, name):
        self.name = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name[1:] if name[0] == "@" else name)
        self.socket.settimeout(60)

    def hear(self):
        """The next message, as a dictionary."""
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().split("\n"))

    def heard(self):
        """All that has come by now."""
        self.socket.setblocking(False)
        found = []
        try:
            while True:
                found.append(self.hear())
        except BlockingIOError:
            self.socket.settimeout(60)
            return found


class Daemon(Server):
    """troth under a supervisor's variables: `PID` in one is its own process id; `sockets` become fd 3 and the following."""

    def __init__(self, *args, sockets=(), **variables):
        self.log_path = tempfile.mktemp(dir=D, suffix=".log")
        high = [fcntl.fcntl(s.fileno(), fcntl.F_DUPFD, 100) for s in sockets]  # above where they have to go
        moves = " ".join(f"{3 + i}<&{fd} {fd}<&-" for i, fd in enumerate(high))
        exports = " ".join(f'{k}="{v.replace("PID", "$$")}"' for k, v in variables.items())
        self.process = subprocess.Popen(["bash", "-c", f'export T=1 {exports}; exec "$@" {moves}', "-", TROTH, *args], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=open(self.log_path, "w", encoding="utf-8"), pass_fds=high)
        for fd in high:
            os.close(fd)
        atexit.register(self.process.kill)

    def failed(self, *words):
        """Ended with exit status 2 and one line that has these words."""
        status, text = self.process.wait(timeout=60), self.log().strip()
        return status == 2 and all(w in text for w in words) and len(text.split("\n")) == 1


def local():
    return socket.create_server(("127.0.0.1", 0))


def port_of(s):
    return s.getsockname()[1]
