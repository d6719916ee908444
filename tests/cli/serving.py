"""What the tests of the program share: a CA made by troth itself, a server that is started and ended, requests through Python's ssl."""
import atexit
import contextlib
import glob
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

TROTH = os.environ.get("TROTH", "")
if not os.path.exists(TROTH):
    print("no program here")
    sys.exit(77)
os.environ.setdefault("TROTH_CONFIG", "/dev/null")  # whoever runs this may have settings of their own
home = tempfile.TemporaryDirectory(prefix="serve")
D = home.name
passed, failed = 0, []


def run(*args, status=0, **more):
    """One run of troth; its exit status must be this."""
    r = subprocess.run([TROTH, *args], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, **more)
    assert status is None or r.returncode == status, (args, r.returncode, r.stdout, r.stderr)
    return r


def authority():
    run("ca", "init", "--out", D)
    run("ca", "issue", "localhost", "127.0.0.1", "--out", D)
    found = [f for f in os.listdir(D) if f.endswith(".pem")]
    return found


def check(what, ok, detail=""):
    global passed
    if ok:
        passed += 1
        print("ok   " + what)
    else:
        failed.append(what)
        print(f"FAIL {what} {detail!r}")
    sys.stdout.flush()


def refused(words, *args, status=2, lines=3):
    """One message, of so many lines at most, and nothing else: no output, no function's name, nothing raw for a terminal."""
    r = run(*args, status=None)
    text = r.stderr.strip()
    good = r.returncode == status and all(w in text for w in words) and len(text.split("\n")) <= lines and not r.stdout
    check("refused: troth " + repr(args)[:200].replace(D + "/", ""), good and "\x1b" not in text and "troth_" not in text, (r.returncode, r.stdout, text))


def openssl_server(*options):
    """(process, port) of openssl s_server -www; what is not ended goes with the test."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    p = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-www", *options], stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    atexit.register(p.kill)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return p, port
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("openssl s_server did not start")


def hello_of(conn):
    """The first record that a client sends, to whoever plays a server without TLS."""
    head = b""
    while len(head) < 5 or len(head) < 5 + int.from_bytes(head[3:5], "big"):
        more = conn.recv(16384)
        if not more:
            raise OSError("no hello")
        head += more
    return head


def home_page(name="web"):
    """A folder to serve, with one page."""
    web = f"{D}/{name}"
    os.makedirs(web)
    with open(f"{web}/index.html", "w", encoding="utf-8") as f:
        f.write("<h1>home</h1>")
    return web


def keeper_of(front):
    """The process that keeps the keys of that one; None: there is none."""
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            name, rest = re.match(r"\d+ \((.*)\) (.*)", open(stat, encoding="utf-8").read(), re.S).groups()
        except OSError:
            continue
        if int(rest.split()[1]) == front and name == "troth-keeper" and rest[0] != "Z":
            return int(stat.split("/")[2])
    return None


def finish():
    print(f"{passed} passed, {len(failed)} failed" + (": " + "; ".join(failed) if failed else ""))
    sys.exit(1 if failed else 0)


@contextlib.contextmanager
def names_from(hosts):
    """What is started within has that file for /etc/hosts.  Where that is not allowed, a Server does not start: AssertionError."""
    real = subprocess.Popen
    subprocess.Popen = lambda c, **k: real(["unshare", "-Urm", "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$@"', "sh", *c], **k)
    try:
        yield
    finally:
        subprocess.Popen = real


class Server:
    """troth serve (or proxy) on a port of its own."""

    def __init__(self, *args, verb="serve", cert=None, key=None):
        self.log_path = tempfile.mktemp(dir=D, suffix=".log")
        self.port_file = tempfile.mktemp(dir=D, suffix=".port")
        command = [TROTH, verb, *args, "--listen", "127.0.0.1:0", "--port-file", self.port_file]
        if cert:
            command += ["--cert", cert, "--key", key]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=open(self.log_path, "w", encoding="utf-8"))
        atexit.register(self.process.kill)  # also where the test itself breaks off
        for _ in range(400):
            if os.path.exists(self.port_file) and open(self.port_file, encoding="utf-8").read().endswith("\n"):
                break
            assert self.process.poll() is None, self.log()
            time.sleep(0.05)
        self.port = int(open(self.port_file, encoding="utf-8").read())

    def log(self):
        return open(self.log_path, encoding="utf-8").read()

    def said(self, word, seconds=5):
        end = time.time() + seconds
        while time.time() < end:
            if word in self.log():
                return True
            time.sleep(0.05)
        return False

    def kill(self, number):
        os.kill(self.process.pid, number)

    def end(self, number=signal.SIGTERM, seconds=20):
        """The exit status."""
        if self.process.poll() is None:
            self.kill(number)
        return self.process.wait(timeout=seconds)


def tls(port, ca, **options):
    context = ssl.create_default_context(cafile=ca)
    for name, value in options.items():
        setattr(context, name, value)
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10), server_hostname="localhost")


class ByHand:
    """TLS in memory over a socket, whose two ends are the test's: `tls` is to be driven through step(); `wire` is all that came."""

    def __init__(self, port, context, timeout=10):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.wire = bytearray()

    def flush(self):
        if self.outgoing.pending:
            self.socket.sendall(self.outgoing.read())

    def step(self, what, *args):
        while True:
            try:
                r = what(*args)
                self.flush()
                return r
            except ssl.SSLWantReadError:
                self.flush()
                more = self.socket.recv(65536)
                self.wire += more
                self.incoming.write(more) if more else self.incoming.write_eof()

    def close_notify(self):
        """Ours, without waiting for the peer's."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self.flush()


def ask(port, ca, request, **options):
    """(status, headers, body) of a request that is the last on its connection, status 0: no answer; a request may be the path alone."""
    if isinstance(request, str):
        request = f"GET {request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    with tls(port, ca, **options) as s:
        s.sendall(request)
        answer = b""
        while True:
            try:
                more = s.recv(65536)
            except ConnectionError:
                break
            if not more:
                break
            answer += more
    if not answer:
        return 0, {}, b""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
    return int(lines[0].split()[1]), headers, body
