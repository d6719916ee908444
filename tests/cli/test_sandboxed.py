"""The sandbox of serve and proxy: it is on unless somebody says otherwise; all that a service does goes on in it; what lies elsewhere is refused
with a message that says so; and where a kernel or a container forbids it, the service warns once and serves.
ctest: slow"""
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import threading

from serving import D, TROTH, Server, ask, authority, check, finish, home_page, keeper_of, run, tls
from supervising import local, port_of

authority()
CA, web = f"{D}/ca.pem", home_page()
for folder in ("keys", "archive", "elsewhere", "logs", "sockets"):
    os.mkdir(f"{D}/{folder}")
for place in ("keys", "archive", "elsewhere"):
    shutil.copy(f"{D}/localhost.pem", f"{D}/{place}/cert.pem")
    shutil.copy(f"{D}/localhost-key.pem", f"{D}/{place}/key.pem")
CERT, KEY, CONFIG = f"{D}/keys/cert.pem", f"{D}/keys/key.pem", f"{D}/keys/serve.yaml"
open(f"{D}/secret.txt", "w", encoding="utf-8").write("secret")
os.symlink(f"{D}/secret.txt", f"{web}/out.txt")
could = run("serve", web, "--cert", CERT, "--key", KEY, "--check-config").stdout
landlock, filtered = int((re.search(r"Landlock (\d+)", could) or [0, 0])[1]), "system calls filtered" in could
check("--check-config says what there would be", could.count("\n") == 2 and "sandbox: " in could, could)
check("--check-config: and that there would be none",
      "sandbox: off (--no-sandbox)" in run("serve", web, "--cert", CERT, "--key", KEY, "--check-config", "--no-sandbox").stdout)
if not landlock and not filtered:
    print("nothing is confined on this machine: " + could)


def state_of(s):
    return dict(re.findall(r"^(NoNewPrivs|Seccomp):\s*(\d)", open(f"/proc/{s.process.pid}/status", encoding="utf-8").read(), re.M))


def lines(s, event):
    return [line for line in s.log().split("\n") if re.search(rf" event={event}[ =]", line)]


def reload(s, how):
    """One more reload; how it went."""
    n = len(lines(s, "reload result"))
    s.kill(signal.SIGHUP)
    for _ in range(1200):
        if len(lines(s, "reload result")) > n:
            break
        threading.Event().wait(0.05)
    return how in lines(s, "reload result")[-1]


def tell(s):
    s.kill(signal.SIGUSR2)
    return s.said("event=state-sandbox ", 30) and lines(s, "state-sandbox")[-1]


def configure(**settings):
    """In its place at once, as every program should write it."""
    with open(CONFIG + "~", "w", encoding="utf-8") as f:
        f.writelines(f"{k.replace('_', '-')}: {v}\n" for k, v in settings.items())
    os.rename(CONFIG + "~", CONFIG)


def renew(folder):
    for name in ("cert.pem", "key.pem"):
        shutil.copy(f"{folder}/{name}", f"{folder}/{name}~")
        os.rename(f"{folder}/{name}~", f"{folder}/{name}")


# ---- on, and said once; what a service does goes on
configure(cert="cert.pem", key="key.pem")
s = Server(web, "--config", CONFIG, "--keylog", f"{D}/logs/keys", "--record", f"{D}/failures", "--record-keep", "1", "--metrics", f"unix:{D}/sockets/metrics")
check("one line says what is confined", s.said(" event=sandbox ") and len(lines(s, "sandbox")) == 1, s.log())
if landlock and filtered:
    check("no more privileges, system calls filtered", state_of(s) == {"NoNewPrivs": "1", "Seccomp": "2"}, state_of(s))
    check("all of it", "level=info" in lines(s, "sandbox")[0] and "files=confined" in s.log() and "calls=filtered" in s.log(), s.log())
check("a page", ask(s.port, CA, "/")[2] == b"<h1>home</h1>")
check("a link out of the folder leads nowhere", ask(s.port, CA, "/out.txt")[0] in (403, 404))
for _ in range(2):
    run("connect", "--ca", "system", f"localhost:{s.port}", status=5)
check("a recording, and the one before is removed", s.said("event=recording ", 30) and len(os.listdir(f"{D}/failures")) == 1, s.log())
os.rename(f"{D}/logs/keys", f"{D}/logs/keys.1")
ask(s.port, CA, "/")
check("a key log that was moved away is begun again", os.path.getsize(f"{D}/logs/keys") > 0)
with socket.socket(socket.AF_UNIX) as c:
    c.connect(f"{D}/sockets/metrics")
    c.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
    page = b"".join(iter(lambda: c.recv(65536), b"")).decode()
