"""The configuration file: which one is read, what goes before what, every mistake with its line, what is printed can be read again.
ctest: timeout=300"""
import json
import os
import shutil
import signal
import subprocess
import time

from serving import D, TROTH, Server, ask, authority, check, finish, home_page, run, tls

authority()
CERT, KEY = f"{D}/localhost.pem", f"{D}/localhost-key.pem"
HOME, XDG = f"{D}/home", f"{D}/xdg"
os.makedirs(f"{HOME}/.config/troth")
os.makedirs(f"{XDG}/troth")
bare = {k: v for k, v in os.environ.items() if k not in ("TROTH_CONFIG", "XDG_CONFIG_HOME", "HOME")}


def write(text, path=f"{D}/x.yaml"):
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    return path


def printed(*args, verb="serve", cwd=None, **env):
    """What is in force, as text without comments, and the whole of it."""
    r = subprocess.run([TROTH, verb, *args, "--print-config"], capture_output=True, text=True, timeout=60, env={**bare, **env}, cwd=cwd, check=False)
    assert r.returncode == 0 and not r.stderr, (args, r)
    return "\n".join(line.split("  #")[0] for line in r.stdout.split("\n") if line and line[0] != "#"), r.stdout


def problems(text, *words, verb="serve", status=2, lines=None):
    """Each of these stands in a line of its own, behind the file and the line; nothing else is said."""
    path = write(text)
    r = subprocess.run([TROTH, verb, "--config", path, *(["x"] if verb == "get" else [])], capture_output=True, timeout=60, env=bare, check=False)
    said = r.stderr.decode(errors="replace").split("\n")
    ok = r.returncode == status and not r.stdout and all(any(f"{path}:{n}: " in s and w in s for s in said) for n, w in words) and "\x1b" not in str(said)
    check(f"problem: {str(text)[:60]!r}", ok and len(said) - 1 <= (lines or len(words)), (r.returncode, said))


# ---- which file
write("grace: 1\n", f"{HOME}/.config/troth/serve.yaml")
write("grace: 2\n", f"{XDG}/troth/serve.yaml")
own, named = write("grace: 3\n", f"{D}/own.yaml"), write("grace: 4\n", f"{D}/named.yaml")
for what, want, args, env in (
        ("~/.config", "1", (), {"HOME": HOME}), ("XDG_CONFIG_HOME", "2", (), {"HOME": HOME, "XDG_CONFIG_HOME": XDG}),
        ("XDG_CONFIG_HOME is passed over where it is not absolute", "1", (), {"HOME": HOME, "XDG_CONFIG_HOME": "xdg"}),
        ("TROTH_CONFIG goes before it", "4", (), {"XDG_CONFIG_HOME": XDG, "TROTH_CONFIG": named}),
        ("an empty TROTH_CONFIG is none", "2", (), {"XDG_CONFIG_HOME": XDG, "TROTH_CONFIG": ""}),
        ("--config goes before that", "3", ("--config", own), {"TROTH_CONFIG": named}),
        ("the command line goes before the file", "5", ("--config", own, "--grace", "5"), {})):
    got, _ = printed(*args, **env)
    check(what, got == f"grace: {want}", got)
for what, args, env in (("--no-config", ("--no-config",), {"XDG_CONFIG_HOME": XDG}), ("an empty file", (), {"TROTH_CONFIG": "/dev/null"}),
                        ("no default file is no mistake", (), {"XDG_CONFIG_HOME": "/no/such"}), ("another verb's file", (), {"XDG_CONFIG_HOME": f"{D}/xdg/"})):
    got, _ = printed(*args, verb="proxy" if "verb" in what else "serve", **env)
    check(what, got == "", got)
for what, args, env in (("--config", ("--config", "/no/such.yaml"), {}), ("TROTH_CONFIG", (), {"TROTH_CONFIG": "/no/such.yaml"}), (D, ("--config", D), {})):
    r = run("serve", *args, status=8, env={**bare, **env})
    check(f"no file: {what}", what in r.stderr and len(r.stderr.split("\n")) == 2, r.stderr)
