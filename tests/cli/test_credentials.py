"""CREDENTIALS_DIRECTORY: the folder where files are looked for that an option names without any.
ctest: slow"""
import os
import shutil
import subprocess

from serving import D, Server, ask, authority, check, finish, home_page, refused, run

authority()
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"
web, identity = home_page(), ("--cert", CERT, "--key", KEY)
lent, here = f"{D}/lent", f"{D}/here"
os.makedirs(f"{here}/sub")
os.makedirs(f"{lent}/sub")
os.makedirs(f"{lent}/folder")
os.chdir(here)
for name in ("cert", "sub/cert"):
    shutil.copyfile(CERT, f"{lent}/{name}")
shutil.copyfile(CA, f"{lent}/ca")
subprocess.run(["openssl", "pkcs8", "-topk8", "-in", KEY, "-out", f"{lent}/key", "-passout", "pass:sesame"], check=True, capture_output=True)
for name, text in (("pass", "sesame"), ("junk", "junk")):
    open(f"{lent}/{name}", "w", encoding="utf-8").write(text + "\n")
os.environ["CREDENTIALS_DIRECTORY"] = lent
s = Server(web, "--passphrase-file", "pass", cert="cert", key="key")
check("serve: certificate, key and passphrase from CREDENTIALS_DIRECTORY", ask(s.port, CA, "/")[0] == 200, s.log())
run("connect", "--ca", "ca", f"localhost:{s.port}")
s.end()
for option, more in (("--cert", ()), ("--key", ("--cert", CERT)), ("--client-ca", identity), ("--ech-key", identity), ("--staple", identity),
                     ("--crl", ("--client-ca", CA, *identity)), ("--ticket-key", identity), ("--raw-key", ()), ("--psk", ()),
                     ("--delegated", ("--delegated-key", KEY, *identity))):
    refused([f"{lent}/junk"], "serve", web, option, "junk", *more, status=8)
refused([f"{lent}/folder: is a directory"], "serve", web, "--delegated-key", "folder", "--delegated", CERT, *identity, status=8)
refused(["opened: nothing: "], "serve", web, "--cert", "nothing", "--key", KEY, status=8)
refused(["opened: sub/cert: "], "serve", web, "--cert", "sub/cert", "--key", KEY, status=8)
open("cert", "w", encoding="utf-8").write("another\n")
refused(["serve: cert with"], "serve", web, "--cert", "cert", "--key", "key", "--passphrase-file", "pass", status=8)
os.environ["CREDENTIALS_DIRECTORY"] = "/" + 9000 * "x"
refused(["CREDENTIALS_DIRECTORY"], "serve", web, "--cert", "other", "--key", KEY)
del os.environ["CREDENTIALS_DIRECTORY"]
refused(["opened: junk: "], "serve", web, "--cert", "junk", "--key", KEY, status=8)
finish()
