"""troth check --for: nginx, HAProxy and Apache are set up badly, the lines that troth names are put in, and the findings are gone.
ctest: label=interop slow timeout=300"""
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

from serving import D, check, finish, openssl_server, refused, run

PROGRAMS = {"nginx": "/usr/sbin/nginx", "haproxy": "/usr/sbin/haproxy", "apache": "/usr/sbin/apache2"}
if not any(shutil.which(p) for p in PROGRAMS.values()):
    print("none of", *PROGRAMS)
    sys.exit(77)
run("ca", "init", "--intermediate", "--out", D)
run("ca", "issue", "site.test", "--key-type", "rsa2048", "--out", D)
CHAIN, KEY, ROOT = (os.path.join(D, name) for name in ("site.test.pem", "site.test-key.pem", "root.pem"))


def read(name):
    with open(name, encoding="ascii") as f:
        return f.read()


def write(name, text):
    with open(f"{D}/{name}", "w", encoding="ascii") as f:
        f.write(text)
    os.chmod(f"{D}/{name}", 0o600)
    return f"{D}/{name}"


LEAF = write("leaf.pem", read(CHAIN).split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n")
FULL, LEAF_FULL = write("full.pem", read(CHAIN) + read(KEY)), write("leaf-full.pem", read(LEAF) + read(KEY))
WEAK = "ALL:eNULL:@SECLEVEL=0"


class Away(http.server.BaseHTTPRequestHandler):
    """What is behind the servers: it leads away from https."""
    def do_HEAD(self):
        self.send_response(301)
        self.send_header("Location", "http://site.test/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


behind = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Away)
threading.Thread(target=behind.serve_forever, daemon=True).start()
BEHIND = f"127.0.0.1:{behind.server_address[1]}"

# Settings that are bad, by section; what a line replaces begins with the same words.
SETTINGS = {
    "nginx": {"": ["listen PORT ssl;", "server_name site.test;", f"ssl_certificate {LEAF};", f"ssl_certificate_key {KEY};",
                   "ssl_protocols TLSv1 TLSv1.1 TLSv1.2;", f"ssl_ciphers {WEAK};", "ssl_ecdh_curve secp384r1;",
                   f"location / {{ proxy_pass http://{BEHIND}; }}", "proxy_redirect off;"]},
    "haproxy": {"global": ["ssl-default-bind-options ssl-min-ver TLSv1.0 ssl-max-ver TLSv1.2", f"ssl-default-bind-ciphers {WEAK}",
                           "ssl-default-bind-curves secp384r1"],
                "frontend": [f"bind PORT ssl crt {LEAF_FULL}", "http-response set-header Server haproxy", "default_backend b"]},
    "apache": {"": ["Protocols http/1.1", f"SSLCertificateFile {LEAF}", f"SSLCertificateKeyFile {KEY}", "SSLProtocol all -TLSv1.3",
                    f"SSLCipherSuite {WEAK}", "SSLOpenSSLConfCmd Groups secp384r1", f"ProxyPass / http://{BEHIND}/"]},
}
MODULES = ("mpm_event", "authz_core", "ssl", "headers", "http2", "proxy", "proxy_http", "socache_shmcb")


def settings(who, sections, port):
    """The whole file."""
    text = {s: "\n".join(lines).replace("PORT", f"127.0.0.1:{port}") + "\n" for s, lines in sections.items()}
    if who == "nginx":
        temporary = "".join(f"{t}_temp_path {D}/{t};\n" for t in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        return f"daemon off; master_process off; pid {D}/nginx.pid; error_log stderr;\nevents {{ }}\nhttp {{ access_log off;\n{temporary}server {{\n{text['']}}} }}\n"
    if who == "haproxy":
        return f"global\n{text['global']}defaults\n mode http\n timeout client 10s\n timeout server 10s\n timeout connect 5s\n" \
            f"frontend f\n{text['frontend']}backend b\n server s {BEHIND}\n"
    modules = "".join(f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so\n" for m in MODULES)
    return f"{modules}ServerRoot {D}\nServerName site.test\nPidFile {D}/apache.pid\nErrorLog {D}/apache.log\nListen 127.0.0.1:{port}\nMutex file:{D}\n" \
        f"DefaultRuntimeDir {D}\n<VirtualHost *:{port}>\nSSLEngine on\n{text['']}</VirtualHost>\n"


def findings(who, sections):
    """What troth check --for WHO finds in a server with these settings, by code."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = write(who + ".conf", settings(who, sections, port))
    options = {"nginx": ["-c", file], "haproxy": ["-db", "-f", file], "apache": ["-DFOREGROUND", "-f", file]}[who]
    with open(f"{D}/{who}.said", "w", encoding="utf-8") as said, \
            subprocess.Popen([PROGRAMS[who], *options], stdout=said, stderr=said) as server:
        try:
            for _ in range(100):
                with socket.socket() as s:
                    if not s.connect_ex(("127.0.0.1", port)) or server.poll() is not None:
                        break
                time.sleep(0.1)
            r = run("check", f"site.test:{port}", "--connect-to", f"127.0.0.1:{port}", "--ca", ROOT, "--json", "--for", who, status=None)
        finally:
            server.terminate()
    assert r.stdout and "failure" not in json.loads(r.stdout), (r.stdout, r.stderr, read(f"{D}/{who}.said"))
    return {f["code"]: f.get("line") for f in json.loads(r.stdout)["findings"]}


def apply(sections, line):
    """`line` stands in for those that begin as it does, and have its second word too where the first says little."""
    words = 2 if line.startswith(("http-response", "add_header", "Header")) else 1
    start = line.split()[:words]
    section = next((s for s in sections if s and re.search(rf"# {s}\b", line)), "")
    # no file lies there, the door is another, and OpenSSL 3.0 has no such group
    line = line.split("   #")[0].replace("/path/to/chain.pem", CHAIN).replace("/path/to/full.pem", FULL).replace("X25519MLKEM768:", "")
    line = re.sub(r"(listen |bind :?)443", r"\1PORT", line).replace(":PORT", "PORT")
    sections[section] = [had for had in sections[section] if had.split()[:words] != start] + [line]


EXPECTED = {"check.tls10", "check.tls11", "check.no-tls13", "check.static-rsa", "check.broken-suite", "check.anonymous-suite",
            "check.cbc-suite", "check.no-post-quantum", "check.no-hsts", "check.no-alpn", "check.redirect-to-http", "cert.missing-intermediate"}
HAS_NOT = {"nginx": {"check.no-alpn"}, "apache": {"check.no-alpn", "check.broken-suite", "check.anonymous-suite"}}   # they do not let themselves be set up so
for who, program in PROGRAMS.items():
    if not shutil.which(program):
        continue
    now, seen = {s: list(lines) for s, lines in SETTINGS[who].items()}, {}
    for _ in range(3):      # the answers of a server that is not believed are not looked at
        found = findings(who, now)
        new = {code: line for code, line in found.items() if line and code not in seen}
        seen.update(new)
        for line in sorted(set(new.values()), key=lambda line: len(line.split("   #")[0])):
            apply(now, line)
    check(f"{who}: badly set up", EXPECTED - HAS_NOT.get(who, set()) == set(seen), seen)
    check(f"{who}: with the lines put in", not set(seen) & set(found) - {"check.no-post-quantum"}, (now, found))

# ---- in each form
old, port = openssl_server("-cert", CHAIN, "-key", KEY, "-no_tls1_3")
for form, around in (("text", "\n                 {}\n"), ("md", "\n            `{}`\n"), ("sarif", "\\n\\n    {}\\n"), ("junit", ": {}</")):
    r = run("check", f"site.test:{port}", "--connect-to", f"127.0.0.1:{port}", "--ca", ROOT, "--for", "nginx", "--format", form, status=None)
    check("as " + form, around.format("ssl_protocols TLSv1.2 TLSv1.3;") in r.stdout, r.stdout)
r = run("check", f"site.test:{port}", "--connect-to", f"127.0.0.1:{port}", "--ca", ROOT, status=None)
check("unasked: none", "no-tls13" in r.stdout and "ssl_protocols" not in r.stdout, r.stdout)
old.terminate()
old.wait()
refused(["--for", "`lighttpd' is none of nginx, haproxy, apache"], "check", "--for", "lighttpd", "localhost:1")
finish()
