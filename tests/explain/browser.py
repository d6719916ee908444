"""A browser for tests: Chromium without a window, driven over the DevTools protocol through a pipe.  Needs nothing but Python."""
import base64
import json
import os
import shutil
import subprocess
import tempfile


def find():
    return next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)


class Browser:
    def __init__(self, options=(), environment=None):
        self.home = tempfile.mkdtemp(prefix="browser")
        to_child, self.write_to = os.pipe()
        self.read_from, from_child = os.pipe()

        def wire():                      # Chromium reads commands from descriptor 3 and answers on 4
            a, b = os.dup(to_child), os.dup(from_child)
            os.dup2(a, 3)
            os.dup2(b, 4)

        os.set_inheritable(to_child, True)
        os.set_inheritable(from_child, True)
        self.process = subprocess.Popen(
            [find(), "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--hide-scrollbars",
             "--no-first-run", "--disable-extensions", "--disable-dev-shm-usage", f"--user-data-dir={self.home}", *options, "about:blank"],
            env=os.environ | (environment or {}),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False, preexec_fn=wire)
        os.close(to_child)
        os.close(from_child)
        self.buffer, self.next, self.events, self.session = b"", 0, [], None
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "DOM", "Network"):
            self.call(domain + ".enable")

    def receive(self):
        while b"\0" not in self.buffer:
            more = os.read(self.read_from, 1 << 16)
            if not more:
                raise RuntimeError("the browser is gone")
            self.buffer += more
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **params):
        self.next += 1
        message = {"id": self.next, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.next:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, url, width=1440, height=900, dark=False, script=True, media=""):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", media=media, features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}, {"name": "prefers-reduced-motion", "value": "reduce"}])
        self.call("Emulation.setScriptExecutionDisabled", value=not script)
        self.events.clear()
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=url)
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events[-50:]) or self.js("document.readyState") != "complete" \
                or self.js("location.href") == "about:blank":
            self.js("1")
        return self

    def js(self, expression):
        """The value of an expression; promises are awaited; an exception is one here too."""
        r = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in r:
            raise RuntimeError(r["exceptionDetails"].get("exception", {}).get("description", str(r["exceptionDetails"])))
        return r["result"].get("value")

    def problems(self):
        """What the page complained about, or tried to load."""
        bad = []
        for e in self.events:
            m, p = e.get("method"), e.get("params", {})
            if m == "Runtime.exceptionThrown":
                bad.append(p["exceptionDetails"].get("exception", {}).get("description", "exception"))
            elif m == "Log.entryAdded" and p["entry"]["level"] in ("error", "warning"):
                bad.append(p["entry"]["text"])
            elif m == "Runtime.consoleAPICalled" and p["type"] in ("error", "warning", "assert"):
                bad.append(str(p["args"]))
            elif m == "Network.requestWillBeSent" and not p["request"]["url"].startswith(("file:", "about:", "data:")):
                bad.append("loads " + p["request"]["url"])
        return bad

    def mouse(self, selector, index=0):
        """Puts the pointer on the middle of an element."""
        x, y = self.js(f"(() => {{ const e = document.querySelectorAll({json.dumps(selector)})[{index}]; e.scrollIntoView({{block: 'center'}});"
                       " const r = [...e.getClientRects()].sort((a, b) => b.width - a.width)[0]; return [r.x + Math.min(r.width, 30) / 2, r.y + r.height / 2]; })()")
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        return x, y

    def click(self, selector, index=0):
        x, y = self.mouse(selector, index)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def key(self, key, text=None, modifiers=0):
        extra = {"text": text if text is not None else key} if len(key) == 1 else ({"text": "\r"} if key == "Enter" else {})
        codes = {"Enter": 13, "Escape": 27}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, modifiers=modifiers, windowsVirtualKeyCode=codes.get(key, 0), **extra)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, modifiers=modifiers)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def shot(self, path, selector=None, whole=False):
        clip = {}
        if selector:
            r = self.js(f"(() => {{ const r = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
                        " return [r.x + scrollX, r.y + scrollY, r.width, r.height]; })()")
            clip = {"clip": {"x": r[0], "y": r[1], "width": r[2], "height": r[3], "scale": 1}, "captureBeyondViewport": True}
        elif whole:
            clip = {"captureBeyondViewport": True}
            r = self.js("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
            clip["clip"] = {"x": 0, "y": 0, "width": r[0], "height": r[1], "scale": 1}
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.call("Page.captureScreenshot", format="png", **clip)["data"]))

    def close(self):
        try:
            self.session = None
            self.call("Browser.close")
        except (RuntimeError, OSError):
            pass
        self.process.wait(timeout=20)
        os.close(self.write_to)
        os.close(self.read_from)
        shutil.rmtree(self.home, ignore_errors=True)