for words, args in ((["standard input"], ("--config", "-")), (["--no-config", "one of them"], ("--config", own, "--no-config")), (["empty"], ("--config", ""))):
    r = run("serve", *args, status=2, env=bare)
    check(f"refused: {args}", all(w in r.stderr for w in words), r.stderr)
if os.getuid():
    os.chmod(f"{XDG}/troth/serve.yaml", 0)
    r = run("serve", status=8, env={**bare, "XDG_CONFIG_HOME": XDG})
    check("a default file that cannot be read is a mistake", "Permission denied" in r.stderr, r.stderr)
    os.chmod(f"{XDG}/troth/serve.yaml", 0o644)

# ---- what goes before what
own = write(f"cert: [{CERT}, a]\nkey: [b, c]\nstaple: s\nverbose: true\nlog: json\nlisten: 127.0.0.1:1\n", f"{D}/own.yaml")
for what, args, want in (
        ("a list is replaced, not added to", ("--listen", "127.0.0.1:2"), "listen:\n  - 127.0.0.1:2"), ("-q goes before verbose: true", ("-q",), "quiet: true"),
        ("--json goes before log: json", ("--json",), "json: true")):
    got, _ = printed("--config", own, *args)
    check(what, want in got and ("127.0.0.1:1" in got) == (args[0] != "--listen") and ("log: json" in got) == (args[0] != "--json"), got)
got, _ = printed("--config", own, "--cert", "/new.pem")
check("--cert takes the file's keys with it", "/new.pem" in got and "key:" not in got and "staple:" not in got and CERT not in got, got)
got, _ = printed("--config", own, "-q")
check("what it contradicts is gone", "verbose" not in got, got)
got, _ = printed("--config", write("verbose: false\nquiet: true\n"))
check("false is as if it were not there", got == "quiet: true", got)
got, _ = printed("--config", write("ca: /a.pem\n", f"{D}/get.yaml"), "--roots", "/b.pem", "https://a.example", verb="get")
check("--roots goes before ca:", "/b.pem" in got and "/a.pem" not in got, got)

# ---- mistakes
problems("certt: x\n", (1, "did you mean `cert'"))
problems("# a\n\nabcdefg: x\nsni: y\nconfig: z\n", (3, "no option `abcdefg'"), (4, "means nothing to troth serve"), (5, "on the command line"))
problems("verbose: yes\nquiet: 'true'\njson: [true]\n", (1, "true or false, and this is `yes'"), (2, "the text `true'"), (3, "list"))
problems("cert: true\nmin: [1.2]\nkey:\ncrl: ~\nstaple:\n  a: b\nalpn: [[h2]]\nlisten: []\n", (1, "truth value"), (2, "one value"), (3, "no value"), (4, "no value"),
         (6, "mapping"), (7, "list in its list"), (8, "empty list"))
