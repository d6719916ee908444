"""What an authority remembers: every certificate that it issued, whoever else issues at the same time and whatever happens to the file.
ctest: timeout=300"""
import ctypes
import json
import os
import resource
import shutil
import sqlite3
import struct
import subprocess
import time

from serving import D, TROTH, authority, check, finish, refused, run

authority()
DB = f"{D}/ca.db"


def listed(*args, out=D):
    return json.loads(run("ca", "list", "--json", "--out", out, *args).stdout)["certificates"]


def names(*args, out=D):
    return [c["names"][0].split(":", 1)[1] for c in listed(*args, out=out)]


def openssl(*args):
    return subprocess.run(["openssl", *args], capture_output=True, text=True, check=True).stdout


# ---- what is kept is what is in the certificate
one, = listed()
serial, ends = openssl("x509", "-in", f"{D}/localhost.pem", "-noout", "-serial", "-enddate").split("\n")[:2]
check("serial number", serial == f"serial={one['serial'].upper()}", (serial, one))
check("names, use and file", (one["names"], one["for"], one["file"]) == (["DNS:localhost", "IP:127.0.0.1"], "server", "localhost.pem"), one)
check("the end", time.strftime("notAfter=%b %e %H:%M:%S %Y GMT", time.strptime(one["not_after"], "%Y-%m-%dT%H:%M:%SZ")) == ends, (ends, one))
digest = openssl("x509", "-in", f"{D}/localhost.pem", "-noout", "-fingerprint", "-sha256").strip().split("=")[1].replace(":", "").lower()
check("its digest", one["sha256"] == digest, one)
db = sqlite3.connect(DB)
der = db.execute("SELECT der FROM certificate").fetchone()[0]
db.close()
check("the certificate itself", der == subprocess.run(["openssl", "x509", "-in", f"{D}/localhost.pem", "-outform", "DER"], capture_output=True, check=True).stdout)
check("others cannot read it", os.stat(DB).st_mode & 0o777 == 0o600, oct(os.stat(DB).st_mode))
check("nothing lies beside it", sorted(f for f in os.listdir(D) if f.startswith("ca.db")) == ["ca.db"], os.listdir(D))

# ---- finding
run("ca", "issue", "--client", "Alice.test.example", "--out", D, "--days", "5")
run("ca", "issue", "www.test.example", "a@test.example", "--out", D, "--days", "20")
run("ca", "issue", "bücher.example", "--out", D, "--days", "40")
for args, want in (((), ["Alice.test.example", "www.test.example", "localhost", "xn--bcher-kva.example"]), (("alice.TEST.example",), ["Alice.test.example"]),
                   (("*.test.example",), ["Alice.test.example", "www.test.example"]), (("127.0.0.1",), ["localhost"]), (("IP:127.*",), ["localhost"]),
                   (("bücher.example",), ["xn--bcher-kva.example"]), (("test.example",), []), (("localhost", "www*"), ["www.test.example", "localhost"]),
                   ((one["serial"].upper(),), ["localhost"]), (("--expiring", "7"), ["Alice.test.example"]), (("--expiring", "0"), []),
                   (("--expiring", "25", "*"), ["Alice.test.example", "www.test.example"]), (("--revoked",), []),
                   (("' OR 1=1 --",), []), (("%",), []), (("\x1b[2J",), []), (("",), [])):
    check(f"list {args}", names(*args) == want, names(*args))
table = run("ca", "list", "--out", D).stdout.split("\n")
check("a table", len(table) == 6 and "localhost, 127.0.0.1" in table[3] and one["serial"] in table[3] and "valid" in table[3], table)
r = run("ca", "list", "nobody", "--out", D)
check("nothing found is no failure, and no row of the table", "no such" in r.stderr and not r.stdout, r)
os.remove(f"{D}/Alice.test.example-client.pem")
os.remove(f"{D}/Alice.test.example-client-key.pem")
run("ca", "issue", "--client", "Alice.test.example", "--out", D, "--days", "30")
check("what was replaced does not expire soon", names("--expiring", "7") == [], names("--expiring", "7"))
check("but is known", names("alice*") == ["Alice.test.example"] * 2)

