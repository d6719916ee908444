"""serve and proxy say at their start, and when they read it again, which certificate ends soon; of others they say nothing."""
import os
import shutil
import signal
import time

from serving import D, Server, check, finish, home_page, refused, run

DAY = 86400
web, now = home_page(), int(time.time())
run("ca", "init", "--out", D, "--not-before", str(now - 100 * DAY))


def issue(name, age, days):
    """(certificate, key) that is so old, and an hour, and is valid for so long: its last day has begun, however quick we are."""
    os.makedirs(f"{D}/{name}")
    shutil.copy(f"{D}/ca.pem", f"{D}/{name}")
    shutil.copy(f"{D}/ca-key.pem", f"{D}/{name}")
    run("ca", "issue", "localhost", "--out", f"{D}/{name}", "--not-before", str(now - age * DAY - 3600), "--days", str(days))
    return f"{D}/{name}/localhost.pem", f"{D}/{name}/localhost-key.pem"


def said(server):
    return [line for line in server.log().split("\n") if "event=certificate" in line]


for name, age, days, options, code, words in (
        ("fresh", 0, 30, (), None, ""), ("short", 1, 3, (), None, ""), ("soon", 20, 23, (), "config.expired-soon", "in 2 days"),
        ("short-soon", 5, 6, (), "config.expired-soon", "in 0 days"), ("two weeks", 60, 73, (), "config.expired-soon", "in 12 days"),
        ("asked", 0, 30, ("--warn-days", "40"), "config.expired-soon", "in 29 days"), ("not asked", 20, 23, ("--warn-days", "0"), None, ""),
        ("over", 20, 10, ("--warn-days", "0"), "cert.expired", "10 days ago")):
    cert, key = issue(name, age, days)
    s = Server(web, *options, cert=cert, key=key)
    lines = said(s)
    check(name, len(lines) == (code is not None) and (not code or (f"code={code} " in lines[0] and words in lines[0] and "CN=localhost" in lines[0] and
                                                                    "level=warn" in lines[0] and cert in lines[0])), s.log())
    if code:
        s.kill(signal.SIGHUP)
        check(f"{name}: again, when it is read again", s.said("event=reload") and len(said(s)) == 2, s.log())
    s.end()
with open(f"{D}/fresh/localhost.pem", "a", encoding="ascii") as f:  # as of an issuer
    f.write(open(f"{D}/soon/localhost.pem", encoding="ascii").read())
s = Server(web, cert=f"{D}/fresh/localhost.pem", key=f"{D}/fresh/localhost-key.pem")
check("one that is sent along", len([x for x in said(s) if "config.expired-soon" in x and "in 2 days" in x]) == 1, s.log())
s.end()
p = Server("--backend", "127.0.0.1:1", verb="proxy", cert=f"{D}/soon/localhost.pem", key=f"{D}/soon/localhost-key.pem")
check("proxy", len(said(p)) == 1, p.log())
p.end()
p = Server("--wrap", "localhost:1", "--ca", f"{D}/ca.pem", verb="proxy", cert=f"{D}/soon/localhost.pem", key=f"{D}/soon/localhost-key.pem")
check("and its own as a client", len(said(p)) == 1, p.log())
p.end()
for days in ("-1", "x", "3651"):
    refused(["--warn-days", "0 to 3650"], "serve", web, "--cert", cert, "--key", key, "--warn-days", days)
finish()
