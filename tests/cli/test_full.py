"""ctest: slow timeout=120
No room on the disk, and files that are pipes: nothing is left half written, the log stays a log, and what can be read is read."""
import json
import os
import resource
import signal
import socket
import subprocess

import serving
from serving import D, TROTH, Server, authority, check, finish, home_page, refused, run

authority()
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"
web = home_page()
LITTLE = 300  # no file may be larger: as on a disk that is full


def little():
    resource.setrlimit(resource.RLIMIT_FSIZE, (LITTLE, LITTLE))


# ---- recordings
real, failures = subprocess.Popen, f"{D}/failures"
pipe, log_end = os.pipe()


def small(command, **k):
    return real(command, **{**k, "stderr": log_end}, preexec_fn=little)


serving.subprocess.Popen = small
s = Server(web, "--log", "json", "--record", failures, cert=CERT, key=KEY)
serving.subprocess.Popen = real
os.close(log_end)
with socket.create_connection(("127.0.0.1", s.port), timeout=10) as c:
    c.sendall(b"GET / HTTP/1.0\r\n\r\n")
    c.recv(100)
check("a server that cannot keep a recording goes on, and ends in order", s.end() == 0)
with os.fdopen(pipe, encoding="utf-8") as f:
    lines = [json.loads(line) for line in f]
told = [line for line in lines if line.get("code") == "serve.record"]
check("and its log, which is JSON to the last line, tells", len(told) == 1 and "File too large" in told[0]["saw"] and told[0]["level"] == "error", lines)
check("of the recording nothing is left", os.listdir(failures) == [], os.listdir(failures))
record = f"{D}/record.troth"
with open(record, "w", encoding="utf-8") as f:
    f.write("the one before")
os.chmod(record, 0o644)
r = subprocess.run([TROTH, "connect", "--record", record, "localhost:1"], stdin=subprocess.DEVNULL, capture_output=True, text=True, preexec_fn=little, check=False)
with open(record, encoding="utf-8") as f:
    check("a recording that cannot be written leaves the one before", "File too large" in r.stderr and f.read() == "the one before", r.stderr)
run("connect", "--record", record, "localhost:1", status=3)
check("and one that can is for its owner alone", os.stat(record).st_mode & 0o777 == 0o600 and os.path.getsize(record) > LITTLE)
os.symlink(f"{D}/elsewhere", f"{D}/link.troth")
r = run("connect", "--record", f"{D}/link.troth", "localhost:1", status=3)
check("a link is not followed", "link.troth" in r.stderr and not os.path.exists(f"{D}/elsewhere"), r.stderr)

# ---- the port is there whole, or not at all
place = f"{D}/port"
with open(place, "w", encoding="utf-8") as f:
    f.write("1\n")
os.link(place, place + ".before")
p = subprocess.Popen([TROTH, "serve", web, "-q", "--listen", "127.0.0.1:0", "--port-file", place, "--cert", CERT, "--key", KEY], stdin=subprocess.DEVNULL)
for _ in range(200):
    with open(place, encoding="utf-8") as f:
        text = f.read()
    if text != "1\n":
        break
    signal.sigtimedwait([], 0.05)
p.terminate()
with open(place + ".before", encoding="utf-8") as f:
    check("--port-file puts a whole file in the place of the one before", text.strip().isdigit() and text.endswith("\n") and f.read() == "1\n", text)
check("ends in order", p.wait(timeout=20) == 0)

# ---- explain: files that are none, folders, nothing
with open(CERT, "rb") as f:
    r = subprocess.run([TROTH, "explain", "/dev/stdin"], stdin=f, capture_output=True, text=True, check=False)
check("a file by another name", r.returncode == 0 and "localhost" in r.stdout, (r.returncode, r.stderr))
r = subprocess.run(["bash", "-c", 'exec "$0" explain <(cat "$1")', TROTH, CERT], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
check("a pipe", r.returncode == 0 and "localhost" in r.stdout, (r.returncode, r.stderr))
with open(f"{D}/empty", "w", encoding="utf-8"):
    pass
refused(["empty"], "explain", f"{D}/empty", status=8)
refused(["empty"], "explain", "--pcap", f"{D}/empty", status=8)
refused(["directory"], "explain", f"{D}/web", status=8)
refused([f"{web}/index.html", "capture"], "explain", "--pcap", f"{web}/index.html", status=8)
finish()
