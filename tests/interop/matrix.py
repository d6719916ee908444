"""One cell of the interop matrix after the other: starts troth and a peer, listens to both, judges, keeps the result.

A peer is a class with `server(o, port)` and `client(o, port)`: the commands for the needs `o` of a feature (features.py).  What it cannot
do it says with `lacks`, a reason.  Must never skip silently: a cell is tried, or has its reason; a peer that is not installed fails.
"""
import atexit
import contextlib
import fcntl
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

from features import FEATURES, PEERS

BUILD = os.environ.get("BUILD_DIR", "build/dev")
TROTH = os.environ.get("TROTH", BUILD + "/bin/troth")
US = BUILD + "/bin/interop_peer"
RESULTS = BUILD + "/interop"
home = tempfile.TemporaryDirectory(prefix="interop", ignore_cleanup_errors=True)
D = home.name
REQUEST = "GET / HTTP/1.0\r\n\r\n"
SECONDS = 30  # for what takes one or two: a machine may be busy


class Lacks(Exception):
    """The peer has no such thing: why."""


# ---------------------------------------------------------------- certificates

def openssl(*args, **more):
    r = subprocess.run(["openssl", *args], capture_output=True, cwd=D, check=False, **more)
    assert r.returncode == 0, (args, r.stderr.decode())
    return r.stdout


ALGORITHMS = {"p384": ("EC", "ec_paramgen_curve:P-384"), "p521": ("EC", "ec_paramgen_curve:P-521"), "rsa": ("RSA", "rsa_keygen_bits:2048"),
              "pss": ("RSA-PSS", "rsa_keygen_bits:2048"), "rsaclient": ("RSA", "rsa_keygen_bits:2048"), "ed25519": ("ED25519",),
              "ed448": ("ED448",)}
LEAVES = ("ecdsa", "p384", "p521", "rsa", "pss", "ed25519", "ed448", "expired", "elsewhere", "delegating", "client", "rsaclient", "stranger",
          "foreign")


def path(name, kind="pem"):
    return f"{D}/{name}.{kind}"


def authority(name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key", "-out", name + ".pem",
            "-subj", f"/CN={name}", "-days", "30", "-addext", "keyUsage=critical,keyCertSign,cRLSign")


def leaf(name):
    kind, *option = ALGORITHMS.get(name, ("EC", "ec_paramgen_curve:P-256"))
    usage = "clientAuth" if name in ("client", "rsaclient", "stranger") else "serverAuth"
    ca = "stranger-ca" if name in ("stranger", "foreign") else "ca"
    names = "DNS:elsewhere.example" if name == "elsewhere" else "DNS:localhost,IP:127.0.0.1"
    uses = "digitalSignature" + ",keyEncipherment" * (name == "rsa")       # NSS asks for it in RSA certificates
    lines = [f"subjectAltName={names}", f"keyUsage=critical,{uses}", f"extendedKeyUsage={usage}",
             "basicConstraints=critical,CA:FALSE"] + ["1.3.6.1.4.1.44363.44=DER:0500"] * (name == "delegating")
    with open(path(name, "ext"), "w", encoding="ascii") as f:
        f.write("\n".join(lines) + "\n")
    openssl("genpkey", "-algorithm", kind, *[w for o in option for w in ("-pkeyopt", o)], "-out", name + ".key")
    openssl("req", "-new", "-key", name + ".key", "-subj", f"/CN={name}", "-out", name + ".csr")
    days = ("-days", "20") if name != "expired" else ("-not_before", "20240101000000Z")
    if name == "expired":
        return dated(name, ca)
    openssl("x509", "-req", "-in", name + ".csr", "-CA", ca + ".pem", "-CAkey", ca + ".key", "-extfile", name + ".ext", *days, "-out",
            name + ".pem")
    return None


def dated(name, ca):
    """Only `openssl ca' takes dates in 3.0."""
    with open(path("dated", "cnf"), "w", encoding="ascii") as f:
        f.write("[ca]\ndefault_ca=c\n[c]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n[p]\n"
                "commonName=supplied\n")
    open(path("index", "txt"), "w", encoding="ascii").close()
    openssl("ca", "-config", "dated.cnf", "-batch", "-notext", "-cert", ca + ".pem", "-keyfile", ca + ".key", "-in", name + ".csr", "-extfile",
            name + ".ext", "-startdate", "20240110000000Z", "-enddate", "20240409000000Z", "-out", name + ".pem")


