#!/usr/bin/env python3
# ctest: slow timeout=400
"""The manual's commands, run as they stand: each `$ ` line of docs/man/*.scd in order, each page in a folder of its own.

`# exit N` behind a command is the exit status it must have (0 without); `&` at the end starts a server that stays until the end.  The
tutorial begins with nothing; the pages of the verbs have an authority, certificates and a server to talk about.  Every verb has
examples, every option of every verb stands on its page, and the shells complete what the tables have."""
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SRC = Path(os.environ["SRC_DIR"])
TROTH = Path(os.environ["TROTH"])
TUTORIAL = "troth-tutorial.7"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return str(s.getsockname()[1])


def wait_for(port, server):
    for _ in range(200):
        if server.poll() is not None:
            sys.exit(f"the server ended with {server.returncode}")
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", int(port))) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"nobody listens on {port}")


SETUP = """$ troth ca init --out pki -q
$ troth ca issue --out pki -q localhost 127.0.0.1
$ troth ca issue --out pki -q --client me
$ mkdir www
$ echo hello >www/index.html
$ troth serve www --listen 127.0.0.1:8443 --early-max 16384 --cert pki/localhost.pem --key pki/localhost-key.pem &
"""


def commands(path):
    """(command, exit status) with the page's fixed ports replaced by free ones."""
    text = path.read_text(encoding="utf-8")
    if path.stem != TUTORIAL:
        text = SETUP + text
    for port in sorted(set(re.findall(r"\b84\d\d\b", text))):
        text = text.replace(port, free_port())
    for line in re.findall(r"^\$ (.*)$", text, re.M):
        command, _, status = line.replace("\\\\", "\\").partition("# exit ")
        yield command.strip(), int(status or 0)


def run_page(path):
    """(commands, of which were not as the page says)"""
    bad, ran, servers = 0, 0, []
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "PATH": f"{TROTH.parent}:{os.environ['PATH']}", "HOME": folder}
        try:
            for command, want in commands(path):
                ran += 1
                if command.endswith("&"):
                    log = open(Path(folder) / f"log{ran}", "w", encoding="utf-8")
                    servers.append(subprocess.Popen("exec " + command[:-1], shell=True, cwd=folder, env=env, stderr=log))
                    wait_for(re.search(r"127\.0\.0\.1:(\d+)(?!.*127\.0\.0\.1)", command)[1], servers[-1])
                    continue
                got = subprocess.run(command, shell=True, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                                     text=True, timeout=60)
                if got.returncode != want or (want and not got.stderr + got.stdout):
                    bad += 1
                    print(f"{path.name}: {command}\n  exit {got.returncode}, not {want}\n{got.stdout[-2000:]}{got.stderr[-2000:]}")
        finally:
            for server in servers:
                server.send_signal(signal.SIGTERM)
                bad += server.wait(timeout=30) != 0 and not print(f"{path.name}: {server.args[5:]} ended with {server.returncode}")
    return ran, bad


def main():
    total, bad = 0, 0
    for path in sorted((SRC / "docs/man").glob("*.scd")):
        ran, wrong = run_page(path)
        total, bad = total + ran, bad + wrong
        if ran < (15 if path.stem == TUTORIAL else 7):
            bad += 1
            print(f"{path.name}: {ran} commands are too few")
    verbs = re.findall(r'^VERB\(\w+, "([^"]+)"', (SRC / "cli/verbs.def").read_text(encoding="utf-8"), re.M)
    bad += sum(not (SRC / f"docs/man/troth-{v}.1.scd").exists() and not print(f"troth {v}: no examples") for v in verbs)
    with tempfile.TemporaryDirectory() as out:
        subprocess.run([SRC / "tools/make-man", out, str(SRC)], check=True, stdout=subprocess.DEVNULL)
        for v in verbs:
            page = Path(out, f"troth-{v}.1.scd").read_text(encoding="utf-8")
            shown = subprocess.run([TROTH, v, "--help"], capture_output=True, text=True, check=True).stdout
            for option in re.findall(r"^  (?:-\w, |    )--([a-z0-9-]+)", shown, re.M):
                if f"--{option}*" not in page:
                    bad += 1
                    print(f"troth-{v}(1) does not have --{option}")
        subprocess.run([SRC / "tools/make-completions", out, str(SRC)], check=True, stdout=subprocess.DEVNULL)
        bad += completes(out)
    print(f"{total} commands, {bad} not as the manual says")
    sys.exit(bad != 0 or total < 100)


def completes(out):
    """What bash offers for some beginnings; the other two shells' files name every verb and option."""
    bad = 0
    for line, want in (("troth conn", "connect"), ("troth connect --sess", "--session"), ("troth check --fail-on cri", "critical"),
                       ("troth verify --purpose cl", "client"), ("troth serve --cli", "--client-ca"), ("troth connect --color al", "always")):
        words = line.split(" ")
        script = (f"source {out}/troth.bash; COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; "
                  "_troth; printf '%s\\n' \"${COMPREPLY[@]}\"")
        got = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
        if want not in got.stdout.split("\n"):
            bad += 1
            print(f"bash does not complete `{line}' to {want}: {got.stdout}{got.stderr}")
    for name in ("_troth", "troth.fish"):
        text = Path(out, name).read_text(encoding="utf-8")
        for word in ("explain-error", "--session" if name == "_troth" else "-l session", "critical"):
            if word not in text:
                bad += 1
                print(f"{name} does not know {word}")
    return bad


main()
