"""troth with curl and Wget as clients; with nginx and HAProxy as servers, and as clients of a server behind them.
ctest: label=interop slow timeout=600"""
import os
import re
import socket

from features import HYBRIDS
from matrix import D, REQUEST, TROTH, Lacks, Peer, Process, Serve, free_port, listening, path, run, versions

NAMES = {"x25519": "X25519", "secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
BODY = "hello from troth\n"
ANSWER = f"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(BODY)}\r\nConnection: close\r\n\r\n{BODY}"
NOT_THERE = {
    "external PSK": "it has none",
    "certificate compression": "its library has none",
    "Encrypted Client Hello": "its library has none",
    "delegated credential": "its library has none",
    "raw public key": "its library has none, or it cannot be told",
    "record size limit": "it cannot be told",
    "exporter, the same value": "it shows none",
    "KeyUpdate by the peer": "it cannot be told to",
}


def cipher(suite):
    return suite.replace("TLS_", "").replace("_WITH", "").replace("AES_", "AES").replace("POLY1305_SHA256", "POLY1305").replace("_", "-")


def groups(o, role):
    """Colon-separated, as OpenSSL reads them."""
    if o.get("group") in HYBRIDS:
        raise Lacks("its library has no ML-KEM")
    if o.get("retry"):
        return NAMES[o["retry"]] if role == "server" else "X25519:" + NAMES[o["retry"]]
    return NAMES[o["group"]] if o.get("group") else None


def make_file(n):
    os.makedirs(path("site", "d"), exist_ok=True)
    with open(path("site", "d") + "/file", "w", encoding="ascii") as f:
        f.write(os.urandom(n // 2).hex())
    with open(path("site", "d") + "/file", encoding="ascii") as f:
        return f.read()


class Web(Peer):
    """What speaks HTTP: our server answers it and closes."""
    we_answer = ANSWER
    answer = "hello from troth"

    def cell(self, role, o):
        if not o.get("bulk") or o.get("limit"):
            return super().cell(role, o)
        return self.download(o) if role == "client" else self.upload(o)

    def download(self, o):
        """A file of troth serve, through this client; every byte."""
        wanted = make_file(o["bulk"])
        with Serve(path("site", "d"), o) as s:
            got = self.fetch(s.port, "/file", o)
            return [] if got.endswith(wanted) else [f"{o['bulk']} bytes, not {len(got)}"], s.log(), got[:500]

    def fetch(self, port, what, o):
        client = self.start(self.client(o, port, what))
        client.wait(20)
        return client.log()


class Curl(Web):
    programs = ("curl",)
    lacks = NOT_THERE | {("1.2", "resumption by ticket"): "it wants no tickets in TLS 1.2",
                         ("1.2", "resumption with a client certificate"): "it wants no tickets in TLS 1.2",
                         "0-RTT data": "this version has none", "SCTs": "it does not ask for them"}

    def adapt(self, o, role):
        if o.get("staple"):
            o["cert"] = "chained"

    def client(self, o, port, what="/"):
        least, most = versions(o, "peer")
        host = o.get("host", "localhost")
        a = ["curl", "-sS", "-m", "9", "--noproxy", "*", "--resolve", f"{host}:{port}:127.0.0.1", "--cacert", path(o.get("ca", "ca")),
             "--tlsv" + least, "--tls-max", most]
        if o.get("suite"):
            a += ["--tls13-ciphers", o["suite"]] if o["version"] == "1.3" else ["--ciphers", cipher(o["suite"])]
        if groups(o, "client"):
            a += ["--curves", groups(o, "client")]
        if o.get("client_cert"):
            a += ["--cert", path(o["client_cert"]), "--key", path(o["client_cert"], "key")]
        if o.get("staple"):
            a += ["--cert-status"]
        return a + [f"https://{host}:{port}{what}"] * o.get("connections", 1)

    def talk(self, o, client):
        """It asks by itself."""


class Wget(Web):
    programs = ("wget",)
    lacks = NOT_THERE | {"0-RTT data": "it has none", "SCTs": "it does not ask for them", "OCSP response stapled": "it does not look at them",
                         "client asked later for a certificate": "it has none", "ALPN": "it offers none",
                         "resumption by ticket": "it keeps no sessions", "resumption by session id": "it keeps no sessions",
                         "resumption after a HelloRetryRequest": "it keeps no sessions", "resumption with a client certificate": "it keeps no sessions",
                         "client certificate: of a stranger, refused": "it shows none that the server's authorities did not issue"}

    def adapt(self, o, role):
        o["drops"] = True
        if o.get("host"):
            o["cert"] = "elsewhere"         # it goes where a name leads, and that is not here

    def client(self, o, port, what="/"):
        least, most = versions(o, "peer")
        p = "NORMAL:-VERS-ALL" + (":+VERS-TLS1.3" if most == "1.3" else "") + (":+VERS-TLS1.2" if least == "1.2" else "")
        if o.get("group") in HYBRIDS:
            raise Lacks("its library has no ML-KEM")
        if o.get("suite"):
            p += ":-CIPHER-ALL:+" + re.search("AES_128_GCM|AES_256_GCM|CHACHA20_POLY1305", o["suite"]).group().replace("_", "-")
        if o.get("group"):
            p += ":-GROUP-ALL:+GROUP-" + o["group"].upper()
        if o.get("retry"):
            p += ":-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-" + o["retry"].upper()
        a = ["wget", "-q", "-O", "-", "-t", "1", "-T", "9", "--no-proxy", "--no-hsts", "-4", "--ca-certificate", path(o.get("ca", "ca")), "--ciphers", p]
        if o.get("client_cert"):
            a += ["--certificate", path(o["client_cert"]), "--private-key", path(o["client_cert"], "key")]
        if o.get("connections", 1) > 1 and o["sessions"] == "ids":
            raise Lacks("it cannot be told to leave tickets")
        return a + [f"https://localhost:{port}{what}"] * o.get("connections", 1)

    def talk(self, o, client):
        """It asks by itself."""


class Proxy(Web):
    """A server, and a client in front of ours when asked over plain HTTP on its own port."""
    request = REQUEST
    file_most = 1 << 20

    def upload(self, o):
        """A file of this server, through troth get."""
        wanted, port = make_file(min(o["bulk"], self.file_most)), free_port()
        server = self.start(self.server(o, port))
        listening(port, server)
        least, most = versions(o, "troth")
        get = Process([TROTH, "get", f"https://localhost:{port}/file", "--ca", path("ca"), "--min", least, "--max", most])
        status = get.wait(20)
        server.end()
        return [] if status == 0 and get.log().endswith(wanted) else [f"the file by troth get, status {status}"], get.log(), server.log()

    def configured(self, text, kind):
        with open(path(self.name, "conf"), "w", encoding="ascii") as f:
            f.write(text)
        return [*kind, path(self.name, "conf")]

    def adapt(self, o, role):
        o["drops"] = role == "client" or o.get("early")       # once it has its answer and we have said goodbye it just closes
        if o.get("early"):
            o["early"] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
            o["want_client"] = ()

    def ask(self, port, what="/"):
        got = b""
        with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
            s.sendall(f"GET {what} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            while more := s.recv(65536):
                got += more
        return got.decode("latin-1")

    def talk(self, o, client):
        listening(self.front, client)
        self.said = [self.ask(self.front) for _ in range(o.get("connections", 1))]
        client.child.terminate()

    def fetch(self, port, what, o):
        client = self.start(self.client(o, port))
        listening(self.front, client)
        got = self.ask(self.front, what)
        client.child.terminate()
        client.wait()
        return got

    def answered(self, log):
        return all(BODY in said for said in self.said)

    def judge(self, o, role, bad):
        """As a client it must hand on what our server said, and nothing when it refused us."""
        if role == "client" and not o.get("bulk"):
            for said in self.said:
                if (BODY in said) == bool(o.get("refused")):
                    bad = bad + ["an answer handed on: " + said[:100]]
        return bad


class Nginx(Proxy):
    programs = ("/usr/sbin/nginx",)
    lacks = NOT_THERE | {
        ("0-RTT data", "client"): "it has none as a client", "SCTs": "it neither sends nor asks for them",
        "HelloRetryRequest with a cookie": "it sends none", "client asked later for a certificate": "it has none",
        ("OCSP response stapled", "client"): "it does not ask for them as a client", ("ALPN", "client"): "it offers none as a client",
    }

    def start_of(self, port):
        return f"""daemon off; master_process off; worker_processes 1; pid {path('nginx', 'pid')}; error_log stderr info;
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path {D}/nginx1; proxy_temp_path {D}/nginx2; fastcgi_temp_path {D}/nginx3; uwsgi_temp_path {D}/nginx4;
scgi_temp_path {D}/nginx5;
server {{ listen 127.0.0.1:{port}"""

    def protocols(self, o, prefix):
        least, most = versions(o, "peer")
        return f"{prefix}_protocols " + " ".join(f"TLSv{v}" for v in ("1.2", "1.3") if least <= v <= most) + ";\n" + \
            (f"{prefix}_conf_command Ciphersuites {o['suite']};\n" if o.get("suite") and o["version"] == "1.3" else "") + \
            (f"{prefix}_ciphers {cipher(o['suite'])};\n" if o.get("suite") and o["version"] == "1.2" else "")

    def server(self, o, port):
        cert = o.get("cert", "ecdsa")
        c = self.start_of(port) + f" ssl;\nssl_certificate {path(cert)}; ssl_certificate_key {path(cert, 'key')};\n" + self.protocols(o, "ssl")
        if groups(o, "server"):
            c += f"ssl_ecdh_curve {groups(o, 'server')};\n"
        if o.get("auth"):
            c += f"ssl_verify_client {'on' if o['auth'] == 'require' else 'optional'}; ssl_client_certificate {path('ca')};\n"
        if o.get("auth") and o.get("refused"):      # it says so in HTTP, after the handshake
            o["want"] = ("400 Bad Request",)
            del o["refused"]
        c += "ssl_session_cache shared:S:1m;\n" if o.get("sessions") == "ids" else ""
        c += "ssl_session_tickets off;\n" if o.get("sessions") == "ids" else ""
        c += "ssl_early_data on;\n" if o.get("early") else ""
        c += f"ssl_stapling on; ssl_stapling_file {path('ecdsa', 'ocsp')};\n" if o.get("staple") else ""
        c += "location = / { return 200 'hello $ssl_session_reused $ssl_early_data'; }\n" + f"location / {{ root {path('site', 'd')}; }}\n}} }}\n"
        return self.configured(c, self.programs + ("-c",))

    def client(self, o, port):
        self.front = free_port()
        c = self.start_of(self.front) + f";\nlocation / {{ proxy_pass https://127.0.0.1:{port}; proxy_ssl_verify on; proxy_ssl_server_name on;\n"
        c += f"proxy_ssl_trusted_certificate {path(o.get('ca', 'ca'))}; proxy_ssl_name {o.get('host', 'localhost')};\n"
        c += self.protocols(o, "proxy_ssl")
        if groups(o, "client"):
            c += f"proxy_ssl_conf_command Groups {groups(o, 'client')};\n"
        if o.get("client_cert"):
            c += f"proxy_ssl_certificate {path(o['client_cert'])}; proxy_ssl_certificate_key {path(o['client_cert'], 'key')};\n"
        if o.get("sessions") == "ids":
            c += "proxy_ssl_conf_command Options -SessionTicket;\n"
        return self.configured(c + "} } }\n", self.programs + ("-c",))


class HAProxy(Proxy):
    programs = ("/usr/sbin/haproxy",)
    file_most = 12000               # what it answers by itself must fit in one buffer
    lacks = NOT_THERE | {
        ("1.3", "SCTs", "server"): "it shows them in TLS 1.2 alone",
        ("0-RTT data", "client"): "it cannot keep a ticket and send early data unasked", ("SCTs", "client"): "it does not ask for them",
        "HelloRetryRequest with a cookie": "it sends none", "client asked later for a certificate": "it has none",
        ("OCSP response stapled", "client"): "it does not ask for them",
    }
    START = "global\n maxconn 64\n nbthread 1\n tune.ssl.default-dh-param 2048\ndefaults\n mode http\n timeout client 10s\n timeout server 10s\n timeout connect 5s\n retries 0\n"

    def protocols(self, o):
        least, most = versions(o, "peer")
        return f" ssl-min-ver TLSv{least} ssl-max-ver TLSv{most}" + \
            (f" ciphersuites {o['suite']}" if o.get("suite") and o["version"] == "1.3" else "") + \
            (f" ciphers {cipher(o['suite'])}" if o.get("suite") and o["version"] == "1.2" else "")

    def both(self, name):
        """Chain and key in one file."""
        with open(path(name + "-both"), "w", encoding="ascii") as out:
            for kind in ("pem", "key"):
                with open(path(name, kind), encoding="ascii") as f:
                    out.write(f.read())
        return path(name + "-both")

    def server(self, o, port):
        crt = self.both(o.get("cert", "ecdsa"))
        for need, source, kind in (("staple", path("ecdsa", "ocsp"), ".ocsp"), ("scts", path("one", "scts"), ".sctl")):
            if os.path.exists(crt + kind):
                os.unlink(crt + kind)
            if o.get(need):
                os.link(source, crt + kind)
        if o.get("staple"):
            with open(path("ca"), encoding="ascii") as f, open(crt + ".issuer", "w", encoding="ascii") as out:
                out.write(f.read())
        c = self.START + f"frontend f\n bind 127.0.0.1:{port} ssl crt {crt}" + self.protocols(o)
        c += f" curves {groups(o, 'server')}" if groups(o, "server") else ""
        c += f" ca-file {path('ca')} verify {'required' if o['auth'] == 'require' else 'optional'}" if o.get("auth") else ""
        c += " alpn " + o["alpn"][1] if o.get("alpn") else ""
        c += " allow-0rtt" if o.get("early") else ""
        c += " no-tls-tickets" if o.get("sessions") == "ids" else ""
        what = f"file {path('site', 'd')}/file" if o.get("bulk") else "string hello"
        return self.configured(c + f"\n http-request return status 200 content-type text/plain {what}\n", self.programs + ("-db", "-f"))

    def client(self, o, port):
        if o.get("group") or o.get("retry"):
            raise Lacks("its servers have no option for groups")
        self.front = free_port()
        host = o.get("host", "localhost")
        c = self.START + f"frontend f\n bind 127.0.0.1:{self.front}\n default_backend b\nbackend b\n server s 127.0.0.1:{port} ssl verify required ca-file "
        c += f"{path(o.get('ca', 'ca'))} verifyhost {host} sni str({host})" + self.protocols(o)
        c += f" crt {self.both(o['client_cert'])}" if o.get("client_cert") else ""
        c += " alpn " + o["alpn"][0].replace("h2,", "") if o.get("alpn") else ""
        c += " no-tls-tickets" if o.get("sessions") == "ids" else ""
        return self.configured(c + "\n", self.programs + ("-db", "-f"))


run("web", {"nginx": Nginx, "HAProxy": HAProxy, "curl": Curl, "Wget": Wget})