def staple():
    """A good answer of the authority on `ecdsa'."""
    serial = openssl("x509", "-in", "ecdsa.pem", "-noout", "-serial").decode().strip().split("=")[1]
    with open(path("ocsp", "txt"), "w", encoding="ascii") as f:
        f.write(f"V\t{time.strftime('%y%m%d%H%M%SZ', time.gmtime(time.time() + 20 * 86400))}\t\t{serial}\tunknown\t/CN=ecdsa\n")
    openssl("ocsp", "-issuer", "ca.pem", "-cert", "ecdsa.pem", "-reqout", "ecdsa.req", "-no_nonce")
    openssl("ocsp", "-index", "ocsp.txt", "-CA", "ca.pem", "-rsigner", "ca.pem", "-rkey", "ca.key", "-reqin", "ecdsa.req", "-respout",
            "ecdsa.ocsp", "-ndays", "7")


def spki_pin(name):
    der = openssl("pkey", "-in", name + ".key", "-pubout", "-outform", "DER")
    return openssl("dgst", "-sha256", "-hex", "-r", input=der).decode().split()[0]


def delegated_credential():
    """RFC 9345 4.1.1: a key of its own that `delegating' signs, for three days."""
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "dc.key")
    spki = openssl("pkey", "-in", "dc.key", "-pubout", "-outform", "DER")
    ecdsa = b"\x04\x03"
    content = (3 * 86400).to_bytes(4, "big") + ecdsa + len(spki).to_bytes(3, "big") + spki + ecdsa
    signed = b" " * 64 + b"TLS, server delegated credentials\0" + openssl("x509", "-in", "delegating.pem", "-outform", "DER") + content
    signature = openssl("dgst", "-sha256", "-sign", "delegating.key", input=signed)
    with open(path("delegated", "dc"), "wb") as f:
        f.write(content + len(signature).to_bytes(2, "big") + signature)


def ech_key():
    with open(path("ech", "pem"), "wb") as f:
        f.write(subprocess.run([TROTH, "ech", "keygen", "--public-name", "public.example"], capture_output=True, check=True).stdout)


def ech_list():
    """What a client needs of it, in base64."""
    with open(path("ech", "pem"), encoding="ascii") as f:
        return re.search("BEGIN ECHCONFIG-----(.*)-----END ECHCONFIG", f.read(), re.S).group(1).replace("\n", "")


