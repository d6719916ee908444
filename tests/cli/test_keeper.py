"""Private keys in a process of their own: signatures by every kind of key, and no byte of one in the memory of the process that speaks to the
network; new keys and broken ones at SIGHUP; what happens when one of the two ends; questions that no handshake would ask.
ctest: slow"""
import concurrent.futures
import ctypes
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import time

from serving import D, Server, ask, authority, check, finish, home_page, keeper_of, run, tls

authority()
CA, CA_KEY, CERT, KEY = f"{D}/ca.pem", f"{D}/ca-key.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"
web = home_page()
WORD = "a passphrase that only the keeper reads"
open(f"{D}/word", "w", encoding="utf-8").write(WORD + "\n")


def openssl(*args):
    return subprocess.run(["openssl", *args], check=True, capture_output=True).stdout


def issue(name, *kind, host=None):
    """Certificate and key of that kind, for `name`.test."""
    key, cert = f"{D}/{name}-key.pem", f"{D}/{name}.pem"
    host = host or f"{name}.test"
    openssl("genpkey", *kind, "-out", key)
    openssl("req", "-new", "-key", key, "-subj", f"/CN={host}", "-out", f"{D}/{name}.csr")
    with open(f"{D}/{name}.ext", "w", encoding="utf-8") as f:
        f.write(f"subjectAltName=DNS:{host}\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                "extendedKeyUsage=serverAuth,clientAuth\n")
    openssl("x509", "-req", "-in", f"{D}/{name}.csr", "-CA", CA, "-CAkey", CA_KEY, "-CAcreateserial", "-days", "20", "-extfile", f"{D}/{name}.ext",
            "-out", cert)
    return cert, key


def secrets_of(key):
    """What there is to find of a key: its private numbers, in both orders of bytes, and a piece of its file."""
    text = openssl("pkey", "-in", key, "-text", "-noout").decode()
    found = []
    for name in ("priv", "prime1", "prime2", "privateExponent"):
        m = re.search(rf"{name}:\n((?:\s+[0-9a-f:]+\n)+)", text)
        if m:
            number = bytes.fromhex(re.sub(r"[\s:]", "", m[1])).lstrip(b"\0")
            found += [number, number[::-1]]
    body = "".join(open(key, encoding="utf-8").read().split("\n")[1:-2])
    return found + [body[-44:-4].encode()]  # of PKCS #8, where the number is


PAGE, A_READ = os.sysconf("SC_PAGE_SIZE"), 4096  # a read: so many pages


def memory_of(pid):
    """What a process has in its memory, piece by piece; what a sanitizer reserved for its own, terabytes, is passed over."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as mem, \
            open(f"/proc/{pid}/pagemap", "rb", buffering=0) as pages:
        for line in maps:
            m = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            at, end = (int(m[1], 16) // PAGE, int(m[2], 16) // PAGE) if m else (0, 0)
            if end - at > 1 << 24 or "[v" in line:
                continue
            for first in range(at, end, A_READ):
                entries = os.pread(pages.fileno(), 8 * min(A_READ, end - first), 8 * first)
                there = [e >> 62 != 0 for e in struct.unpack(f"={len(entries) // 8}Q", entries)] + [False]
                begin = None
                for i, is_there in enumerate(there):
                    if is_there and begin is None:
                        begin = i
                    elif not is_there and begin is not None:
                        yield os.pread(mem.fileno(), (i - begin) * PAGE, (first + begin) * PAGE)
                        begin = None


def holds(pid, needles):
    """Which of them are there?  (One that lies across two reads would be missed: they are 16 MB long.)"""
    found = set()
    for piece in memory_of(pid):
        found |= {n for n in needles if n in piece}
    return found


def is_there(pid):
    try:
        return open(f"/proc/{pid}/stat", encoding="utf-8").read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def until(what, seconds=30):
    end = time.time() + seconds
    while time.time() < end:
        if what():
            return True
        time.sleep(0.02)
    return False


def shake(port, host="localhost", version=None, cert=None):
    """Version and public key's certificate of a handshake; None: it failed."""
    context = ssl.create_default_context(cafile=CA)
    if version:
        context.minimum_version = context.maximum_version = version
    if cert:
        context.load_cert_chain(*cert)
    try:
        with context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=30), server_hostname=host) as s:
            return s.getpeercert(True)
    except OSError:
        return None


