"""troth serve and troth proxy under a supervisor, which this test plays: what it hears (NOTIFY_SOCKET, WATCHDOG_USEC), and the sockets that
it passes (LISTEN_FDS).  Needs no systemd.
ctest: slow timeout=400"""
import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time

from serving import D, TROTH, ask, authority, check, finish, home_page, tls
from supervising import Daemon, Supervisor, local, port_of

authority()
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"
web = home_page()
identity = ("--cert", CERT, "--key", KEY)


def page_over(connection):
    """Is the page served over it?"""
    with ssl.create_default_context(cafile=CA).wrap_socket(connection, server_hostname="localhost") as c:
        c.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return b"<h1>home</h1>" in b"".join(iter(lambda: c.recv(4096), b""))


# ---- what the supervisor hears
for name in (f"{D}/notify", f"@troth-test-{os.getpid()}"):
    boss = Supervisor(name)
    door = local()
    s = Daemon("serve", web, *identity, sockets=[door], LISTEN_PID="PID", LISTEN_FDS="1", NOTIFY_SOCKET=name)
    first = boss.hear()
    check(f"{name[0]}: READY=1 is the first, with where it listens", first == {"READY": "1", "STATUS": f"Listening on 127.0.0.1:{port_of(door)}"}, first)
    check("and it is served", ask(port_of(door), CA, "/")[0] == 200)
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    s.kill(signal.SIGHUP)
    begun, over = boss.hear(), boss.hear()
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    check("HUP: RELOADING=1, with the time", begun["RELOADING"] == "1" and before <= int(begun["MONOTONIC_USEC"]) <= after and "READY" not in begun, begun)
    check("HUP: READY=1 after it", over == first, over)
    s.kill(signal.SIGTERM)
    last = boss.hear()
    check("TERM: STOPPING=1, then the end", last["STOPPING"] == "1" and last["STATUS"] and s.process.wait(timeout=60) == 0 and not boss.heard(), last)

boss = Supervisor(f"{D}/second")
mine = f"{D}/mine.pem"
shutil.copyfile(CERT, mine)
door = local()
s = Daemon("serve", web, "--cert", mine, "--key", KEY, "--grace", "600", sockets=[door], LISTEN_PID="PID", LISTEN_FDS="1", NOTIFY_SOCKET=boss.name)
first = boss.hear()
open(mine, "w", encoding="utf-8").write("no certificate\n")
s.kill(signal.SIGHUP)
begun, over = boss.hear(), boss.hear()
check("a reload that fails: ready all the same, and it is said", begun["RELOADING"] == "1" and over["READY"] == "1" and
      over["STATUS"].startswith(first["STATUS"]) and "failed" in over["STATUS"], over)
held = tls(port_of(door), CA)
held.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
held.recv(4096)
s.kill(signal.SIGTERM)
check("TERM with a connection that is open: STOPPING=1", boss.hear().get("STOPPING") == "1")
s.kill(signal.SIGHUP)
check("HUP by then", s.said("event=reload") and s.process.poll() is None)
s.kill(signal.SIGTERM)
check("a second TERM: the end", s.process.wait(timeout=60) == 0)
check("and nothing more is said: it is stopping", not boss.heard())
held.close()
for number in (signal.SIGINT, signal.SIGQUIT):
    s = Daemon("serve", web, *identity, sockets=[local()], LISTEN_PID="PID", LISTEN_FDS="1", NOTIFY_SOCKET=boss.name)
    boss.hear()
    s.kill(number)
    check(f"{number.name}: STOPPING=1", boss.hear().get("STOPPING") == "1" and s.process.wait(timeout=60) == 0)

