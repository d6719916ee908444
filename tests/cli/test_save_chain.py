"""troth connect --save-chain: what the server sent, byte for byte, whatever became of the connection.
ctest: slow timeout=100"""
import os
import subprocess

from serving import D, Server, authority, check, finish, home_page, refused, run

authority()
web = home_page()
run("ca", "init", "--intermediate", "--out", f"{D}/two")
run("ca", "issue", "localhost", "--out", f"{D}/two")
CHAIN, ROOT, SAVED = (os.path.join(D, name) for name in ("two/localhost.pem", "two/root.pem", "saved.pem"))
s = Server(web, cert=CHAIN, key=f"{D}/two/localhost-key.pem")
at = f"localhost:{s.port}"


def read(path):
    with open(path, encoding="ascii") as f:
        return f.read()


sent = read(CHAIN)
check("two certificates", sent.count("BEGIN CERTIFICATE") == 2)
run("connect", "--ca", ROOT, "--save-chain", SAVED, at)
check("all of them, in their order", read(SAVED) == sent, read(SAVED))
for what, args, status in (("who is not trusted", (), 5), ("another name", ("--ca", ROOT, "--connect-to", f"127.0.0.1:{s.port}"), 5), ("--json", ("--ca", ROOT, "--json"), 0)):
    with open(SAVED, "w", encoding="ascii") as f:
        f.write("old")
    r = run("connect", "--save-chain", SAVED, *args, "elsewhere.example" if "--connect-to" in args else at, status=status)
    check(f"{what}: exit {status}, and it is there", read(SAVED) == sent, (read(SAVED), r.stderr))
r = run("connect", "-q", "--ca", ROOT, "--save-chain", "-", at)
check("on standard output", r.stdout == sent and not r.stderr, r)
r = subprocess.run([*r.args[:-1], at], input="GET / HTTP/1.0\r\n\r\n", capture_output=True, text=True, timeout=60, check=True)
check("before what the server says", r.stdout.startswith(sent + "HTTP/1.0 200"), r.stdout)
os.remove(SAVED)
r = run("connect", "--save-chain", SAVED, "localhost:1", status=3)
check("nobody there: nothing is written, and one thing said", not os.path.exists(SAVED) and "--save-chain" not in r.stderr, r.stderr)
for status in (0, 8):
    r = run("connect", "--ca", ROOT, "--session", f"{D}/ticket", "--save-chain", SAVED, at, status=status)
check("a session that is resumed brings none", "was resumed" in r.stderr, r.stderr)
refused(["No such file"], "connect", "-q", "--ca", ROOT, "--save-chain", f"{D}/none/x.pem", at, status=8)
refused(["--json", "name a file"], "connect", "--json", "--ca", ROOT, "--save-chain", "-", at)
check("ends in order", s.end() == 0, s.log()[-500:])
finish()
