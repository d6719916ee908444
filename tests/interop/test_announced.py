"""PROXY headers between troth and others: HAProxy sends them to troth serve, HAProxy and nginx read those of troth proxy.
ctest: label=interop slow timeout=300"""
import os
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from serving import D, Server, authority, check, finish, home_page, run, tls  # noqa: E402

NGINX, HAPROXY = "/usr/sbin/nginx", "/usr/sbin/haproxy"
if not (os.path.exists(NGINX) and os.path.exists(HAPROXY)):
    print("no nginx or no HAProxy here")
    sys.exit(77)
authority()
run("ca", "issue", "me", "--client", "--out", D)
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"
web = home_page()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


class Other:
    def __init__(self, port, text, *command):
        self.port, name = port, f"{D}/other-{port}"
        with open(name, "w", encoding="ascii") as f:
            f.write(text)
        self.log = open(name + ".log", "w", encoding="utf-8")
        self.process = subprocess.Popen([*command, name], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except ConnectionRefusedError:
                assert self.process.poll() is None, open(name + ".log", encoding="utf-8").read()
                time.sleep(0.05)

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=20)


START = "global\n maxconn 64\n nbthread 1\ndefaults\n timeout client 10s\n timeout server 10s\n timeout connect 5s\n retries 0\n"


def haproxy(text, port):
    return Other(port, START + text, HAPROXY, "-db", "-f")


def nginx(text, port):
    return Other(port, f"""daemon off; master_process off; worker_processes 1; pid {D}/nginx-{port}.pid; error_log stderr info;
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path {D}/n1; proxy_temp_path {D}/n2; fastcgi_temp_path {D}/n3; uwsgi_temp_path {D}/n4; scgi_temp_path {D}/n5;
{text} }}
""", NGINX, "-c")


def fetch(port, **options):
    """Our port, and what was answered to a request over TLS; a session for the next."""
    with tls(port, CA, **options) as c:
        c.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return c.getsockname()[1], b"".join(iter(lambda: c.recv(4096), b"")).partition(b"\r\n\r\n")[2].decode()


# ---- HAProxy in front of us: TLS passes through it
s = Server(web, "-v", "--accept-proxy", "127.0.0.1", cert=CERT, key=KEY)
for how in ("send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id", "send-proxy-v2 proxy-v2-options authority,crc32c"):
    front = free_port()
    h = haproxy(f"frontend f\n mode tcp\n unique-id-format %ci\n bind 127.0.0.1:{front}\n default_backend b\nbackend b\n mode tcp\n"
                f" server s 127.0.0.1:{s.port} {how} check inter 100\n", front)
    me, body = fetch(front)
    check(f"HAProxy {how} to serve", body == "<h1>home</h1>" and s.said(f"peer=127.0.0.1:{me} "), (body, s.log()[-600:]))
    h.end()
with open(f"{D}/both", "w", encoding="ascii") as both:
    for name in (CERT, KEY):
        with open(name, encoding="ascii") as part:
            both.write(part.read())
front = free_port()
h = haproxy(f"frontend f\n mode tcp\n bind 127.0.0.1:{front} ssl crt {D}/both ca-file {CA} verify optional\n default_backend b\nbackend b\n mode tcp\n"
            f" server s 127.0.0.1:{s.port} ssl verify required ca-file {CA} verifyhost localhost send-proxy-v2-ssl-cn proxy-v2-options crc32c,ssl,cert-cn,cert-key,cert-sig,ssl-cipher\n", front)
me, body = fetch(front)
check("HAProxy with all it says of TLS to serve", body == "<h1>home</h1>" and s.said(f"peer=127.0.0.1:{me} "), (body, s.log()[-600:]))
h.end()
check("its health checks (LOCAL) are no failures", "level=warn" not in s.log() and "level=error" not in s.log(), [x for x in s.log().split("\n") if "level=info" not in x])
s.end()

# ---- we in front of HAProxy
for how in ("v1", "v2"):
    back = free_port()
    h = haproxy(f"frontend f\n mode http\n bind 127.0.0.1:{back} accept-proxy\n http-request return status 200 content-type text/plain lf-string "
                "\"%[src] %[src_port] [%[fc_pp_authority]] [%[fc_pp_unique_id]]\"\n", back)
    p = Server("-v", "--backend", f"127.0.0.1:{back}", "--send-proxy", how, verb="proxy", cert=CERT, key=KEY)
    me, body = fetch(p.port)
    words = body.split()
    sound = words[:2] == ["127.0.0.1", str(me)]
    if how == "v2":  # it verifies our checksum, or takes nothing
        sound = sound and words[2] == "[localhost]" and p.said("hs=" + words[3].strip("[]"))
    check(f"proxy {how} to HAProxy", sound, (body, p.log()[-600:]))
    p.end()
    h.end()

# ---- we in front of nginx, in the clear and with TLS
for how in ("v1", "v2"):
    back, secure = free_port(), free_port()
    n = nginx(f"server {{ listen 127.0.0.1:{back} proxy_protocol; listen 127.0.0.1:{secure} ssl proxy_protocol; ssl_certificate {CERT};"
              f" ssl_certificate_key {KEY}; return 200 '$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_port'; }}", back)
    p = Server("--backend", f"127.0.0.1:{back}", "--send-proxy", how, verb="proxy", cert=CERT, key=KEY)
    me, body = fetch(p.port)
    check(f"proxy {how} to nginx", body.split()[:3] == ["127.0.0.1", str(me), str(p.port)], (body, p.log()[-600:]))
    p.end()
    p = Server("--wrap", f"localhost:{secure}", "--ca", CA, "--send-proxy", how, verb="proxy")
    with socket.create_connection(("127.0.0.1", p.port), timeout=20) as c:
        c.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        body = b"".join(iter(lambda: c.recv(4096), b"")).partition(b"\r\n\r\n")[2].decode()
        check(f"proxy --wrap {how} to nginx, in front of its TLS", body.split()[:2] == ["127.0.0.1", str(c.getsockname()[1])], (body, p.log()[-600:]))
    p.end()
    n.end()
finish()
