"""--metrics of serve and proxy: both formats to the letter (exposition.py), what is counted, bounds of the listener, /healthz.
ctest: timeout=400"""
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import time

import exposition
from serving import D, TROTH, Server, ask, authority, check, finish, home_page, refused, run, tls

authority()
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"
odd = f'{D}/a"b\\c\nd\xe9.pem'.encode("latin-1")  # the é is no UTF-8
shutil.copyfile(CERT, odd)
web = home_page()
PROMETHEUS = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"


def place(server):
    assert server.said("event=metrics"), server.log()
    return int(re.search(r"event=metrics .*port=(\d+)", server.log())[1])


def raw(where, data, timeout=20):
    s = socket.create_connection(("127.0.0.1", where), timeout=timeout) if isinstance(where, int) else socket.socket(socket.AF_UNIX)
    with s:
        if not isinstance(where, int):
            s.connect(where)
        s.sendall(data)
        answer = b""
        try:
            while more := s.recv(65536):
                answer += more
        except ConnectionError:
            pass
        return answer


def get(where, path="/metrics", accept=None, method="GET"):
    """(status, headers, body)"""
    answer = raw(where, f"{method} {path} HTTP/1.1\r\nHost: x\r\n{'Accept: ' + accept + chr(13) + chr(10) if accept else ''}\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {k.lower(): v.strip() for k, _, v in (x.partition(":") for x in lines[1:])}
    assert method == "HEAD" or int(headers["content-length"]) == len(body)
    return int(lines[0].split()[1]), headers, body


def numbers(where, accept=None):
    status, headers, body = get(where, accept=accept)
    assert status == 200
    return exposition.read(body, headers["content-type"].startswith("application/openmetrics-text; version=1.0.0"))[0]


def total(samples, name, **labels):
    return sum(v for (n, have), v in samples.items() if n == name and all(dict(have).get(k) == x for k, x in labels.items()))


s = Server(web, "--metrics", "127.0.0.1:0", cert=os.fsdecode(odd), key=KEY)
at = place(s)
for accept, kind in ((None, "text/plain; version=0.0.4"), ("*/*", "text/plain; version=0.0.4"), (PROMETHEUS, "application/openmetrics-text; version=1.0.0"),
                     ("text/plain;q=0.5, application/openmetrics-text; q=0.4", "text/plain; version=0.0.4"), ("Application/OpenMetrics-Text", "application/openmetrics"),
                     ("application/openmetrics-text;q=0", "text/plain; version=0.0.4"), ("application/openmetrics-textual", "text/plain; version=0.0.4"),
                     ("," * 3000 + ";;q=", "text/plain; version=0.0.4")):
    status, headers, body = get(at, accept=accept)
    samples, types = exposition.read(body, "openmetrics" in headers["content-type"])
    check(f"Accept: {str(accept)[:60]}", status == 200 and headers["content-type"].startswith(kind) and headers["content-type"].endswith("charset=utf-8"), headers)
    check("what a process says of itself", all(f"process_{k}" in "".join(types) for k in ("start_time_seconds", "cpu_seconds", "resident_memory_bytes", "open_fds", "max_fds")) and
          abs(total(samples, "process_open_fds") - len(os.listdir(f"/proc/{s.process.pid}/fd"))) <= 1, samples)
starts = set()
for _ in range(24):  # the second changes under these: a start that moves looks like a restart
    starts.add(total(numbers(at), "process_start_time_seconds"))
    time.sleep(0.05)
check("one start", len(starts) == 1 and abs(starts.pop() - time.time()) < 600, starts)
before = numbers(at)
check("nothing yet", total(before, "troth_handshakes_total") == 0 and total(before, "troth_handshake_seconds_count") == 0 and total(before, "troth_connections") == 0)
check("the build", ("troth_build_info", (("version", run("version").stdout.split()[1]),)) in before, before)
name = os.fsdecode(odd).encode("utf-8", "replace").decode().replace("\udce9", "?")
cert = [(dict(k), v) for (n, k), v in before.items() if n == "troth_certificate_not_after_seconds"]
ends = subprocess.run(["openssl", "x509", "-in", CERT, "-noout", "-enddate", "-dateopt", "iso_8601"], capture_output=True, text=True, check=True).stdout
check("a certificate, its file however odd", len(cert) == 1 and cert[0][0]["pos"] == "0" and cert[0][0]["subject"] == "CN=localhost" and cert[0][0]["file"] == name and
      time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(cert[0][1])) in ends, (cert, ends, name))