# ---- a socket that is wrong
open(f"{D}/file", "w", encoding="utf-8").close()
os.chdir(D)
relative = Supervisor("relative")  # a place that depends on where we are is none
for name in (f"{D}/nobody", f"{D}/file", "relative", "/", "@", "/" + 200 * "x", "vsock:2:1", "/no/such/folder/socket"):
    door = local()
    s = Daemon("serve", web, *identity, sockets=[door], LISTEN_PID="PID", LISTEN_FDS="1", NOTIFY_SOCKET=name, WATCHDOG_USEC="100000")
    served = ask(port_of(door), CA, "/")[0] == 200
    s.kill(signal.SIGHUP)
    reloaded = s.said("event=reload")
    time.sleep(0.3)  # a few times of the watchdog
    good = served and reloaded and s.log().count("level=warn") == 1 and "NOTIFY_SOCKET" in s.log()
    check(f"NOTIFY_SOCKET={name[:30].replace(D, '')}: one warning, and service", good and s.end() == 0, s.log())

# ---- the watchdog
boss = Supervisor(f"{D}/third")
for pid in ("PID", None):
    variables = {"WATCHDOG_PID": pid} if pid else {}
    s = Daemon("serve", web, *identity, sockets=[local()], LISTEN_PID="PID", LISTEN_FDS="1", NOTIFY_SOCKET=boss.name, WATCHDOG_USEC="100000", **variables)
    boss.hear()
    started, said = time.monotonic(), [boss.hear() for _ in range(5)]
    check(f"WATCHDOG_PID={pid}: WATCHDOG=1 again and again", said == 5 * [{"WATCHDOG": "1"}], said)
    check("and not more often than twice in the time", time.monotonic() - started > 0.15)
    s.end()
    boss.heard()
for variables in ({"WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"}, {}):
    s = Daemon("serve", web, *identity, sockets=[local()], LISTEN_PID="PID", LISTEN_FDS="1", NOTIFY_SOCKET=boss.name, **variables)
    boss.hear()
    time.sleep(0.5)
    s.kill(signal.SIGTERM)
    check(f"no watchdog for us ({variables}): no WATCHDOG=1", boss.hear().get("STOPPING") == "1")
    s.process.wait(timeout=60)
for usec in ("soon", "0", "-5", "1999", "", "99999999999999999999999"):
    s = Daemon("serve", web, *identity, sockets=[local()], LISTEN_PID="PID", LISTEN_FDS="1", NOTIFY_SOCKET=boss.name, WATCHDOG_USEC=usec)
    check(f"WATCHDOG_USEC={usec!r}: one warning, and service", boss.hear()["READY"] == "1" and s.end() == 0 and
          boss.hear().get("STOPPING") == "1" and s.log().count("level=warn") == 1 and "WATCHDOG_USEC" in s.log(), s.log())

# ---- sockets that are passed
door, path = local(), f"{D}/door"
door.setblocking(True)
gate = socket.socket(socket.AF_UNIX)
gate.bind(path)
gate.listen()
early = socket.create_connection(door.getsockname(), timeout=60)  # comes before there is a server
s = Daemon("serve", web, *identity, "--port-file", f"{D}/port", sockets=[gate, door], LISTEN_PID="PID", LISTEN_FDS="2", LISTEN_FDNAMES="gate:door")
check("two sockets, TCP and unix", s.said(f"address=127.0.0.1:{port_of(door)} port={port_of(door)} name=door", 60) and
      s.said(f"address=unix:{path} port=0 name=gate"), s.log())
check("TCP is served", ask(port_of(door), CA, "/")[2] == b"<h1>home</h1>")
r = subprocess.run([TROTH, "connect", "--ca", CA, "--sni", "localhost", f"unix:{path}"], input="GET / HTTP/1.0\r\n\r\n", capture_output=True,
                   text=True, timeout=60, check=False)
