"""The units of systemd: systemd knows every word of theirs (where it is at hand), and their command does what they say: it serves on the socket
that was passed, with the files that were lent, and says that it is ready.
ctest: slow"""
import os
import re
import shutil
import signal
import subprocess

from serving import D, TROTH, ask, authority, check, finish, home_page, tls
from supervising import Daemon, Supervisor, local, port_of

authority()
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"
web = home_page()
made, units, lent = os.environ["BUILD_DIR"] + "/gen", f"{D}/units", f"{D}/lent"
os.makedirs(units)
os.makedirs(lent)


def words_of(command, settings):
    """As systemd has it: $NAME is as many words as it has, ${NAME} is one."""
    for word in command.split():
        name = re.fullmatch(r"\$({?)(\w+)}?", word)
        yield from [word] if not name else [settings[name[2]]] if name[1] else settings[name[2]].split()


def start(verb, config="/dev/null", ready=True, **own):
    """The service of that unit: its command, its files, on the socket `door`, beside that configuration."""
    text = open(f"{made}/troth-{verb}.service", encoding="utf-8").read()
    settings = dict(re.findall(r"^Environment=(\w+)=(.*)$", text, re.M))
    check(f"{verb}: has a setting for {[*own]}", own.keys() <= settings.keys(), settings)
    settings |= own
    program, *words = words_of(re.search(r"^ExecStart=(.*)$", text, re.M)[1], settings)
    check(f"{verb}: the program that is installed", os.path.isabs(program) and os.path.basename(program) == "troth" and words[0] == verb, program)
    for name in re.findall(r"^LoadCredential=([^:]*):/", text, re.M):
        shutil.copyfile(KEY if "key" in name else CERT, f"{lent}/{name}")
    open(f"{units}/troth-{verb}.service", "w", encoding="utf-8").write(text.replace(program, TROTH))
    shutil.copy(f"{os.environ['SRC_DIR']}/cli/systemd/troth-{verb}.socket", units)
    boss = Supervisor(f"{D}/notify-{verb}")
    s = Daemon(*words, sockets=[door], LISTEN_PID="PID", LISTEN_FDS="1", LISTEN_FDNAMES="https", NOTIFY_SOCKET=boss.name, CREDENTIALS_DIRECTORY=lent,
               TROTH_CONFIG=config)
    if ready:
        check(f"{verb}: ready", boss.hear().get("READY") == "1")
    os.remove(boss.name)
    return s


door = local()
s = start("serve", DIR=web, OPTIONS="--max 1.2 -v")
check("serve: the folder, with the options", ask(port_of(door), CA, "/")[2] == b"<h1>home</h1>" and s.said('version="TLS 1.2"'), s.log())
s.end()
backend = local()
s = start("proxy", BACKEND=f"127.0.0.1:{port_of(backend)}")
with tls(port_of(door), CA) as c:
    behind = backend.accept()[0]
    behind.sendall(b"plain")
    check("proxy: the backend", c.recv(5) == b"plain", s.log())
s.end()
s.end()
# ---- beside a configuration: the example without what it says the unit has, and with it
example = open(f"{os.environ['SRC_DIR']}/docs/examples/serve.yaml", encoding="utf-8").read()
rest = re.sub(r"^(listen|cert|key|dir):.*\n", "", example, flags=re.M)
for name, text in (("rest", rest), ("all", example)):
    open(f"{D}/{name}.yaml", "w", encoding="utf-8").write(text)
s = start("serve", config=f"{D}/rest.yaml", DIR=web)
check("serve: with a configuration", ask(port_of(door), CA, "/")[2] == b"<h1>home</h1>" and '"level":"info"' in s.log(), s.log())
s.kill(signal.SIGHUP)
check("serve: which is read again", s.said(f'"file":"{D}/rest.yaml"'), s.log())
s.end()
s = start("serve", config=f"{D}/all.yaml", ready=False, DIR=web)
check("serve: which must not say where to listen", s.failed(f"{D}/all.yaml:3: --listen", "LISTEN_FDS"), s.log())
analyze = shutil.which("systemd-analyze")
if analyze:
    files = [f"{units}/{name}" for name in sorted(os.listdir(units))]
    r = subprocess.run([analyze, "verify", "--man=no", *files], capture_output=True, text=True, timeout=60, check=False)
    said = [line for line in (r.stdout + r.stderr).splitlines() if "troth" in line]  # it also reads units of this machine
    check("systemd-analyze verify has nothing to say of them", len(files) == 4 and not said, said)
else:
    print("no systemd-analyze here: nobody checks how the units are spelled")
finish()