# ---- a configuration file that is for other verbs of it as well
with open(f"{D}/ca.yaml", "w", encoding="utf-8") as f:
    f.write(f"out: {D}\ndays: 3\nclient: true\n")
check("settings of another verb are passed over", len(json.loads(run("ca", "list", "--json", "--config", f"{D}/ca.yaml").stdout)["certificates"]) == 5)
for args in (("--days", "3"), ("--client",), ("--name", "x")):
    refused(["goes with troth ca"], "ca", "list", "--out", D, *args)
refused(["goes with troth ca list"], "ca", "issue", "x", "--expiring", "3", "--out", D)

# ---- an authority of an older troth has no records: they begin with what it issues next; many at once, in a folder without
old = f"{D}/old"
os.mkdir(old)
for f in ("ca.pem", "ca-key.pem"):
    shutil.copy(f"{D}/{f}", old)
check("nothing is known", listed(out=old) == [] and not os.path.exists(f"{old}/ca.db"))
many = [subprocess.Popen([TROTH, "ca", "issue", f"host{i}", "--out", old, "-q"]) for i in range(10)]
ends = [p.wait(timeout=100) for p in many]
check("ten at once", ends == [0] * 10 and sorted(names(out=old)) == sorted(f"host{i}" for i in range(10)), (ends, names(out=old)))
many = [subprocess.Popen([TROTH, "ca", "issue", "same", "--out", old, "-q"], stderr=subprocess.DEVNULL) for i in range(4)]
ends = sorted(p.wait(timeout=100) for p in many)
check("of the same name, one", ends == [0, 8, 8, 8] and names("same", out=old) == ["same"], (ends, names("same", out=old)))

# ---- the authority's own files are nobody's certificate
own = f"{D}/own"
run("ca", "init", "--out", own)
mine = open(f"{own}/ca.pem", encoding="utf-8").read()
for name in ("ca", "root", "crl", "CRL"):
    run("ca", "issue", name, "--out", own)
run("ca", "crl", "--out", own)
check("they lie beside", open(f"{own}/ca.pem", encoding="utf-8").read() == mine and not os.path.exists(os.path.join(own, "root.pem")) and {"_ca.pem", "_root.pem", "_crl.pem"} <= set(os.listdir(own)))
run("ca", "renew", "crl", "--out", own)
check("and are found", names("crl", out=own) == ["crl", "CRL", "crl"] and "X509 CRL" in open(f"{own}/crl.pem", encoding="utf-8").read(), names("crl", out=own))
for name in ("ca", "ca-key"):
    os.rename(f"{own}/{name}.pem", f"{own}/{name}.away")
shutil.copy(f"{own}/_root.pem", os.path.join(own, "root.pem"))
shutil.copy(f"{own}/_root-key.pem", os.path.join(own, "root-key.pem"))
refused(["root.pem", "no authority's"], "ca", "init", "--intermediate", "--out", own, status=8)
shutil.copy(f"{own}/_root.pem", f"{own}/ca.pem")
shutil.copy(f"{own}/_root-key.pem", f"{own}/ca-key.pem")
refused(["ca.pem", "no authority's"], "ca", "issue", "x", "--out", own, status=8)

# ---- names that are none; and each once
for name, words in (("*.192.0.2.1", "below an address"), ("@", "no mailbox"), ("a@", "no mailbox"), ("a@b@c.example", "no mailbox"), ("a b@c.example", "no mailbox"),
                    ("a@.example", "no mailbox"), ("raw:8201", "issued here"), ("dir:CN=x", "issued here"), ("dns:x y", "issued here"), ("email#:61", "issued here")):
    refused([words], "ca", "issue", "--client", name, "--out", old)
run("ca", "issue", "twice.example", "TWICE.example", "A@twice.example", "a@twice.example", "twice.example", "192.0.2.1", "192.0.2.1", "--out", old)
check("each name once", listed("twice.example", out=old)[0]["names"] == ["DNS:twice.example", "email:A@twice.example", "email:a@twice.example", "IP:192.0.2.1"],
      listed("twice.example", out=old))