for _ in range(3):
    ask(s.port, CA, "/")
with socket.create_connection(("127.0.0.1", s.port)) as c:
    c.sendall(b"GET / HTTP/1.1\r\n\r\n")
    c.recv(100)
run("connect", f"localhost:{s.port}", status=5)
session = f"{D}/session"
for _ in range(2):
    run("connect", "--ca", CA, "--session", session, f"localhost:{s.port}")
run("connect", "--ca", CA, "--max", "1.2", f"localhost:{s.port}")
held = tls(s.port, CA)
time.sleep(0.3)
for accept in (None, PROMETHEUS):
    n = numbers(at, accept)
    ok = total(n, "troth_handshakes_total", result="ok", code="ok")
    check("handshakes that succeeded, by what was agreed", ok == 7 and total(n, "troth_handshakes_total", result="ok", version="TLS 1.2", resumed="no") == 1 and
          total(n, "troth_handshakes_total", resumed="yes", version="TLS 1.3", result="ok") == 1 and
          total(n, "troth_handshakes_total", group="x25519mlkem768") + total(n, "troth_handshakes_total", group="X25519MLKEM768") > 0 and
          total(n, "troth_handshakes_total", cipher="TLS_AES_128_GCM_SHA256") > 0, n)
    check("whether the name is known; of a resumed session nobody looked", total(n, "troth_handshakes_total", result="ok", sni_known="yes") == 6 and
          total(n, "troth_handshakes_total", result="ok", sni_known="", resumed="yes") == 1, [k for k in n if k[0] == "troth_handshakes_total"])
    check("and that failed, by code", total(n, "troth_handshakes_total", result="failed", code="peer.not-tls.http") == 1 and
          total(n, "troth_handshakes_total", result="failed") == 2, [k for k in n if k[0] == "troth_handshakes_total"])
    check("how long they took", total(n, "troth_handshake_seconds_count") == 7 and 0 < total(n, "troth_handshake_seconds_sum") < 60)
    check("connections", total(n, "troth_connections") == 1 and total(n, "troth_accepted_connections_total") == 9 and total(n, "troth_connections_limit") > 1, n)
    check("bytes, both ways", total(n, "troth_bytes_total", dir="in") > 7 * 300 and total(n, "troth_bytes_total", dir="out") > 7 * 700, n)
held.sendall(bytes(10000))
time.sleep(0.2)
check("bytes while the connection is open", total(numbers(at), "troth_bytes_total", dir="in") >= total(n, "troth_bytes_total", dir="in") + 10000)
first = total(numbers(at), "troth_reload_success_timestamp")
check("when it was loaded", abs(first - time.time()) < 120 and abs(total(numbers(at), "troth_ticket_key_age_seconds") - (time.time() - first)) < 5)
s.kill(signal.SIGHUP)
s.said("result=ok")
n = numbers(at)
check("a reload that succeeds", total(n, "troth_reload_success_timestamp") >= first and total(n, "troth_reload_failures_total") == 0)
open(odd, "w", encoding="ascii").close()
s.kill(signal.SIGHUP)
s.said("result=\"kept")
check("one that fails", total(numbers(at), "troth_reload_failures_total") == 1 and len([k for k in numbers(at) if k[0] == "troth_certificate_not_after_seconds"]) == 1)
check("nothing is wrong with the certificate", not [k for k in n if k[0] == "troth_certificate_problem"], n)

# ---- a name that no certificate has; certificates that something is wrong with
run("ca", "issue", "--client", "somebody", "--out", D)
short = f"{D}/short"
os.makedirs(short)
for f in ("ca.pem", "ca-key.pem"):
    shutil.copyfile(f"{D}/{f}", f"{short}/{f}")