def pki():
    """Made once for all tests of this folder, anew each day: keys are slow to make."""
    os.makedirs(RESULTS, exist_ok=True)
    made = os.path.abspath(RESULTS) + "/pki"
    with open(made + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(made + "/done") or time.time() - os.path.getmtime(made + "/done") > 86400 / 2:
            make_pki()
            shutil.rmtree(made, ignore_errors=True)
            shutil.copytree(D, made)
            open(made + "/done", "w", encoding="ascii").close()
        else:
            shutil.copytree(made, D, dirs_exist_ok=True)


def make_pki():
    authority("ca")
    authority("stranger-ca")
    for name in LEAVES:
        leaf(name)
    staple()
    with open(path("chained"), "w", encoding="ascii") as out:       # who checks a stapled response wants the issuer beside it
        for name in ("ecdsa", "ca"):
            with open(path(name), encoding="ascii") as f:
                out.write(f.read())
    os.link(path("ecdsa", "key"), path("chained", "key"))
    delegated_credential()
    ech_key()
    with open(path("one", "scts"), "wb") as f:      # a list of one, of a log that nobody knows
        sct = bytes([0]) + bytes(32) + (1700000000000).to_bytes(8, "big") + bytes([0, 0, 4, 3, 0, 8]) + bytes.fromhex("3006020101020101")
        f.write((len(sct) + 2).to_bytes(2, "big") + len(sct).to_bytes(2, "big") + sct)


# ---------------------------------------------------------------- processes

class Process:
    """A child with a log; its input stays open until it is ended, at the latest when the test ends."""
    count = 0
    alive_still = []

    def __init__(self, command, **environment):
        Process.count += 1
        self.command, self.log_path = command, f"{D}/{Process.count}.log"
        with open(self.log_path, "wb") as log:
            self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, cwd=D,
                                          env=os.environ | {"SSLKEYLOGFILE": ""} | environment)
        Process.alive_still = [p for p in Process.alive_still if p.alive()] + [self]

    def log(self):
        with open(self.log_path, "rb") as f:
            return f.read().decode("utf-8", "replace")

    def alive(self):
        return self.child.poll() is None

    def said(self, pattern, seconds=SECONDS, times=1):
        """True once the log has it; False when the child ended without, or time is up."""
        end = time.time() + seconds
        while True:
            alive = self.alive()
            if len(re.findall(pattern, self.log())) >= times:
                return True
            if not alive or time.time() > end:
                return False
            time.sleep(0.01)

    def say(self, text):
        try:
            self.child.stdin.write(text.encode())
            self.child.stdin.flush()
        except (BrokenPipeError, ValueError):
            pass

    def wait(self, seconds=SECONDS):
        """The exit status; a child that does not end is ended: None."""
        try:
            self.child.stdin.close()
        except BrokenPipeError:
            pass
        try:
            return self.child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return self.end()

    def end(self):
        if self.alive():
            self.child.kill()
            self.child.wait()
        return None


class Program(Process):
    """troth serve or proxy on a free port; ends with its block."""

    def __init__(self, verb, *options):
        port_file = tempfile.mktemp(dir=D)
        super().__init__([TROTH, verb, "-v", "--listen", "127.0.0.1:0", "--grace", "1", "--port-file", port_file, *options])
        end = time.time() + SECONDS
        while not (os.path.exists(port_file) and os.path.getsize(port_file)) and self.alive() and time.time() < end:
            time.sleep(0.01)
        self.port = int(open(port_file, encoding="ascii").read()) if self.alive() else 0

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.child.terminate()
        self.wait()


class Serve(Program):
    def __init__(self, folder, o):
        least, most = versions(o, "troth")
        super().__init__("serve", folder, "--min", least, "--max", most, *identity(o, "server"))


class Plain:
    """A plain TCP service, for troth proxy: echoes, or answers what it is told to and closes."""

    def __init__(self, answer):
        self.listener, self.answer, self.heard = socket.create_server(("127.0.0.1", 0)), answer, b""
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            c, _ = self.listener.accept()
            threading.Thread(target=self.talk, args=(c,), daemon=True).start()

    def talk(self, c):
        with c, contextlib.suppress(ConnectionError):
            while more := c.recv(65536):
                self.heard += more
                c.sendall(self.answer.encode() if self.answer not in (None, "yes") else more)
                if self.answer:
                    break


@atexit.register
def end_all():
    for p in Process.alive_still:
        p.end()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listening(port, process, seconds=SECONDS):
    """Without connecting: some servers serve only one connection."""
    end, here = time.time() + seconds, f":{port:04X}"
    while time.time() < end and process.alive():
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            with open(table, encoding="ascii") as f:
                if any(w[1].endswith(here) and w[3] == "0A" for w in map(str.split, f)):
                    return True
        time.sleep(0.01)
    return False


# ---------------------------------------------------------------- troth, for the needs of a feature

def versions(o, who):
    v = o.get(who + "_version", o["version"])
    return ("1.2", "1.3") if v == "both" else (v, v)


def identity(o, role):
    name = o.get("client_cert") if role == "client" else o.get("cert", "ecdsa")
    if role == "server" and o.get("delegated"):
        name = "delegating"
    return ["--cert", path(name), "--key", path(name, "key")] if name else []


