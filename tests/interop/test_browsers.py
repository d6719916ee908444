"""troth's server and browsers without a window: Chromium over DevTools, Firefox over Marionette; what they say of their connection's
security is compared with what troth says.
ctest: label=interop slow timeout=600"""
import json
import os
import re
import socket
import subprocess
import sys
import time

from matrix import D, US, Peer, Plain, Process, Program, Serve, free_port, identity, judge, of_troth, openssl, path, run

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../explain"))
from browser import Browser, find  # noqa: E402

BODY = "hello from troth"
PAGE = '<!doctype html><link rel="icon" href="data:,">' + BODY
ANSWER = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(PAGE)}\r\nConnection: close\r\n\r\n{PAGE}"
NOT_THERE = {
    "certificate: RSA-PSS key": "browsers take no such keys", "certificate: Ed25519": "browsers take no EdDSA",
    "certificate: Ed448": "browsers take no EdDSA", "group: SecP256r1MLKEM768": "it does not offer it",
    "group: SecP384r1MLKEM1024": "it does not offer it", "group: MLKEM1024": "it does not offer it", "external PSK": "browsers have none",
    "raw public key": "browsers have none", "record size limit": "it cannot be told", "exporter, the same value": "browsers show none",
    "KeyUpdate by the peer": "it cannot be told to", "Encrypted Client Hello": "it takes its configuration from DNS over HTTPS alone",
    "resumption by session id": "it cannot be told to leave tickets", "no version in common, refused": "it cannot leave out TLS 1.3 then",
    "resumption with a client certificate": "it makes a new session each time that it shows one",
    "client asked later for a certificate": "it is off", "client certificate: RSA": "a person chooses the certificate",
    "client certificate: of a stranger, refused": "it shows none that the server's authorities did not issue",
}


def database(folder, *nicknames):
    """An NSS database that trusts the CA."""
    os.makedirs(folder, exist_ok=True)

    def nss(*command):
        subprocess.run(command, check=True, capture_output=True, cwd=D)

    nss("certutil", "-N", "-d", "sql:" + folder, "--empty-password")
    nss("certutil", "-A", "-d", "sql:" + folder, "-n", "ca", "-t", "C,,", "-i", path("ca"))
    for name in nicknames:
        openssl("pkcs12", "-export", "-in", name + ".pem", "-inkey", name + ".key", "-name", name, "-out", name + ".p12", "-passout", "pass:x")
        nss("pk12util", "-i", path(name, "p12"), "-d", "sql:" + folder, "-W", "x", "-K", "")


