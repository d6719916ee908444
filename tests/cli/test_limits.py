"""ctest: slow timeout=300
Files run out for `troth serve` and `troth proxy`: fewer connections instead of a loop that spins and a log that fills the disk."""
import os
import resource
import socket
import subprocess
import time

import serving
from serving import D, TROTH, Server, ask, authority, check, finish, home_page, run

authority()
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"
web = home_page()
real = subprocess.Popen


def ticks(server):
    with open(f"/proc/{server.process.pid}/stat", encoding="utf-8") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


serving.subprocess.Popen = lambda *a, **k: real(*a, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (60, 60)), **k)
few = Server(web, "--timeout", "60", cert=CERT, key=KEY)
serving.subprocess.Popen = real
check("too few files are told at the start", "code=serve.files" in few.log() and "60 files" in few.log(), few.log())
knocks = [socket.create_connection(("127.0.0.1", few.port)) for _ in range(50)]
check("and lead to fewer connections", few.said("code=serve.full") and len(os.listdir(f"/proc/{few.process.pid}/fd")) < 58, few.log())
for c in knocks:
    c.close()
check("then others come in", ask(few.port, CA, "/")[0] == 200)
check("ends in order", few.end() == 0, few.log()[-800:])

for verb, args in (("serve", (web,)), ("proxy", ("--backend", "127.0.0.1:9"))):
    s = Server(*args, "--timeout", "60", verb=verb, cert=CERT, key=KEY)
    soft = len(os.listdir(f"/proc/{s.process.pid}/fd")) + 3
    before = resource.prlimit(s.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(s.process.pid, resource.RLIMIT_NOFILE, (soft, before[1]))  # as when the whole machine has none left
    knocks = [socket.create_connection(("127.0.0.1", s.port)) for _ in range(50)]
    check(f"{verb}: no file for who knocks is told", s.said("code=serve.accept"), s.log()[-300:])
    began, log = ticks(s), len(s.log())
    time.sleep(3)
    check(f"{verb}: and waited for, asleep and in silence", ticks(s) - began < 50 and len(s.log()) - log < 1000, (ticks(s) - began, len(s.log()) - log))
    resource.prlimit(s.process.pid, resource.RLIMIT_NOFILE, before)
    for c in knocks:
        c.close()
    if verb == "serve":
        check("serve: then others come in", ask(s.port, CA, "/")[0] == 200)
    check(f"{verb}: ends in order", s.end() == 0, s.log()[-800:])
finish()