def der(cert):
    return ssl.PEM_cert_to_DER_cert(re.search(r"-----BEGIN.*?-----END CERTIFICATE-----", open(cert, encoding="utf-8").read(), re.S)[0])


def may_look(pid):
    try:
        return any(True for _ in memory_of(pid))
    except OSError:
        return False


V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
ids = {"ecdsa": issue("ecdsa", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"), "p384": issue("p384", "-algorithm", "EC", "-pkeyopt",
       "ec_paramgen_curve:P-384"), "rsa": issue("rsa", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"), "ed": issue("ed", "-algorithm", "ED25519"),
       "locked": issue("locked", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"), "p12": issue("p12", "-algorithm", "RSA", "-pkeyopt",
       "rsa_keygen_bits:2048")}
openssl("pkcs8", "-topk8", "-in", ids["locked"][1], "-out", f"{D}/locked.p8", "-passout", f"pass:{WORD}")
openssl("pkcs12", "-export", "-in", ids["p12"][0], "-inkey", ids["p12"][1], "-out", f"{D}/both.p12", "-passout", f"pass:{WORD}")
with open(f"{D}/one.pem", "w", encoding="utf-8") as one:  # certificate and key in one file, and the certificate is not the first
    one.write(open(CA, encoding="utf-8").read() + open(ids["ed"][0], encoding="utf-8").read() + open(ids["ed"][1], encoding="utf-8").read())
given = {"ecdsa": ids["ecdsa"], "p384": ids["p384"], "rsa": ids["rsa"], "ed": (f"{D}/one.pem",) * 2, "locked": (ids["locked"][0], f"{D}/locked.p8"),
         "p12": (f"{D}/both.p12",) * 2}
files = [word for cert, key in given.values() for word in ("--cert", cert, "--key", key)] + ["--passphrase-file", f"{D}/word"]

# ---- every kind of key, and where it is
s = Server(web, *files)
keeper = keeper_of(s.process.pid)
check("there is a keeper", keeper is not None)
for name, (cert, _) in ids.items():
    for version in (V12, V13):
        check(f"{name}: a handshake, {version.name}", shake(s.port, f"{name}.test", version) == der(cert), s.log())
check("the page", ask(s.port, CA, "/", check_hostname=False)[0] == 200, s.log())
check("a chain that is not in order is said to be so", "config.chain-order" in s.log(), s.log())
needles = {n: name for name, (_, key) in ids.items() for n in secrets_of(key)} | {WORD.encode(): "passphrase"}
look = may_look(s.process.pid)
if look:
    check("no key and no passphrase in the front", not holds(s.process.pid, needles), {needles[n] for n in holds(s.process.pid, needles)})
else:
    print("left out: this machine lets nobody look into another process's memory")
look_keeper = look and may_look(keeper)
if look_keeper:
    there = {needles[n] for n in holds(keeper, needles)}
    check("but every key in the keeper", there >= ids.keys(), there)
elif look:
    check("nobody else may look into the keeper", os.geteuid() != 0)

# ---- many at once
with concurrent.futures.ThreadPoolExecutor(50) as pool:
    got = [f.result() for f in [pool.submit(shake, s.port, f"{[*ids][i % len(ids)]}.test", V12 if i % 3 else V13) for i in range(200)]]
check("200 handshakes at once", all(got[i] == der(ids[[*ids][i % len(ids)]][0]) for i in range(200)), (got.count(None), s.log()[-500:]))
late = [socket.create_connection(("127.0.0.1", s.port)) for _ in range(20)]  # hellos of those who do not wait for an answer
context = ssl.create_default_context(cafile=CA)
for c in late:
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    o = context.wrap_bio(into, out, server_hostname="rsa.test")
    try:
        o.do_handshake()
    except ssl.SSLWantReadError:
        c.sendall(out.read())
    c.close()
check("clients that leave meanwhile harm nobody", shake(s.port, "ecdsa.test") == der(ids["ecdsa"][0]), s.log()[-500:])

# ---- read again
fresh = issue("fresh", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", host="ecdsa.test")
old = secrets_of(ids["ecdsa"][1])
for source, target in zip(fresh, ids["ecdsa"]):
    shutil.copyfile(source, target)
s.kill(signal.SIGHUP)
check("a reload", s.said("event=reload result=ok"), s.log()[-500:])
check("with the new key", shake(s.port, "ecdsa.test") == der(fresh[0]), s.log()[-500:])
new = secrets_of(fresh[1])
if look:
    check("which is not in the front", not holds(s.process.pid, new))
if look_keeper:
    check("is in the keeper", holds(keeper, new))
    check("and the old one is not used any more", until(lambda: not holds(keeper, [old[1]]), 20))  # as libcrypto has it for computing
check("the keeper is the same", keeper_of(s.process.pid) == keeper)
shutil.copyfile(KEY, ids["ecdsa"][1])  # of another certificate
s.kill(signal.SIGHUP)
check("a key of another certificate: the old configuration stays", s.said("kept the old configuration") and "config.key-mismatch" in s.log(), s.log()[-600:])
check("and serves", shake(s.port, "ecdsa.test") == der(fresh[0]), s.log()[-500:])
open(ids["ecdsa"][1], "w", encoding="utf-8").write("junk\n")
s.kill(signal.SIGHUP)
check("junk: likewise", until(lambda: s.log().count("kept the old configuration") == 2) and shake(s.port, "ecdsa.test") == der(fresh[0]), s.log()[-500:])
shutil.copyfile(fresh[1], ids["ecdsa"][1])
s.kill(signal.SIGHUP)
check("and well again", until(lambda: s.log().count("result=ok") == 2) and shake(s.port, "ecdsa.test") == der(fresh[0]), s.log()[-500:])
check("what belongs to all is told to all", s.end() == 0 and until(lambda: not is_there(keeper)), s.log()[-300:])


# ---- questions that are not ours to ask
def socket_of(front):
    """The front's socket for questions: of its pairs the first.  None: this machine does not lend it."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = libc.syscall(434, front, 0)
    if pidfd < 0:
        return None
    pairs = [int(fd) for fd in os.listdir(f"/proc/{front}/fd") if os.readlink(f"/proc/{front}/fd/{fd}").startswith("socket:")]
    for fd in sorted(pairs):
        copy = libc.syscall(438, pidfd, fd, 0)
        if copy < 0:
            return None
        one = socket.socket(fileno=copy)
        if one.family == socket.AF_UNIX and one.type & 0xf == socket.SOCK_SEQPACKET:
            return one
        one.close()
    return None


s = Server(web, cert=CERT, key=KEY)
keeper = keeper_of(s.process.pid)
ours = socket_of(s.process.pid)
ECDSA, PSS = 0x0403, 0x0804
VERIFY = b" " * 64 + b"TLS 1.3, server CertificateVerify\0" + 32 * b"h"
EXCHANGE = 64 * b"r" + b"\x03\0\x17\x41" + 65 * b"p"


def question(data, scheme=ECDSA, generation=1, key=0):
    """The signature; b"": refused."""
    ours.send(struct.pack("=QIHH", 77, generation, key, scheme) + data)
    answer = ours.recv(8192)
    assert struct.unpack("=Q", answer[:8])[0] == 77
    return answer[8:]


def verifies(data, signature):
    openssl("x509", "-in", CERT, "-noout", "-pubkey", "-out", f"{D}/public")
    for name, what in (("data", data), ("signature", signature)):
        with open(f"{D}/{name}", "wb") as f:
            f.write(what)
    return subprocess.run(["openssl", "dgst", "-sha256", "-verify", f"{D}/public", "-signature", f"{D}/signature", f"{D}/data"],
                          capture_output=True, check=False).returncode == 0


if ours:
    s.kill(signal.SIGSTOP)  # or it would take the answers
    for name, data in (("TLS 1.3", VERIFY), ("TLS 1.2", EXCHANGE)):
        check(f"{name}: a question as the front asks it", verifies(data, question(data)))
    refused = {"nothing": b"", "a text": b"sign this", "a digest": 32 * b"d", "a client's": VERIFY.replace(b"server", b"client"),
               "a delegated credential": VERIFY.replace(b"server CertificateVerify", b"server delegated credentials"), "a byte more": VERIFY + b"h",
               "a byte less": VERIFY[:-1], "a space less": VERIFY[1:], "a space more": b" " + VERIFY, "an explicit curve": EXCHANGE.replace(b"\x03\0", b"\x01\0"),
               "an unknown curve": EXCHANGE.replace(b"\0\x17", b"\0\x99"), "half a point": EXCHANGE[:-1], "more than a point": EXCHANGE + b"p",
               "a certificate": der(CERT), "a client's handshake": b"\x01\0\0\1a\x02\0\0\1b\x10\0\0\1c", "much": VERIFY + 100000 * b"x"}
    for name, data in refused.items():
        check(f"refused: {name}", question(data) == b"")
    for name, more in (("a scheme of another kind of key", {"scheme": PSS}), ("no scheme", {"scheme": 0}), ("PKCS #1 in TLS 1.3", {"scheme": 0x0401}),
                       ("another generation", {"generation": 7}), ("another key", {"key": 1}), ("no key", {"key": 65535})):
        check(f"refused: {name}", question(VERIFY, **more) == b"")
    check("and said to be so, once", s.log().count("serve.keeper") == 1 and "no handshake" in s.log(), s.log())
    s.kill(signal.SIGCONT)
    check("it serves as before", shake(s.port) == der(CERT), s.log())
    ours.close()
else:
    print("left out: this machine does not lend a process's socket")

# ---- one ends
os.kill(keeper, signal.SIGTERM)
os.kill(keeper, signal.SIGHUP)
check("signals for all are not the keeper's", shake(s.port) == der(CERT) and is_there(keeper), s.log())
os.kill(keeper, signal.SIGKILL)
check("the keeper is killed: the service ends", s.process.wait(timeout=60) == 70 and "keeps the private keys has ended" in s.log(), s.log())
s = Server(web, cert=CERT, key=KEY)
keeper = keeper_of(s.process.pid)
s.kill(signal.SIGKILL)
s.process.wait(timeout=60)
check("the front is killed: the keeper ends", until(lambda: not is_there(keeper)))

# ---- without one; and what is wrong is said in the same words
s = Server(web, "--key-process", "no", cert=CERT, key=KEY)
check("--key-process no: no keeper", keeper_of(s.process.pid) is None and shake(s.port) == der(CERT), s.log())
if look:
    check("the key is in the front", holds(s.process.pid, secrets_of(KEY)))
s.end()
open(f"{D}/junk", "w", encoding="utf-8").write("junk\n")
for name, words in {"no file": ("--cert", CERT, "--key", f"{D}/none"), "junk": ("--cert", CERT, "--key", f"{D}/junk"), "no passphrase":
                    ("--cert", ids["locked"][0], "--key", f"{D}/locked.p8"), "another passphrase":
                    ("--cert", ids["locked"][0], "--key", f"{D}/locked.p8", "--passphrase-file", f"{D}/junk"), "another key":
                    ("--cert", CERT, "--key", ids["rsa"][1]), "no certificate": ("--cert", KEY, "--key", KEY), "a raw key": ("--raw-key", f"{D}/junk"),
                    "a delegated key": ("--cert", CERT, "--key", KEY, "--delegated", f"{D}/junk", "--delegated-key", KEY)}.items():
    with_it, without = (run("serve", web, "--listen", "127.0.0.1:0", *words, "--key-process", how, status=None) for how in ("yes", "no"))
    check(f"the same is said: {name}", (with_it.returncode, with_it.stderr) == (without.returncode, without.stderr) and with_it.returncode == 8 and
          with_it.stderr, (with_it, without))

# ---- towards a backend
inner = Server(web, "--client-ca", CA, "-v", cert=CERT, key=KEY)
for version in ("1.2", "1.3"):
    for name in ("ecdsa", "rsa"):
        outer = Server("--wrap", f"localhost:{inner.port}", "--backend", f"127.0.0.1:{inner.port}", "--ca", CA, "--max", version, verb="proxy",
                       cert=ids[name][0], key=ids[name][1])
        with socket.create_connection(("127.0.0.1", outer.port), timeout=30) as c:
            c.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = c.makefile("rb").read()
        check(f"proxy: a client's signature, TLS {version}, {name}", b"<h1>home" in answer, (answer, outer.log(), inner.log()[-400:]))
        if look:
            check("whose key is not in its front", not holds(outer.process.pid, secrets_of(ids[name][1])))
        check("and it ends", outer.end() == 0)
check("ends", inner.end() == 0)
finish()