def of_troth_client(o):
    a = ["--say", REQUEST, "--host", o.get("host", "localhost"), *identity(o, "client")]
    if o.get("raw"):
        a += ["--peer-raw", "yes", "--pin", spki_pin(o.get("cert", "ecdsa"))]
    elif not o.get("psk"):
        a += ["--ca", path(o.get("ca", "ca"))]
    if o.get("troth_groups") or o.get("group", "").lower().endswith(("mlkem768", "mlkem1024")):
        a += ["--groups", o.get("troth_groups") or o["group"]]       # not every one is in the default list
    if o.get("early"):
        a += ["--early", o["early"]]
    if o.get("alpn"):
        a += ["--alpn", o["alpn"][0]]
    for need in ("late_auth", "scts", "delegated"):
        if o.get(need):
            a += ["--" + need.replace("_", "-"), "yes"]
    return a


def of_troth_server(o):
    a = ["--export", o["export"]] if o.get("export") else []
    if o.get("raw"):
        a += ["--raw-key", path(o.get("cert", "ecdsa"), "key")]
    elif not o.get("psk"):
        a += identity(o, "server")
    if o.get("auth") or o.get("late_auth"):
        a += ["--ca", path("ca")]
    if o.get("auth"):
        a += ["--auth", {"require": "required", "request": "optional"}[o["auth"]]]
    if o.get("late_auth"):
        a += ["--late-auth", "yes"]
    if o.get("troth_groups") or o.get("retry") or o.get("group", "").lower().endswith(("mlkem768", "mlkem1024")):
        a += ["--groups", o.get("troth_groups") or o.get("retry") or o["group"]]
    if o.get("troth_suites"):
        a += ["--suites", o["troth_suites"]]
    if o.get("alpn"):
        a += ["--alpn", o["alpn"][1]]
    if o.get("early"):
        a += ["--early", "4096"]
    if o.get("cookie"):
        a += ["--cookie", "yes"]
    if o.get("sessions") == "ids":
        a += ["--cache", "yes", "--tickets", "0"]
    if o.get("staple"):
        a += ["--staple", path("ecdsa", "ocsp")]
    if o.get("scts"):
        a += ["--scts", path("one", "scts")]
    if o.get("delegated"):
        a += ["--delegated", path("delegated", "dc"), "--delegated-key", path("dc", "key")]
    if o.get("ech"):
        a += ["--ech-key", path("ech", "pem")]
    return a


def of_troth(o, role):
    least, most = versions(o, "troth")
    a = ["--min", least, "--max", most, *(of_troth_client(o) if role == "client" else of_troth_server(o))]
    if o.get("update") == "troth":
        a += ["--update", "yes"]
    if o.get("psk"):
        a += ["--psk", ":".join(o["psk"])]
    for need in ("limit", "bulk", "connections", "export"):
        if o.get(need) and "--" + need not in a:
            a += ["--" + need, str(o[need])]
    if o.get("compress"):
        a += ["--story", path("story", "json")]
    return a + o.get("troth_" + role, [])


# ---------------------------------------------------------------- a cell

SPECIAL = ("padding", "no_compat", "renegotiate", "no_ems", "fragments")


class Peer:
    """What a peer's class has beside server() and client()."""
    lacks = {}                    # feature name, or (version, name), or (name, role): why
    answer = "GET / HTTP"         # how its server's answer, or our echo at its client, can be recognised in the client's log
    request = REQUEST
    we_answer = None              # what our server says to its client, then closing; `yes': the echo
    environment = {}
    can = ()                      # of SPECIAL: needs that only some peers can be told

    def __init__(self, name):
        self.name = name

    def close(self):
        """Ends what it keeps running between cells."""

    def start(self, command):
        return Process(command, **self.environment)

    def why_not(self, version, name, role):
        for n in (name, name.split(",")[0]):
            for key in ((version, n, role), (version, n), (n, role), n, (version, None)):
                if key in self.lacks:
                    return self.lacks[key]
        return None

    def adapt(self, o, role):
        """Changes the needs to what comes to the same with this peer."""

    def cell(self, role, o):
        """(what is wrong, troth's log, the peer's)."""
        if o.get("proxy"):
            return (server_behind_proxy if role == "server" else client_before_proxy)(self, o)
        return (against_server if role == "server" else against_client)(self, o)

    def answered(self, log):
        """Did its client get what was said to it?"""
        return re.search(self.answer, log) is not None

    def judge(self, o, role, bad):
        """May find more that is wrong."""
        return bad

    def talk(self, o, client):
        """What its client does between the handshake and the end: a request, and the answer."""
        client.say(self.request)
        if o.get("refused") and not o.get("renegotiate"):
            client.said("(?!)", 1.5)
            return
        if o.get("bulk"):
            client.say("x" * (o["bulk"] - 1) + "\n")
        client.said("authenticated" if o.get("late_auth") else self.answer)

    def serve(self, o, server):
        """What its server does meanwhile, beside answering."""

    def ready(self, o, server, port):
        return listening(port, server)