# ---- dates at their ends
refused(["9999"], "ca", "init", "--not-before", "9999-01-01", "--days", "365", "--out", f"{D}/none")
for begins, days, ends in (("2049-06-01", "365", "2050-06-01"), ("9998-12-31", "365", "9999-12-31"), ("0999-01-01", "1", "0999-01-02")):
    at = f"{D}/at{begins}"
    answer = json.loads(run("ca", "init", "--not-before", begins, "--days", days, "--out", at, "--json").stdout)
    check(f"until {ends}", answer["not_after"] == ends + "T00:00:00Z" and openssl("x509", "-in", f"{at}/ca.pem", "-noout", "-enddate").strip().endswith(f"{int(ends[:4])} GMT"), answer)

# ---- what is no file is no records
os.mkdir(f"{D}/device")
for f in ("ca.pem", "ca-key.pem"):
    shutil.copy(f"{D}/{f}", f"{D}/device")
os.symlink("/dev/zero", f"{D}/device/ca.db")
for args in (("list",), ("issue", "x")):
    refused(["ca.db", "no regular file"], "ca", *args, "--out", f"{D}/device", status=8)

# ---- what was refused, or could not be written, was not issued
run("ca", "issue", "a b", "--out", old, status=2)
os.symlink("nowhere/at-all", f"{old}/link.pem")
os.symlink("nowhere/at-all", f"{old}/link2-key.pem")
for name in ("link", "link2"):
    refused(["link"], "ca", "issue", name, "--out", old, status=8)
check("it is not in the records", names("a b", "link*", out=old) == [] and not [f for f in os.listdir(old) if f in ("link-key.pem", "link2.pem")], os.listdir(old))

# ---- a full disk
full = f"{D}/full"
os.mkdir(full)
for f in ("ca.pem", "ca-key.pem"):
    shutil.copy(f"{D}/{f}", full)


def little():
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))


r = run("ca", "issue", "x", "--out", full, status=8, preexec_fn=little)
check("no certificate that nobody knows", r.stderr.count("\n") == 1 and "ca.db" in r.stderr and not os.path.exists(f"{full}/x.pem"), (r.stderr, os.listdir(full)))
run("ca", "issue", "x", "--out", full)
check("and then all is well", names(out=full) == ["x"])

# ---- ended at any time: whatever certificate there is, it is in the records, and nothing else is wrong with them
dead = f"{D}/dead"
run("ca", "init", "--out", dead)
for i in range(16):
    p = subprocess.Popen([TROTH, "ca", "issue", f"h{i}", "--out", dead, "-q"])
    time.sleep(0.02 * i)
    p.kill()
    p.wait()
there = [f[:-4] for f in os.listdir(dead) if f.startswith("h") and not f.endswith("-key.pem") and "END CERT" in open(f"{dead}/{f}", encoding="utf-8").read()]
check("killed between any two steps", set(there) <= set(names(out=dead)), (there, names(out=dead)))
run("ca", "issue", "last", "--out", dead)
db = sqlite3.connect(f"{dead}/ca.db")
check("the database is whole", db.execute("PRAGMA integrity_check").fetchone() == ("ok",) and "last" in names(out=dead))
db.close()

# ---- a file has its name only when all of it is there: what stops in between leaves nothing
libc = ctypes.CDLL(None, use_errno=True)
watch = libc.inotify_init1(os.O_NONBLOCK)
assert libc.inotify_add_watch(watch, dead.encode(), 0x2 | 0x100) > 0  # written, made


def seen():
    """[(written or made, name)]"""
    events, bytes_, at = [], os.read(watch, 1 << 20), 0
    while at < len(bytes_):
        _, mask, _, n = struct.unpack_from("iIII", bytes_, at)
        events.append((mask & 0x2 != 0, bytes_[at + 16:at + 16 + n].rstrip(b"\0").decode()))
        at += 16 + n
    return [e for e in events if e[1] in ("whole.pem", "whole-key.pem")]