check("unix is served", r.returncode == 0 and "<h1>home</h1>" in r.stdout, r.stderr)
check("who came before it started is served", page_over(early))
check("--port-file", open(f"{D}/port", encoding="utf-8").read() == f"{port_of(door)}\n")
flags = [int(open(f"/proc/{s.process.pid}/fdinfo/{fd}", encoding="utf-8").read().split("flags:")[1].split()[0], 8) for fd in (3, 4)]
check("they do not block, and are for nobody else", all(f & os.O_NONBLOCK and f & os.O_CLOEXEC for f in flags), [oct(f) for f in flags])
s.kill(signal.SIGUSR2)
check("USR2 tells both, by name", s.said("event=state-identity") and len([line for line in s.log().splitlines() if "event=state-listener" in line and "name=" in line]) == 2, s.log())
check("at the end the file of the unix socket stays: it is not ours", s.end() == 0 and os.path.exists(path))
waiting = socket.create_connection(door.getsockname(), timeout=60)
s = Daemon("serve", web, *identity, sockets=[door], LISTEN_PID="PID", LISTEN_FDS="1")
check("between one server and the next nobody is turned away", page_over(waiting))
s.end()
six, gate = socket.create_server(("::1", 0), family=socket.AF_INET6), socket.socket(socket.AF_UNIX)
gate.bind(f"\0troth-gate-{os.getpid()}")
gate.listen()
s = Daemon("proxy", "--wrap", "localhost:1", "--ca", CA, sockets=[six, gate], LISTEN_PID="PID", LISTEN_FDS="2")
check("proxy: IPv6, and a unix socket without a file", s.said(f"address=[::1]:{port_of(six)}", 60) and s.said(f"address=unix:@troth-gate-{os.getpid()}"), s.log())
with contextlib.suppress(ConnectionResetError):  # nobody is behind it, so that it may have ended before we know that it began
    visitor = socket.create_connection(six.getsockname()[:2], timeout=60)
check("and takes connections", s.said("event=connection", 60), s.log())
s.end()
for variables in ({"LISTEN_PID": "1", "LISTEN_FDS": "1"}, {"LISTEN_FDS": "1"}, {"LISTEN_PID": "PID", "LISTEN_FDS": "0"}, {"LISTEN_PID": "PID"}):
    s = Daemon("serve", web, *identity, "--listen", "127.0.0.1:0", sockets=[door], **variables)
    check(f"not for us: {variables}", s.said("event=listening address=127.0.0.1:0", 60), s.log())
    s.end()

# ---- and what is none
plain, datagram, (one, other) = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socketpair()
datagram.bind(("127.0.0.1", 0))
reader, writer = os.pipe()
for what, things, words in (("a datagram socket", [datagram], ["fd 3", "datagram"]), ("that does not listen", [plain], ["fd 3", "does not listen"]),
                            ("a connection", [one], ["fd 3", "does not listen"]), ("a file", [open(CERT, "rb")], ["fd 3", "a file"]),
                            ("a pipe", [os.fdopen(reader)], ["fd 3", "a pipe"]), ("the second one", [door, datagram], ["fd 4 of LISTEN_FDS (two) is", "datagram"]),
                            ("netlink", [socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)], ["fd 3", "IP"])):
    s = Daemon("serve", web, *identity, sockets=things, LISTEN_PID="PID", LISTEN_FDS=str(len(things)), LISTEN_FDNAMES="one:two")
    check("refused: " + what, s.failed(*words) if len(things) > 1 else s.failed("one", *words), s.log())
s = Daemon("serve", web, *identity, sockets=[door], LISTEN_PID="PID", LISTEN_FDS="2")
check("refused: one fewer than was said", s.failed("fd 4", "not open"), s.log())
for count in ("17", "two", "-1", "1x"):
    s = Daemon("serve", web, *identity, sockets=[door], LISTEN_PID="PID", LISTEN_FDS=count)
    check(f"refused: LISTEN_FDS={count}", s.failed("LISTEN_FDS", count), s.log())
s = Daemon("serve", web, *identity, "--listen", "127.0.0.1:0", sockets=[door], LISTEN_PID="PID", LISTEN_FDS="1")
check("refused: --listen as well", s.failed("--listen", "LISTEN_FDS"), s.log())
finish()