def missing(want, log):
    return [p for p in want if p and not re.search(p, log, re.M)]


def export_differs(o, ours, theirs):
    if not o.get("export"):
        return []
    value = re.search(r"export ([0-9a-f]{64})", ours)
    squeezed = re.sub(r"[^0-9a-f]", "", theirs.lower())
    return [] if value and value.group(1) in squeezed else ["the same exporter"]


def judge(o, role, ours, theirs, status):
    """What is wrong with it, as a list."""
    if o.get("refused"):
        bad = missing([o["refused"][role]], ours) + missing(o.get("want_theirs", ()), theirs)
        return bad + (["no data"] if re.search(r"^data ", ours, re.M) and not o.get("renegotiate") else [])
    want = [r"^ready ", r"data ", *o["want"], *o.get("want_" + role, ())]
    return missing(want, ours) + export_differs(o, ours, theirs) + missing(o.get("want_theirs", ()), theirs) + \
        bulk_lost(o, ours) + (["compressed_certificate"] if o.get("compress") and not compressed() else []) + \
        ([] if status == 0 or (o.get("drops") and re.search(r"tls\.truncated|net\.eof", ours)) else [f"exit status 0, not {status}"])


def bulk_lost(o, ours):
    """All came; with a limit, in records no larger (and gnutls-cli gives up the rest of what it read once one is full)."""
    came = [int(n) for n in re.findall(r"^data (\d+)", ours, re.M)]
    if o.get("limit"):
        return [f"records of {o['limit']} bytes, not {came}"] if len(came) < 4 or max(came) > o["limit"] else []
    return [f"{o['bulk']} bytes, not {sum(came)}"] if sum(came) < o.get("bulk", 0) else []


def compressed():
    """By the story of the connection; each is read once."""
    told = ""
    if os.path.exists(path("story", "json")):
        with open(path("story", "json"), encoding="utf-8") as f:
            told = f.read()
        os.unlink(path("story", "json"))
    return "CompressedCertificate" in told


def against_server(peer, o):
    port = free_port()
    server = peer.start(peer.server(o, port))
    try:
        if not peer.ready(o, server, port):
            return ["its server to listen"], "", server.log()
        us = Process([US, "client", str(port), *of_troth(o, "client")])
        peer.serve(o, server)
        status = us.wait(20)
        return judge(o, "server", us.log(), server.log(), status), us.log(), server.log()
    finally:
        server.end()


def run_clients(peer, o, port):
    commands, theirs = peer.client(o, port), ""
    for command in commands if isinstance(commands[0], list) else [commands]:
        client = peer.start(command)
        peer.talk(o, client)
        if client.wait() is None:
            theirs += "(had to be ended)\n"
        theirs += client.log()
    return theirs


def against_client(peer, o):
    us = Process([US, "server", "0", *of_troth(o, "server"), *(["--answer", peer.we_answer] if peer.we_answer else [])])
    try:
        if not us.said(r"listening \d+"):
            return ["troth to listen"], us.log(), ""
        port = int(re.search(r"listening (\d+)", us.log()).group(1))
        theirs = run_clients(peer, o, port)
        status = us.wait()
    finally:
        us.end()
    return judge(o, "client", us.log(), theirs, status), us.log(), theirs


def client_before_proxy(peer, o):
    """The peer's client, troth proxy, a plain service."""
    plain = Plain(peer.we_answer)
    with Program("proxy", "--backend", f"127.0.0.1:{plain.port}", *identity(o, "server")) as proxy:
        theirs = run_clients(peer, o, proxy.port)
        bad = ([] if b"GET /" in plain.heard else ["the request at the plain service"]) + ([] if peer.answered(theirs) else ["its answer"])
        return bad, proxy.log(), theirs