check("metrics, of the process as well", re.search(r"^process_open_fds [1-9]", page, re.M) and re.search(r"^process_resident_memory_bytes [1-9]", page, re.M), page)

check("a key beside what the front reads is told", "event=keys " in s.log() and f"saw={D}/keys/key.pem " in s.log(), s.log())

# ---- what is read again
renew(f"{D}/keys")
check("files that were replaced are read", reload(s, "result=ok"), s.log())
configure(cert=f"{D}/elsewhere/cert.pem", key=f"{D}/elsewhere/key.pem")
if landlock:
    check("files elsewhere: the old configuration stays", reload(s, "kept the old configuration"), s.log())
    why = lines(s, "reload result")[-1]
    check("and the message says why, where, and what to do",
          f"{CONFIG}:1: " in why and "--cert" in why and f"{D}/elsewhere/cert.pem lies where the sandbox does not reach" in why and "restart" in why, why)
check("it serves on", ask(s.port, CA, "/")[0] == 200)
configure(cert="cert.pem", key="key.pem", no_sandbox="true")
check("no way out by a reload", reload(s, "result=ok") and 'option=no-sandbox what="stays as it was' in s.log(), s.log())
told = tell(s)
check("USR2 says what is confined", told and "level=notice" in told, told)
if landlock:
    check("and which folders are left", f"{web}," in told and f"writes={D}/logs,{D}/failures " in told and f"{D}/elsewhere" not in told, told)
check("its end is in order, its sockets are gone", s.end() == 0 and not os.listdir(f"{D}/sockets"), s.log())


# ---- keys in a folder of their own
os.mkdir(f"{D}/vault")
for name in ("cert.pem", "key.pem"):
    shutil.copy(f"{D}/keys/{name}", f"{D}/vault/{name}")
s = Server(web, "--no-config", cert=f"{D}/vault/cert.pem", key=f"{D}/vault/key.pem")
told = tell(s)
if landlock:
    check("the front does not reach them", told and f"{D}/vault" not in told and "event=keys " not in s.log(), s.log())
if filtered:
    state = open(f"/proc/{keeper_of(s.process.pid)}/status", encoding="utf-8").read()
    check("the keeper is confined as well", re.search(r"^Seccomp:\s2$", state, re.M) and re.search(r"^NoNewPrivs:\s1$", state, re.M), state)
renew(f"{D}/vault")
check("and reads what was replaced", reload(s, "result=ok") and ask(s.port, CA, "/")[0] == 200, s.log())
check("ends in order", s.end() == 0, s.log())

# ---- links, as certbot makes them: the next file is another one in the same folder
os.mkdir(f"{D}/live")
for name in ("cert.pem", "key.pem"):
    os.symlink(f"../archive/{name}", f"{D}/live/{name}")
s = Server(web, "--listen", f"unix:{D}/sockets/here", cert=f"{D}/live/cert.pem", key=f"{D}/live/key.pem")
for name in ("cert.pem", "key.pem"):
    shutil.copy(f"{D}/archive/{name}", f"{D}/archive/2{name}")
    os.symlink(f"../archive/2{name}", f"{D}/live/{name}~")
    os.rename(f"{D}/live/{name}~", f"{D}/live/{name}")
check("links that lead to the next file", reload(s, "result=ok"), s.log())
for name in ("cert.pem", "key.pem"):
    os.remove(f"{D}/live/{name}")
    os.symlink(f"../elsewhere/{name}", f"{D}/live/{name}")
if landlock:
    check("links that lead elsewhere", reload(s, "kept the old configuration") and "the sandbox does not reach" in s.log(), s.log())
check("the end", s.end() == 0 and not os.listdir(f"{D}/sockets"), s.log())

# ---- off
for args in (["--no-sandbox"], ["--config", CONFIG]):
    s = Server(web, *args, cert=CERT, key=KEY)
    check(f"off: {args[0]}", s.said('event=sandbox what="off (--no-sandbox)"') and state_of(s) == {"NoNewPrivs": "0", "Seccomp": "0"}, s.log())
    s.end()
configure(cert="cert.pem", key="key.pem")

# ---- proxy
os.mkdir(f"{D}/roots")
os.symlink(CA, f"{D}/roots/ca.pem")
backend = local()
s = Server("--backend", f"localhost:{port_of(backend)}", verb="proxy", cert=CERT, key=KEY)
with tls(s.port, CA) as c:
    behind = backend.accept()[0]
    behind.sendall(b"plain")
    check("proxy: connects to its backend", c.recv(5) == b"plain", s.log())
