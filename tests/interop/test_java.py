"""troth and Java's JSSE, through Peer.java.
ctest: label=interop slow timeout=600"""
import os
import re
import subprocess

from features import HYBRIDS
from matrix import D, LEAVES, SECONDS, Lacks, Peer, Process, openssl, path, run, versions

HERE = os.path.dirname(os.path.abspath(__file__))


class Job:
    """One client or server in the virtual machine that runs them all; the interface of a Process."""
    count = 0

    def __init__(self, machine, command):
        Job.count += 1
        self.name, self.machine = f"job{Job.count}", machine
        machine.say(" ".join([self.name, *command]) + "\n")

    def log(self):
        start = self.name + " "
        return "".join(line[len(start):] + "\n" for line in self.machine.log().split("\n") if line.startswith(start))

    def alive(self):
        return "exit " not in self.log()

    def said(self, pattern, seconds=SECONDS):
        return self.machine.said(f"(?m)^{self.name} ({pattern}|exit )", seconds) and re.search(pattern, self.log()) is not None

    def say(self, text):
        """It reads nothing."""

    def wait(self, seconds=SECONDS):
        return 0 if self.said("exit ", seconds) else None

    def end(self):
        if self.alive():
            self.machine.say(self.name + " stop\n")


class Java(Peer):
    programs = ("java", "javac", "keytool")
    answer = "data "
    lacks = {
        ("HelloRetryRequest with a cookie", "server"): "it sends none",
        "0-RTT data": "it has none",
        "external PSK": "it has none",
        "certificate compression": "it has none",
        "client asked later for a certificate": "it has none",
        "Encrypted Client Hello": "it has none",
        "delegated credential": "it has none",
        "SCTs": "it has none",
        "raw public key": "it has none",
        "record size limit": "it has max_fragment_length only",
        "exporter, the same value": "Java 17 has none",
        ("client certificate: of a stranger, refused", "client"): "it shows none that the server's authorities did not issue",
    }

    def __init__(self, name):
        super().__init__(name)
        os.mkdir(path("classes", "d"))
        subprocess.run(["javac", "-d", path("classes", "d"), HERE + "/Peer.java"], check=True)
        self.java = ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", path("classes", "d")]
        self.machine = Process([*self.java, "Peer", "many"])    # groups are read once by a machine: who needs its own has its own
        for leaf in LEAVES:
            openssl("pkcs12", "-export", "-in", leaf + ".pem", "-inkey", leaf + ".key", "-name", leaf, "-out", leaf + ".p12", "-passout", "pass:xxxxxx")
        for ca in ("ca", "stranger-ca"):
            subprocess.run(["keytool", "-importcert", "-noprompt", "-alias", ca, "-file", path(ca), "-keystore", path(ca, "p12"), "-storetype",
                            "PKCS12", "-storepass", "xxxxxx"], check=True, capture_output=True, cwd=D)

    def common(self, o, role, port):
        least, most = versions(o, "peer")
        names = [f"TLSv{v}" for v in ("1.2", "1.3") if least <= v <= most]
        groups = [o["group"]] if o.get("group") else [o["retry"]] if o.get("retry") and role == "server" else \
            ["x25519", "secp256r1", o["retry"]] if o.get("retry") else []
        if set(groups) & set(HYBRIDS):
            raise Lacks("Java 17 has none")
        vm = []
        if groups:
            vm += ["-Djdk.tls.namedGroups=" + ",".join(groups)]
        if o.get("sessions") == "ids":
            vm += ["-Djdk.tls.client.enableSessionTicketExtension=false", "-Djdk.tls.server.enableSessionTicketExtension=false"]
        a = [*vm, role, str(port), "versions=" + ",".join(names)]
        if o.get("suite"):
            a += ["suites=" + o["suite"]]
        if o.get("update") == "peer":
            a += ["update=yes"]
        if o.get("alpn"):
            a += ["alpn=" + o["alpn"][role == "server"]]
        return a

    def server(self, o, port):
        if o.get("staple"):
            raise Lacks("it staples only what it fetched from the certificate's responder itself")
        a = self.common(o, "server", port) + ["store=" + path(o.get("cert", "ecdsa"), "p12"), "trust=" + path("ca", "p12")]
        if o.get("auth"):
            a += ["auth=" + {"require": "need", "request": "want"}[o["auth"]]]
        return a

    def client(self, o, port):
        a = self.common(o, "client", port) + ["host=" + o.get("host", "localhost"), "trust=" + path(o.get("ca", "ca"), "p12")]
        if o.get("staple"):
            o["want_theirs"] = ("stapled 1",)
        if o.get("client_cert"):
            a += ["store=" + path(o["client_cert"], "p12")]
        for need in ("connections", "bulk"):
            if o.get(need):
                a += [f"{need}={o[need]}"]
        return a

    def start(self, command):
        properties = [w for w in command if w.startswith("-D")]
        return Process([*self.java, *properties, "Peer", *command[len(properties):]]) if properties else Job(self.machine, command)

    def close(self):
        self.machine.end()

    def ready(self, o, server, port):
        return server.said("listening")

    def talk(self, o, client):
        """It does all by itself."""


run("java", {"Java": Java})
