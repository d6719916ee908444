"""ctest: slow serial timeout=300
troth serve holds 2000 connections at once, answers on each of them, and refuses more than --max-connections."""
import os
import resource
import select
import socket
import ssl
import time

from serving import D, Server, ask, authority, check, finish

N = 2000
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
if hard != resource.RLIM_INFINITY and hard < N + 200:
    print(f"only {hard} open files here")
    raise SystemExit(77)
resource.setrlimit(resource.RLIMIT_NOFILE, (N + 200, hard))
authority()
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"
os.makedirs(f"{D}/web")
with open(f"{D}/web/index.html", "wb") as f:
    f.write(b"here" * 100)
s = Server(f"{D}/web", "--timeout", "100", cert=CERT, key=KEY)
context = ssl.create_default_context(cafile=CA)
start, held = time.time(), []
for _ in range(N):
    held.append(context.wrap_socket(socket.create_connection(("127.0.0.1", s.port), timeout=20), server_hostname="localhost"))
print(f"{N} handshakes in {time.time() - start:.1f} s")
check(f"{N} connections at once", len(held) == N)
with open(f"/proc/{s.process.pid}/status", encoding="utf-8") as f:
    print("server:", next(line for line in f if line.startswith("VmRSS")).strip())
start = time.time()
for c in held:
    c.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
good = 0
for c in held:
    answer = b""
    while b"\r\n\r\n" not in answer or len(answer.split(b"\r\n\r\n", 1)[1]) < 400:
        more = c.recv(65536)
        if not more:
            break
        answer += more
    good += answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"here" * 100)
check("each is answered", good == N, good)
print(f"{good} answers in {time.time() - start:.1f} s")
for c in held:
    c.close()
check("and more after them", ask(s.port, CA, "/")[0] == 200)
check("ends in order", s.end() == 0, s.log()[-800:])

few = Server(f"{D}/web", "--max-connections", "3", "--timeout", "100", cert=CERT, key=KEY)
held = [context.wrap_socket(socket.create_connection(("127.0.0.1", few.port), timeout=20), server_hostname="localhost") for _ in range(3)]
check("being full is logged", few.said("serve.full"), few.log())
waiting = socket.create_connection(("127.0.0.1", few.port), timeout=5)
waiting.sendall(b"\x16")
check("the next one waits", not select.select([waiting], [], [], 0.5)[0])
waiting.close()
held.pop().close()
held.pop().close()
check("and is served once others have gone", ask(few.port, CA, "/")[0] == 200)
check("ends in order", few.end() == 0, few.log()[-800:])
one = Server(f"{D}/web", "--max-connections", "1", cert=CERT, key=KEY)
check("one at a time", [ask(one.port, CA, "/")[0] for _ in range(3)] == [200] * 3, one.log()[-800:])
check("ends in order", one.end() == 0, one.log()[-800:])
finish()
