"""The stories of captured handshakes, word for word.  UPDATE=1 writes them anew: read the difference before you commit it."""
import difflib
import os
import subprocess
import sys

src = os.environ["SRC_DIR"]
here, tool = os.path.join(src, "tests/explain/data"), os.path.join(os.environ["BUILD_DIR"], "bin/explain_capture")
bad = 0
for name, n in (("full", 0), ("hrr", 0), ("tls12", 0), ("resumed", 1), ("mtls", 0), ("failed", 0)):
    keys = f"{here}/{name}.keys"
    out = subprocess.run([tool, f"{here}/{name}.pcapng", keys if os.path.exists(keys) else "/dev/null", str(n), "unicode"],
                         capture_output=True, check=True).stdout.decode()
    out = "\n".join(line.rstrip() for line in out.splitlines()) + "\n"
    golden = os.path.join(src, f"tests/explain/golden/{name}.txt")
    if os.environ.get("UPDATE"):
        os.makedirs(os.path.dirname(golden), exist_ok=True)
        open(golden, "w", encoding="utf-8").write(out)
    want = open(golden, encoding="utf-8").read()
    if want != out:
        bad += 1
        print("".join(difflib.unified_diff(want.splitlines(True), out.splitlines(True), golden, "now")))
sys.exit(bad)