run("ca", "issue", "localhost", "--days", "3", "--out", short)
bad = Server(web, "--metrics", "127.0.0.1:0", "--warn-days", "4", "--cert", f"{short}/localhost.pem", "--key", f"{short}/localhost-key.pem",
             "--cert", f"{D}/somebody-client.pem", "--key", f"{D}/somebody-client-key.pem")
run("connect", "--ca", CA, "--sni", "elsewhere.example", f"localhost:{bad.port}")
for accept in (None, PROMETHEUS):
    n = numbers(place(bad), accept)
    check("a name that is not known", total(n, "troth_handshakes_total", sni_known="no") == 1 and total(n, "troth_handshakes_total") == 1, n)
    found = {dict(k)["code"]: v for (m, k), v in n.items() if m == "troth_certificate_problem"}
    check("problems, by their codes", found == {"config.expired-soon": 1, "cert.wrong-eku": 1}, found)
bad.end()

# ---- the listener
check("/healthz", get(at, "/healthz")[::2] == (200, b"200 OK\n"))
check("with a query", get(at, "/metrics?x=1")[0] == 200)
for path in ("/", "/metrics/", "/METRICS", "/healthz/x", "//metrics", "/index.html"):
    check("404: " + path, get(at, path)[0] == 404)
status, headers, body = get(at, method="HEAD")
check("HEAD", status == 200 and not body and int(headers["content-length"]) > 1000)
for method in ("POST", "PUT", "get"):
    status, headers, _ = get(at, method=method)
    check("405: " + method, status == 405 and headers["allow"] == "GET, HEAD")
for what, data, status in (("no HTTP", b"hello\r\n\r\n", 400), ("HTTP/0.9", b"GET /metrics\r\n\r\n", 400), ("a zero byte", b"GET /metrics\0 HTTP/1.1\r\n\r\n", 400),
                           ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400), ("no end", b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 2000, 431),
                           ("a long line", b"GET /" + b"x" * 9000, 431), ("what follows", b"GET /healthz HTTP/1.0\r\n\r\n" + b"GET /metrics HTTP/1.1\r\n\r\n", 200)):
    answer = raw(at, data)
    check("refused: " + what, answer.startswith(f"HTTP/1.1 {status} ".encode()) and answer.count(b"HTTP/1.1 ") == 1, answer[:100])
waiting = [socket.create_connection(("127.0.0.1", at), timeout=20) for _ in range(16)]
time.sleep(0.2)
with socket.create_connection(("127.0.0.1", at), timeout=20) as c:
    check("the seventeenth at once is turned away", c.recv(10) == b"")
for c in waiting[:8]:
    c.close()
time.sleep(0.2)
check("others are served once one has gone", get(at, "/healthz")[0] == 200)
start = time.monotonic()
for i in range(60):  # a byte now and then is no reason to keep it
    try:
        waiting[-1].send(b"G")
        time.sleep(0.25)
    except OSError:
        break
check("and in time everybody has to go", 8 < time.monotonic() - start < 60 and all(c.recv(10) == b"" for c in waiting[8:15]), time.monotonic() - start)
for c in waiting:
    c.close()
n = numbers(at)
s.kill(signal.SIGUSR2)
check("USR2 tells the same", s.said("event=state ") and all(f" {k}={int(v)} " in s.log() for k, v in (
    ("handshakes", total(n, "troth_handshakes_total", result="ok")), ("failed", total(n, "troth_handshakes_total", result="failed")),
    ("accepted", total(n, "troth_accepted_connections_total")), ("received", total(n, "troth_bytes_total", dir="in")),
    ("sent", total(n, "troth_bytes_total", dir="out")))) and "reloads_failed=1" in s.log(), s.log()[-400:])