problems("key: a\ncert: b\nkey: c\n", (3, "set in line 1 already"))
problems("cert: &a x\nkey: *a\ncrl: !!str y\n<<: *b\n", (1, "anchors"), (2, "aliases"), (3, "tags"), (4, "aliases"))
problems("cert: ''\n", (1, "empty"))
problems("listen: [::1]:8443\n", (1, "this is no YAML"), lines=2)
problems("cert:\n\t- a\n", (2, "tab"))
problems("a\n", (1, "option: value"))
problems("- cert\n", (1, "option: value"))
problems("grace: 1\n--- \ngrace: 2\n", (2, "second document"))
problems(b"grace: 1\ncert: \xff\n", (2, "UTF-8"))
problems("grace: 1\ncert: 'x\n", (2, "this is no YAML"), lines=2)
problems('cert: "a\\0"\n', (1, "byte 0"))
problems("cert: \x1b[31m\n", (1, "UTF-8"))
problems("certt: \"\\e[31m\"\n\"\\e[31m\": x\n", (1, "did you mean"), (2, "no option `\\x1b[31m'"))
problems("crl: [" + "x, " * 300 + "]\n", (1, "more than 256"), lines=2)
r = run("serve", "--config", write("cert: [" + "x, " * 200 + "]\n"), *["--listen", "127.0.0.1:0"] * 60, status=2, env=bare)
check("both together have a bound, too", "at most 256" in r.stderr, r.stderr)
problems("a: " + "[" * 200000, (1, "list in its list"))
problems("a: &a [x]\n" + "".join(f"b{i}: &b{i} [*a, *a, *a]\n" for i in range(5)), (1, "anchors"), (2, "anchors"), lines=6)
problems("[" * 1000, (1, "option: value"))
problems("".join(f"no{i}: 1\n" for i in range(100)), (1, "no option"), (16, "no option"), lines=17)
r = run("serve", "--config", write("#" + "x" * (1 << 18)), status=8, env=bare)
check("a file that is too large", "larger" in r.stderr, r.stderr)
problems("grace: 1\nmax-connections: many\n", (2, "`many' is not a number"))
problems("psk-hash: sha256\n", (1, "it is about --psk"))
problems("cert: nofile.pem\n", (1, f"{D}/nofile.pem: No such file"), status=8, lines=2)
problems(f"# a\ncert: {CERT}\nkey: {KEY}\nclient-ca:\n  - {D}/ca.pem\n  - nobody.pem\n", (6, f"{D}/nobody.pem"), status=8, lines=2)
problems(f"ca: {D}/ca.pem\npin: 12\n", (2, "--pin"), verb="get")

# ---- what is printed can be read again, from anywhere
hard = ["a b", "a: b", "a #b", "true", "null", "~", "-x", "[x]", "x:", "'", '"\\', "\u00e4\u4e2d\U0001f600", "tab\there", "new\nline", "", "1.30", "0x10", "@x", "\u2028", "a\u202eb\u2069", "\u061c", " x "]
args = [w for h in hard for w in ("--header", h)]
got, whole = printed(*args, "-4", "--ca", "rel.pem", "--roots", "system", "--ech-config", "AAAA", "https://x", verb="get", cwd=D, TROTH_CONFIG="/dev/null")
again, _ = printed("--config", write(whole), "https://x", verb="get", cwd="/")
check("printed, read and printed again: the same", got.count("\n") > 25 and got == again and f"  - {D}/rel.pem\n" in got and "  - system" in got, (got, again))
for value in (b"\xff", b"\xc2\x85"):
    r = subprocess.run([TROTH, b"get", b"--header", value, b"--print-config", b"https://x"], capture_output=True, env=bare, timeout=60, check=False)
    check(f"no YAML for {value}", r.returncode == 2 and b"--header: YAML has no way" in r.stderr, r.stderr)

# ---- would it start?
web = home_page()
CA = f"{D}/ca.pem"


def checked(text, *words, verb="serve", status=0, args=()):
    """--check-config of such a file: all that is wrong, line by line, or the one sentence that nothing is."""
    r = run(verb, "--config", write(text), "--check-config", *args, status=status, env=bare)
    said = r.stderr.split("\n")
    ok = all(any((n == 0 or f"x.yaml:{n}: " in line) and w in line for line in said) for n, w in words)
    check(f"checked: {text[:50]!r}", ok and ("in order" in r.stdout) == (status == 0) and (bool(words) or not r.stderr), (r.stdout, said))