def server_behind_proxy(peer, o):
    """A plain client, troth proxy --wrap, the peer's server."""
    port = free_port()
    server = peer.start(peer.server(o, port))
    try:
        peer.ready(o, server, port)
        with Program("proxy", "--wrap", "localhost", "--backend", f"127.0.0.1:{port}", "--ca", path("ca")) as proxy:
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=SECONDS) as s:
                s.sendall(REQUEST.encode())
                got = s.recv(1000)
            return [] if got else ["an answer through troth proxy"], proxy.log(), server.log()
    finally:
        server.end()


def tail(text, lines=8):
    return "".join(f"       {line[:200]}\n" for line in text.strip().split("\n")[-lines:])


class Matrix:
    def __init__(self, test):
        self.test, self.cells, self.failed, self.since = test, {}, [], time.time()

    def keep(self, peer, role, version, name, result, why=""):
        self.cells.setdefault(peer, {}).setdefault(role, {})[f"{version} {name}"] = [result, why]
        if result == "FAIL":
            self.failed.append(f"{peer} {role}: {version} {name}")
        spent, self.since = time.time() - self.since, time.time()
        print(f"{result:4} {peer} {role}: {version} {name}" + (f" ({why})" if why else "") + (f", {spent:.0f} s" if spent > 1 else ""), flush=True)

    def row(self, peer, role, version, name, o):
        why = peer.why_not(version, name, role)
        if why:
            return self.keep(peer.name, role, version, name, "n/a", why)
        try:
            if any(o.get(need) and need not in peer.can and (need, role) not in peer.can for need in SPECIAL):
                raise Lacks("it cannot be told to")
            peer.adapt(o, role)
            bad, ours, theirs = peer.cell(role, o)
            bad = peer.judge(o, role, bad)
        except Lacks as e:
            return self.keep(peer.name, role, version, name, "n/a", str(e))
        except Exception as e:      # whatever it is, the other cells are tried
            bad, ours, theirs = [f"{type(e).__name__}: {e}"], "", ""
        if not bad:
            return self.keep(peer.name, role, version, name, "pass")
        self.keep(peer.name, role, version, name, "FAIL", "missing: " + "; ".join(bad))
        print(f"     troth:\n{tail(ours)}     peer:\n{tail(theirs)}", flush=True)
        return None

    def peer(self, peer, only=None):
        _, package, roles = PEERS[peer.name]
        for version, name, o in FEATURES:
            for role in roles:
                if only and not re.search(only, f"{role} {version} {name}"):
                    continue
                self.row(peer, role, version, name, dict(o))
        return package

    def absent(self, name):
        _, package, roles = PEERS[name]
        for version, feature, _ in FEATURES:
            for role in roles:
                self.cells.setdefault(name, {}).setdefault(role, {})[f"{version} {feature}"] = ["FAIL", "not installed: package " + package]
        self.failed.append(f"{name} is not installed (Debian package {package})")
        print(f"FAIL {name}: not installed: Debian package {package}")

    def finish(self):
        with open(f"{RESULTS}/{self.test}.json", "w", encoding="utf-8") as f:
            json.dump(self.cells, f, indent=1)
        counts = {"pass": 0, "FAIL": 0, "n/a": 0}
        for roles in self.cells.values():
            for cells in roles.values():
                for result, _ in cells.values():
                    counts[result] += 1
        print(f"{counts['pass']} passed, {counts['FAIL']} failed, {counts['n/a']} not there: " + "; ".join(self.failed))
        sys.exit(1 if self.failed else 0)


def run(test, peers):
    """peers: classes by name.  `ONLY=pattern` in the environment tries some rows alone, by hand."""
    pki()
    m = Matrix(test)
    for name, make in peers.items():
        if all(shutil.which(p) or os.path.exists(p) for p in make.programs):
            peer = make(name)
            try:
                m.peer(peer, os.environ.get("ONLY"))
            finally:
                peer.close()
        else:
            m.absent(name)
    m.finish()
