#!/usr/bin/env python3
# ctest: slow
"""The tutorial's commands, run as they stand: each `$ ` line of docs/man/troth-tutorial.7.scd in order, in an empty folder.

`# exit N` behind a command is the exit status it must have (0 without); `&` at the end starts a server that stays until the end."""
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PAGE = Path(os.environ["SRC_DIR"]) / "docs/man/troth-tutorial.7.scd"
TROTH = Path(os.environ["TROTH"])


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


def commands():
    """(command, exit status) with the page's fixed ports replaced by free ones."""
    text = PAGE.read_text(encoding="utf-8")
    for port in sorted(set(re.findall(r"\b84\d\d\b", text))):
        text = text.replace(port, free_port())
    for line in re.findall(r"^\$ (.*)$", text, re.M):
        command, _, status = line.partition("# exit ")
        yield command.strip(), int(status or 0)


def main():
    bad, ran, servers = 0, 0, []
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "PATH": f"{TROTH.parent}:{os.environ['PATH']}", "HOME": folder}
        try:
            for command, want in commands():
                ran += 1
                if command.endswith("&"):
                    log = open(Path(folder) / f"log{ran}", "w", encoding="utf-8")
                    servers.append(subprocess.Popen("exec " + command[:-1], shell=True, cwd=folder, env=env, stderr=log))
                    wait_for(re.search(r"127\.0\.0\.1:(\d+)", command)[1], servers[-1])
                    continue
                got = subprocess.run(command, shell=True, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                                     text=True, timeout=60)
                if got.returncode != want or (want and not got.stderr + got.stdout):
                    bad += 1
                    print(f"{command}\n  exit {got.returncode}, not {want}\n{got.stdout[-2000:]}{got.stderr[-2000:]}")
        finally:
            for server in servers:
                server.send_signal(signal.SIGTERM)
                bad += server.wait(timeout=30) != 0
    print(f"{ran} commands, {bad} not as the tutorial says")
    sys.exit(bad != 0 or ran < 15)


main()