class Page(Peer):
    """What both browsers have: load(url) tells what came, how it was protected, or why it was refused."""

    def adapt(self, o, role):
        o["drops"] = True
        if o.get("sessions"):                   # a connection that was opened in advance knows no ticket yet
            o["connections"] = 4
        o["loads"] = o.get("connections", 1)
        if o.get("early"):
            o["want_client"] = () if o.get("retry") else (r"data \d+ early",)
        if o.get("auth") and o.get("refused"):
            o["refused"] = {"client": o["refused"]["client"] + "|net\\.eof-mid"}
        if o.get("auth") == "request":          # Chromium breaks off, asks whether none is fine, and comes again
            o["connections"] = 10
        for need in ("group", "suite"):         # it is troth that is held to one
            if o.get(need):
                o[f"troth_{need}s"] = o[need]
        if o.get("host"):
            o["cert"] = "elsewhere"
        if o.get("ca"):
            o["cert"] = "foreign"

    def cell(self, role, o):
        if o.get("bulk"):
            return self.site(o)
        if o.get("proxy"):
            return self.proxied(o)
        if o.get("refused"):
            o["connections"] = 4                # they try again, to be sure of the reason
        us = Process([US, "server", "0", *of_troth(o, "server"), "--answer", ANSWER])
        us.said(r"listening \d+")
        port = re.search(r"listening (\d+)", us.log()).group(1)
        self.prepare(o)
        told = [self.load(f"https://localhost:{port}/{i}") for i in range(o["loads"])]
        status = us.wait(4) if o.get("connections", 1) == o["loads"] else 0
        if o.get("refused"):                    # the browser may tell of it before we do
            us.said("(?m)" + o["refused"][role])
        us.end()
        bad = judge(o, role, us.log(), json.dumps(told[-1]), status)
        return bad + self.compare(o, us.log(), told[-1]), us.log(), json.dumps(told)

    def compare(self, o, ours, told):
        """The browser's account of the connection: secure, with our version and group; or no page."""
        if o.get("refused"):
            return ["no page"] if told.get("body") == BODY else []
        ready = re.findall(r"^ready (TLS 1\.\d) (\S+) (\S+)", ours, re.M)[-1:] or [("", "", "")]
        want = {"body": BODY, "secure": True, "version": ready[0][0], "group": ready[0][2].lower()}
        if " resumed" in ours and told.get("version") == "TLS 1.2" and told.get("group") == "none":
            del want["group"]               # no key exchange this time
        return [f"{k}: {v}, the browser says {told.get(k)}" for k, v in want.items() if told.get(k) != v]

    def proxied(self, o):
        plain = Plain(ANSWER)
        with Program("proxy", "--backend", f"127.0.0.1:{plain.port}", *identity(o, "server")) as proxy:
            told = self.load(f"https://localhost:{proxy.port}/")
            return [] if told.get("body") == BODY and told.get("secure") else ["the page through troth proxy"], proxy.log(), json.dumps(told)

    def site(self, o):
        """A page of troth serve, whole."""
        folder = path("site", "d")
        os.makedirs(folder, exist_ok=True)
        wanted = os.urandom(o["bulk"] // 2).hex()
        with open(folder + "/index.html", "w", encoding="ascii") as f:
            f.write("<!doctype html><title>t</title>" + wanted)
        self.prepare(o)
        with Serve(folder, o) as s:
            told = self.load(f"https://localhost:{s.port}/")
            bad = [] if told.get("body") == wanted and told.get("secure") and told.get("version") in s.log() else ["the page of troth serve"]
            return bad, s.log(), json.dumps(told)[:400]


class Chromium(Page):
    programs = tuple(filter(None, [find() or "chromium", "certutil"]))
    GROUPS = {"X25519MLKEM768": "x25519mlkem768", "X25519": "x25519", "P-256": "secp256r1", "P-384": "secp384r1"}
    lacks = NOT_THERE | {
        "certificate: ECDSA P-521": "it does not offer it", "group: secp521r1": "it does not offer it",
        "certificate on a curve that the client lacks, refused": "its curves cannot be set", "OCSP response stapled": "it shows none",
        "delegated credential": "it has none", "client certificate: ECDSA": "a person chooses the certificate",
        "resumption with a client certificate": "a person chooses the certificate",
        "0-RTT data, a HelloRetryRequest refuses it": "it breaks off and comes again without early data",
        "SCTs": "it shows none of logs that it does not know",
        "TLS 1.2 where the peer has no more": "it cannot leave out TLS 1.3",
    }

    def __init__(self, name):
        super().__init__(name)
        database(path("chromium", "home") + "/.pki/nssdb")
        self.browser = Browser(["--enable-features=EnableTLS13EarlyData"], {"HOME": path("chromium", "home")})
        self.browser.call("Network.setCacheDisabled", cacheDisabled=True)

    def adapt(self, o, role):
        super().adapt(o, role)
        o["want_client"] = ()       # it opens the connection with early data in mind, and has its request ready only then

    def close(self):
        self.browser.close()

    def prepare(self, o):
        """It is as it is."""

    def load(self, url):
        b = self.browser
        b.events.clear()
        answer = b.call("Page.navigate", url=url)
        if answer.get("errorText"):
            return {"error": answer["errorText"]}
        end = time.time() + 10
        while time.time() < end and not b.js(f"location.href === {json.dumps(url)} && document.readyState === 'complete'"):
            time.sleep(0.01)
        got = [e["params"]["response"] for e in b.events if e["method"] == "Network.responseReceived" and e["params"]["type"] == "Document"]
        if not got:
            return {"error": "no response"}
        s = got[-1].get("securityDetails", {})
        return {"body": b.js("document.body?.textContent"), "secure": got[-1]["securityState"] == "secure", "version": s.get("protocol"),
                "group": self.GROUPS.get(s.get("keyExchangeGroup"), s.get("keyExchangeGroup")), "cipher": s.get("cipher")}

    def compare(self, o, ours, told):
        bad = super().compare(o, ours, told)
        if o.get("host") and told.get("error") != "net::ERR_CERT_COMMON_NAME_INVALID":
            bad.append(f"ERR_CERT_COMMON_NAME_INVALID, not {told}")
        return bad


class Firefox(Page):
    programs = ("firefox-esr", "certutil", "pk12util")
    lacks = NOT_THERE | {"SCTs": "it shows none", "client certificate: missing, refused": "a person says that it shall be none",
                         "client certificate: asked for, none, fine": "a person says that it shall be none", "certificate on a curve that the client lacks, refused": "its curves cannot be set"}
    VERSIONS = {3: "TLS 1.2", 4: "TLS 1.3"}
    SECURITY = """const ui = gBrowser.selectedBrowser.securityUI, i = ui.secInfo;
        return {secure: !!(ui.state & Ci.nsIWebProgressListener.STATE_IS_SECURE), protocol: i?.protocolVersion, cipher: i?.cipherName,
                group: i?.keaGroupName, signature: i?.signatureSchemeName, resumed: i?.resumed, delegated: i?.isDelegatedCredential};"""

    def __init__(self, name):
        super().__init__(name)
        profile, port = path("firefox", "profile"), free_port()
        database(profile, "client")
        prefs = {"marionette.port": port, "browser.shell.checkDefaultBrowser": False, "datareporting.policy.dataSubmissionEnabled": False,
                 "app.update.auto": False, "network.dns.disablePrefetch": True, "network.prefetch-next": False, "browser.cache.disk.enable": False,
                 "network.http.speculative-parallel-limit": 0, "browser.cache.memory.enable": False, "network.proxy.type": 0,
                 "security.OCSP.enabled": 0, "network.captive-portal-service.enabled": False, "network.connectivity-service.enabled": False,
                 "toolkit.telemetry.enabled": False, "browser.safebrowsing.update.enabled": False, "services.settings.server": "data:,"}
        with open(profile + "/user.js", "w", encoding="ascii") as f:
            f.writelines(f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in prefs.items())
        self.process = Process(["firefox-esr", "--headless", "--no-remote", "--marionette", "--remote-allow-system-access", "--profile", profile],
                               HOME=path("firefox", "home"), MOZ_HEADLESS="1")
        self.connect(port)
        self.count = 0
        self.call("WebDriver:NewSession", capabilities={"alwaysMatch": {"acceptInsecureCerts": False}})

    def close(self):
        try:
            self.call("Marionette:Quit", flags=["eForceQuit"])
            self.process.wait()
        except (OSError, RuntimeError, ValueError):
            pass
        self.process.end()

    def connect(self, port):
        end = time.time() + 60
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
                break
            except OSError:
                assert time.time() < end and self.process.alive(), self.process.log()
                time.sleep(0.1)
        self.stream = self.socket.makefile("rb")
        self.receive()

    def receive(self):
        """A length in decimal, a colon, so much JSON."""
        n = b""
        while (c := self.stream.read(1)) not in (b":", b""):
            n += c
        return json.loads(self.stream.read(int(n)))

    def call(self, command, **parameters):
        self.count += 1
        text = json.dumps([0, self.count, command, parameters]).encode()
        self.socket.sendall(str(len(text)).encode() + b":" + text)
        _, _, error, result = self.receive()
        if error:
            raise RuntimeError(f"{error['error']}: {error['message']}")
        return result

    def chrome(self, script, *arguments):
        self.call("Marionette:SetContext", value="chrome")
        try:
            return self.call("WebDriver:ExecuteScript", script=script, args=list(arguments), sandbox="system")["value"]
        finally:
            self.call("Marionette:SetContext", value="content")

    def prepare(self, o):
        most = 3 if o.get("peer_version") == "1.2" else 4
        self.chrome("Services.prefs.setIntPref('security.tls.version.max', arguments[0]);"
                    "Services.prefs.setStringPref('security.default_personal_cert', arguments[1]);"
                    "Services.prefs.setBoolPref('security.tls.enable_delegated_credentials', true);",
                    most, "Select Automatically" if o.get("client_cert") else "Ask Every Time")

    def load(self, url):
        try:
            self.call("WebDriver:Navigate", url=url)
        except RuntimeError as e:
            return {"error": str(e)}
        body = self.call("WebDriver:ExecuteScript", script="return document.body?.textContent;", args=[])["value"]
        s = self.chrome(self.SECURITY)
        group = (s.get("group") or "").lower()
        return {"body": body, "secure": s["secure"], "version": self.VERSIONS.get(s["protocol"]), "delegated": s.get("delegated"),
                "group": {"mlkem768x25519": "x25519mlkem768", "p256": "secp256r1", "p384": "secp384r1", "p521": "secp521r1"}.get(group, group),
                "cipher": s.get("cipher")}


run("browsers", {"Chromium": Chromium, "Firefox": Firefox})