good = f"cert: {CERT}\nkey: {KEY}\ndir: web\nlisten: 127.0.0.1:1\n"
checked(good + "keylog: secrets\nrecord: failures\n")
check("and it wrote nothing", not os.path.exists(f"{D}/secrets") and not os.path.exists(f"{D}/failures"))
checked(good.replace("localhost-key", "ca-key"), (2, "key: "), status=8)
checked("cert: [a.pem, b.pem]\nkey: c.pem\nclient-ca: d.pem\nticket-key: e.key\ndir: nowhere\ngrace: long\nmax-connections: -1\nmin: 1.1\n" +
        "listen: '127.0.0.1:99999'\nrequest-timeout: soon\n", (1, "a.pem"), (1, "b.pem"), (3, "d.pem"), (4, "e.key"), (5, "nowhere"), (6, "--grace"),
        (7, "--max-connections"), (8, "--min"), (9, "99999"), (10, "--request-timeout"), (0, "127.0.0.1:99999' is no place"),
        status=2)
checked("grace: 1\n", (0, "--cert"), status=2)
check("--check is short for it", "in order" in run("serve", "--config", write(good), "--check", env=bare).stdout)
checked(f"cert: {CERT}\nkey: {KEY}\nbackend: 127.0.0.1:9\n", verb="proxy")
checked(f"cert: {CERT}\nkey: nokey.pem\nsend-proxy: v9\nbackend: 'a:b'\n", (2, "nokey.pem"), (3, "v9"), verb="proxy", status=2)
checked(f"wrap: localhost:1\nca: {CA}\nbackend: 127.0.0.1:9\npin: 12\n", (4, "--pin"), verb="proxy", status=2)
checked(f"wrap: localhost:1\nca: {CA}\ncert: no.pem\nkey: {KEY}\n", (3, "no.pem"), verb="proxy", status=8)
run("ca", "init", "--out", f"{D}", status=8)
os.makedirs(f"{D}/past")
run("ca", "init", "--out", f"{D}/past", "--not-before", "2020-01-01")
run("ca", "issue", "--out", f"{D}/past", "--not-before", "2020-02-01", "--days", "9", "localhost")
checked("cert: past/localhost.pem\nkey: past/localhost-key.pem\ndir: web\n", (0, "warning"), status=0)

# ---- the examples, with files as they name them
for verb, needed in (("serve", {"serve-cert.pem": CERT, "serve-key.pem": KEY}), ("proxy", {"proxy-cert.pem": CERT, "proxy-key.pem": KEY, "clients.pem": CA})):
    folder = f"{D}/etc-{verb}"
    os.makedirs(folder)
    text = open(f"{os.environ['SRC_DIR']}/docs/examples/{verb}.yaml", encoding="utf-8").read()
    for name, source in needed.items():
        check(f"{verb}.yaml names {name}", name in text)
        shutil.copy(source, f"{folder}/{name}")
    r = run(verb, "--config", write(text.replace("/srv/www", web), f"{folder}/{verb}.yaml"), "--check-config", status=None, env=bare)
    check(f"{verb}.yaml, as it is in docs/examples", r.returncode == 0 and not r.stderr and "in order" in r.stdout, (r.stdout, r.stderr))
# ---- a name without a folder: beside the file, or lent
os.makedirs(f"{D}/lent")
shutil.copy(CERT, f"{D}/lent/c.pem")
shutil.copy(KEY, f"{D}/lent/k.pem")
os.makedirs(f"{D}/beside")
conf = write("cert: c.pem\nkey: k.pem\n", f"{D}/beside/serve.yaml")
for what, lent, status in (("lent", f"{D}/lent", 0), ("nowhere", "/no/such", 8)):
    r = run("serve", D, "--config", conf, "--check-config", status=None, env={**bare, "CREDENTIALS_DIRECTORY": lent})
    check(f"a certificate that is {what}", r.returncode == status and (status == 0 or f"{D}/beside/c.pem" in r.stderr), r.stderr)
shutil.copy(f"{D}/past/localhost.pem", f"{D}/beside/c.pem")
r = run("serve", D, "--config", conf, "--check-config", status=8, env={**bare, "CREDENTIALS_DIRECTORY": f"{D}/lent"})
check("what is beside the file goes before what is lent", "the private key does not belong" in r.stderr, r.stderr)