files = len(os.listdir(f"/proc/{s.process.pid}/fd"))
_, hard = resource.prlimit(s.process.pid, resource.RLIMIT_NOFILE, (files, resource.prlimit(s.process.pid, resource.RLIMIT_NOFILE)[1]))
late = socket.create_connection(("127.0.0.1", at), timeout=20)
late.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
spent = sum(float(x) for x in open(f"/proc/{s.process.pid}/stat", encoding="utf-8").read().rsplit(")", 1)[1].split()[11:13])
time.sleep(1.5)
spent = sum(float(x) for x in open(f"/proc/{s.process.pid}/stat", encoding="utf-8").read().rsplit(")", 1)[1].split()[11:13]) - spent
check("no file for who asks: it waits, without spinning", spent < 50 and "accept()" not in s.log(), (spent, s.log()[-300:]))
resource.prlimit(s.process.pid, resource.RLIMIT_NOFILE, (1000, hard))
check("and is answered in time", late.recv(100).startswith(b"HTTP/1.1 200"))
late.close()
check("meanwhile clients were served", ask(s.port, CA, "/")[0] == 200)
held.close()
held = tls(s.port, CA)
time.sleep(0.2)
s.kill(signal.SIGTERM)
s.said("event=stopping")
check("/healthz while it ends", get(at, "/healthz")[::2] == (503, b"503 Service Unavailable\n"))
check("and /metrics", total(numbers(at), "troth_connections") == 1)
held.close()
check("ends in order", s.process.wait(timeout=20) == 0, s.log()[-500:])

with open(f"{D}/chain.pem", "w", encoding="ascii") as f:
    for name in (CERT, CA):
        f.write(open(name, encoding="ascii").read())
c = Server(web, "--metrics", "127.0.0.1:0", "--cert", f"{D}/chain.pem", "--key", KEY, cert=f"{D}/chain.pem", key=KEY)  # twice: two identities of one file
n = sorted((dict(k)["pos"], dict(k)["subject"]) for (m, k) in numbers(place(c)) if m == "troth_certificate_not_after_seconds")
check("a chain, each certificate once", len(n) == 2 and n[0] == ("0", "CN=localhost") and n[1][0] == "1" and "CN=localhost" != n[1][1], n)
c.kill(signal.SIGUSR2)
check("USR2 tells identities", c.said("event=state-identity") and c.log().count("event=state-identity") == 2, c.log())
c.end()

# ---- proxy, both ways; unix; a ticket key
with open(f"{D}/ticket.key", "wb") as f:
    f.write(os.urandom(48))
os.utime(f"{D}/ticket.key", (time.time() - 5000, time.time() - 5000))
back = socket.create_server(("127.0.0.1", 0))
p = Server("--backend", f"127.0.0.1:{back.getsockname()[1]}", "--metrics", f"unix:{D}/metrics", "--ticket-key", f"{D}/ticket.key", verb="proxy", cert=CERT, key=KEY)
with tls(p.port, CA) as c:
    c.sendall(b"x")
    n = numbers(f"{D}/metrics", PROMETHEUS)
    check("proxy", total(n, "troth_handshakes_total", result="ok") == 1 and total(n, "troth_connections") == 1, n)
    check("the age of the ticket key is its file's", 5000 <= total(n, "troth_ticket_key_age_seconds") < 5200, n)
check("ends in order, and takes its socket along", p.end() == 0 and not os.path.exists(f"{D}/metrics"), p.log())
q = Server("--wrap", f"localhost:{p.port}", "--ca", CA, "--metrics", "127.0.0.1:0", verb="proxy")
raw(q.port, b"x")
n = numbers(place(q))
check("--wrap: no server is there, so there is no handshake", total(n, "troth_handshakes_total") == 0 and not [k for k in n if k[0] == "troth_ticket_key_age_seconds"], n)
q.end()
port = socket.create_server(("127.0.0.1", 0))
free = port.getsockname()[1]
r = subprocess.run([TROTH, "serve", web, "--listen", "127.0.0.1:0", "--metrics", str(free), "--cert", CERT, "--key", KEY], capture_output=True, text=True, timeout=60, check=False)
check("a port alone is of this machine; one that is taken is a message", r.returncode == 3 and f"127.0.0.1:{free}: Address already in use" in r.stderr, r.stderr)
refused(["99999"], "serve", web, "--listen", f"unix:{D}/never", "--cert", CERT, "--key", KEY, "--metrics", "99999", lines=9)
finish()