check("proxy: to that port alone", f"ports={port_of(backend)}" in tell(s) if landlock else True, s.log())
check("proxy: its backend is looked up again", reload(s, "result=ok") and "resolver" not in s.log() and " why=" not in s.log() and " saw=" not in lines(s, "reload result")[-1],
      s.log())
s.end(signal.SIGQUIT)
front = Server(web, cert=CERT, key=KEY)
s = Server("--wrap", "localhost", "--backend", f"127.0.0.1:{front.port}", "--ca", f"{D}/roots", verb="proxy")
check("proxy: a folder of links is read again", reload(s, "result=ok"), s.log())
with socket.create_connection(("127.0.0.1", s.port), timeout=30) as c:
    c.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    check("proxy: to a server behind", b"<h1>home</h1>" in b"".join(iter(lambda: c.recv(65536), b"")), s.log())
s.end()
front.end()

# ---- where it is forbidden (a filter around us), it is said once, and nothing else changes
lib = ctypes.CDLL("libseccomp.so.2") if filtered else None


def forbid(*names):
    """To be called in the process that becomes the service: those calls fail there as in a container."""
    lib.seccomp_init.restype = ctypes.c_void_p
    f = ctypes.c_void_p(lib.seccomp_init(0x7fff0000))  # all others are let through
    for name in names:
        lib.seccomp_rule_add_array(f, 0x00050000 | 1, lib.seccomp_syscall_resolve_name(name.encode()), 0, None)  # EPERM
    assert not lib.seccomp_load(f)


class Contained(Server):
    def __init__(self, *names):
        plain = subprocess.Popen
        try:
            subprocess.Popen = lambda *a, **more: plain(*a, **more, preexec_fn=lambda: forbid(*names))
            super().__init__(web, cert=CERT, key=KEY)
        finally:
            subprocess.Popen = plain


if filtered:
    s = Contained("landlock_create_ruleset")
    check("without Landlock: a warning, once", s.said("event=sandbox ") and len(lines(s, "sandbox")) == 1 and "level=warn" in lines(s, "sandbox")[0] and
          "code=serve.sandbox" in s.log() and "calls=filtered" in s.log() and 'files="not confined: something around us refuses Landlock' in s.log(), s.log())
    check("without Landlock: it serves", ask(s.port, CA, "/")[0] == 200 and reload(s, "result=ok") and s.end() == 0, s.log())
    s = Contained("landlock_restrict_self", "seccomp")
    check("without both: a warning, once", s.said("event=sandbox ") and len(lines(s, "sandbox")) == 1 and "files=confined" not in s.log(), s.log())
    check("without both: it serves", ask(s.port, CA, "/")[0] == 200 and s.end() == 0, s.log())

# ---- nothing that a service does is refused: seen from outside
if filtered and shutil.which("strace"):
    trace, port_file = f"{D}/trace", f"{D}/traced-port"
    words = ["strace", "-f", "-o", trace, TROTH, "serve", web, "--cert", CERT, "--key", KEY, "--listen", "127.0.0.1:0", "--port-file", port_file, "-v"]
    with open(f"{D}/traced.log", "w", encoding="utf-8") as log:
        p = subprocess.Popen(words, stderr=log, stdin=subprocess.DEVNULL, env=os.environ | {"ASAN_OPTIONS": "detect_leaks=0"})
    for _ in range(1200):
        if p.poll() is not None or "event=sandbox" in open(f"{D}/traced.log", encoding="utf-8").read():
            break
        threading.Event().wait(0.05)
    if p.poll() is None:
        port, child = int(open(port_file, encoding="utf-8").read()), int(open(trace, encoding="utf-8").read().split()[0])
        ask(port, CA, "/")
        ask(port, CA, "/nothing")
        os.kill(child, signal.SIGHUP)
        ask(port, CA, "/")
        os.kill(child, signal.SIGTERM)
        p.wait(timeout=60)
        seen = open(trace, encoding="utf-8").read()
        seen = seen[seen.index("SECCOMP_SET_MODE_FILTER"):]
        refused = [line for line in seen.split("\n")[1:] if re.search(r"= -1 (EPERM|ENOSYS|EACCES)", line) and KEY not in line]  # it looks, to tell
        check("no call of a service's life is refused", not refused and "exited with 0" in seen and "accept4" in seen, refused)
    else:
        print("strace cannot trace here: " + open(f"{D}/traced.log", encoding="utf-8").read()[-300:])
finish()