# ---- the file is read again at HUP
conf = write(good.replace("web", web) + "grace: 5\nalpn: http/1.1\n", f"{D}/live.yaml")
s = Server("--config", conf, "--log", "json")  # which brings --listen and --port-file
check("a server from a file", ask(s.port, CA, "/")[2] == b"<h1>home</h1>", s.log())


def again(text, *words):
    before = s.log()
    write(text, conf)
    s.kill(signal.SIGHUP)
    for _ in range(100):
        news = [json.loads(line) for line in s.log()[len(before):].split("\n") if line]
        if any("result" in n for n in news):
            break
        s.said("no such word", seconds=0.05)
    check(f"reload: {words}", all(any(n.get(k) == v or (k in ("why", "what") and v in n.get(k, "")) for n in news) for k, v in words) and
          ask(s.port, CA, "/")[2] == b"<h1>home</h1>", news)


def version():
    with tls(s.port, CA) as c:
        return c.version()


again(good + "certt: x\nmin: 9\n", ("result", "kept the old configuration"), ("why", f"{conf}:5: there is no option `certt'; did you mean `cert'?"))
again(good + "cert: [", ("why", f"{conf}:5: "))
again(good + "min: 9\nmax-connections: 0\n", ("why", f"{conf}:6: --max-connections"))
again(good.replace(CERT, f"{D}/none.pem"), ("why", f"{conf}:1: cert: "), ("result", "kept the old configuration"))
again(good + "ca: x\n", ("why", "`ca' means nothing"))
check("the old one serves", version() == "TLSv1.3")
again(good + "max: 1.2\n", ("result", "ok"), ("file", conf))
check("the new one serves", version() == "TLSv1.2")
s.kill(signal.SIGUSR2)
check("the state says which file it is from", s.said(f'"config":"{conf}"'), s.log())
again(good.replace("127.0.0.1:1", "127.0.0.1:2") + "session-cache: 5\nkeylog: x\n", ("result", "ok"), ("option", "session-cache"), ("option", "keylog"), ("what", "only a start"))
check("what only a start reads stays", version() == "TLSv1.3" and not os.path.exists(f"{D}/x"), s.log())
again(good + "request-timeout: 1\ntimeout: 0\n", ("why", f"{conf}:6: --timeout"))
again(good + "request-timeout: 0\ntimeout: 1\n", ("why", f"{conf}:5: --request-timeout"))
again(good + "request-timeout: 1\n", ("result", "ok"))
with tls(s.port, CA) as c:  # the end of the request does not come
    c.sendall(b"GET / HTTP/1.1\r\n")
    c.settimeout(19)  # seconds are what it was before
    check("a request has a second now", c.recv(100) == b"")
os.remove(conf)
s.kill(signal.SIGHUP)
check("the file is gone", s.said(f"{conf}: No such file") and version() == "TLSv1.3", s.log())
again(good + "max: 1.2\n", ("result", "ok"))
again(good + "verbose: true\n", ("result", "ok"))
check("and says more", ask(s.port, CA, "/")[2] == b"<h1>home</h1>" and s.said('"event":"request"'), s.log())
check("every line is JSON", all(json.loads(line) for line in s.log().split("\n") if line))

# ---- what is written does not depend on when it is
run("connect", "--ca", CA, "--record", f"{D}/one.troth", f"localhost:{s.port}", env=bare)
for name in ("a", "b"):
    run("explain", f"{D}/one.troth", "--html", f"{D}/{name}.html", env=bare)
    time.sleep(1.1)
pages = [open(f"{D}/{name}.html", encoding="utf-8").read() for name in ("a", "b")]
check("two pages of one recording are the same, with the connection's time", pages[0] == pages[1] and "<time datetime=" in pages[0])
check("it ends well", s.end() == 0)
finish()