run("ca", "issue", "whole", "--out", dead)
events = seen()
check("a certificate and its key", events == [(False, "whole-key.pem"), (False, "whole.pem")], events)
check("of the modes that they are to have", [os.stat(f"{dead}/whole{f}.pem").st_mode & 0o777 for f in ("", "-key")] == [0o644, 0o600])
os.close(watch)
run("ca", "issue", "masked", "--out", dead, preexec_fn=lambda: os.umask(0o777))
check("whatever the umask", [os.stat(f"{dead}/masked{f}.pem").st_mode & 0o777 for f in ("", "-key")] == [0o644, 0o600])

# ---- many thousands: what ends soon is found without comparing each with each
db = sqlite3.connect(f"{dead}/ca.db")
issuer, subject, begins, ends, key, der = db.execute("SELECT issuer, subject, not_before, not_after, spki_sha256, der FROM certificate").fetchone()
db.executemany("INSERT INTO certificate (issuer, serial, subject, names, kind, not_before, not_after, spki_sha256, sha256, der, made) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
               ((issuer, os.urandom(16), subject, f'["DNS:many{i % 2500}"]', "server", begins, ends + i, key, os.urandom(32), der, begins) for i in range(10000)))
db.commit()
db.close()
soon = names("--expiring", "31", "many*", out=dead)
check("ten thousand, of which most were replaced", len(soon) == 2500 == len(set(soon)), len(soon))

# ---- what is no database of ours
bad = f"{D}/bad"


def with_database(make):
    shutil.rmtree(bad, ignore_errors=True)
    os.mkdir(bad)
    for f in ("ca.pem", "ca-key.pem"):
        shutil.copy(f"{D}/{f}", bad)
    make(f"{bad}/ca.db")


def text(path):
    with open(path, "w", encoding="utf-8") as out:
        out.write("junk\n" * 300)


def strange(path):
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE certificate (id)")
    db.commit()
    db.close()


def newer(path):
    shutil.copy(DB, path)
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.commit()
    db.close()


def cut(path):
    with open(DB, "rb") as whole, open(path, "wb") as out:
        out.write(whole.read(5000))


def gone_table(path):
    shutil.copy(DB, path)
    db = sqlite3.connect(path)
    db.execute("DROP TABLE certificate")
    db.commit()
    db.close()


def overwritten(path):
    with open(DB, "rb") as whole, open(path, "wb") as out:
        bytes_ = bytearray(whole.read())
        bytes_[4096:] = b"\xa5" * (len(bytes_) - 4096)
        out.write(bytes_)


for make, word in ((text, "no database"), (strange, "another program"), (newer, "newer troth"), (cut, "damaged"), (gone_table, "no such table"), (overwritten, "damaged"),
                   (os.mkdir, "ca.db")):
    with_database(make)
    for args in (("issue", "x"), ("list",)):
        refused([f"{bad}/ca.db", word], "ca", *args, "--out", bad, status=8)
    check(f"{make.__name__}: nothing was made", not os.path.exists(f"{bad}/x.pem") and not os.path.exists(f"{bad}/x-key.pem"))
with_database(lambda path: open(path, "w", encoding="utf-8").close())
run("ca", "issue", "x", "--out", bad)
check("an empty file is no records yet", names(out=bad) == ["x"])

# ---- who may only look
os.chmod(D, 0o755)
for f in ("ca.db", "ca.pem"):
    os.chmod(f"{bad}/{f}", 0o444)
os.chmod(bad, 0o555)


def nobody():
    if not os.getuid():
        os.setgid(65534)
        os.setuid(65534)


seen = subprocess.run([TROTH, "ca", "list", "--json", "--out", bad], capture_output=True, text=True, preexec_fn=nobody, check=False)
check("a folder that is only readable", seen.returncode == 0 and len(json.loads(seen.stdout)["certificates"]) == 1, seen)
os.chmod(bad, 0o755)
refused(["nowhere/ca.pem", "troth ca init --out"], "ca", "list", "--out", f"{D}/nowhere", status=8)
finish()
