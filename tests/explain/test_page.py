# ctest: serial timeout=300
"""The page in a real browser: bytes and fields light each other up, folding, finding, keys, themes, contrast, print, phone, no script."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import browser

if not browser.find():
    print("no chromium")
    sys.exit(77)

here = os.path.join(os.environ["SRC_DIR"], "tests/explain/data")
tool = os.path.join(os.environ["BUILD_DIR"], "bin/explain_capture")
work = tempfile.mkdtemp()


def page(name, n=0, form="html"):
    keys = f"{here}/{name}.keys"
    out = subprocess.run([tool, f"{here}/{name}.pcapng", keys if os.path.exists(keys) else "/dev/null", str(n), form], capture_output=True)
    assert out.returncode == 0, out.stderr
    assert len(out.stdout) < 1_000_000, f"{name}: {len(out.stdout)} bytes"
    path = f"{work}/{name}{n}{form}.html"
    open(path, "wb").write(out.stdout)
    return "file://" + path


CONTRAST = """(() => {
  const parse = s => { const m = s.match(/[\\d.]+/g).map(Number); if (s.startsWith('color(')) { m.splice(0, 3, ...m.slice(0, 3).map(x => x * 255)); } return m.length > 3 ? m : [...m, 1]; };
  const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3]));
  const light = c => { const l = c.map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * l[0] + .7152 * l[1] + .0722 * l[2]; };
  const bad = []; let n = 0;
  for (const e of document.querySelectorAll('main *, .bar *')) {
    if (!e.offsetParent || e.closest('svg')) continue;
    if (![...e.childNodes].some(t => t.nodeType === 3 && t.textContent.trim())) continue;
    const own = getComputedStyle(e), layers = []; let dim = 1;
    for (let up = e; up; up = up.parentElement) { const s = getComputedStyle(up); layers.unshift(parse(s.backgroundColor)); dim *= Number(s.opacity); }
    let back = [255, 255, 255];
    for (const l of layers) back = over(l, back);
    const ink = parse(own.color), front = over([...ink.slice(0, 3), ink[3] * dim], back);
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x), ratio = (a + .05) / (b + .05);
    const big = parseFloat(own.fontSize) >= 24 || (parseFloat(own.fontSize) >= 18.66 && Number(own.fontWeight) >= 700);
    n++;
    if (ratio < (big ? 3 : 4.5) && !(e.matches('.no, .hx b.x'))) bad.push(`${e.className || e.tagName} "${e.textContent.trim().slice(0, 30)}" ${ratio.toFixed(2)}`);
  }
  return { n, bad: [...new Set(bad.map(s => s))].slice(0, 12) };
})()"""

b = browser.Browser()
try:
    url = page("full")
    # ---- hovering: a field lights its bytes, a byte its field
    b.open(url)
    assert b.js("document.querySelectorAll('.msg').length") >= 12
    assert not b.js("document.querySelector('#m0').open")
    b.js("document.querySelector('#m0').open = true")
    b.mouse("#m0 li[data-t] > .row", 3)                     # random
    assert b.js("document.querySelectorAll('#m0 .hx b.on').length") == 1
    assert b.js("document.querySelector('#m0 .hx b.on').textContent.trim().split(/\\s+/).length") == 32
    assert b.js("document.querySelectorAll('#m0 .as b.on').length") == 1
    assert "random" in b.js("document.querySelector('#m0 .peek').textContent")
    assert "RFC 9846" in b.js("document.querySelector('#m0 .peek').textContent")
    tile = b.js("[...document.querySelectorAll('#m0 .hx b')].findIndex(e => e.dataset.n == document.querySelector('#m0 .hx b.on').dataset.n)") - 1
    b.mouse("#m0 .hx b", tile)
    lit = b.js("document.querySelector('#m0 .row.on .k').textContent")
    assert lit == "legacy_version", lit
    # ---- clicking a byte opens what is folded around its field
    deep = b.js("[...document.querySelectorAll('#m0 .hx b')].findIndex(e => { const li = document.getElementById('m0n' + e.dataset.n);"
                " return li && li.querySelector('.k').textContent === 'HostName'; })")
    assert deep > 0 and not b.js("document.getElementById('m0n' + document.querySelectorAll('#m0 .hx b')[%d].dataset.n).checkVisibility()" % deep)
    b.click("#m0 .hx b", deep)
    assert b.js("document.querySelector('#m0 .row.sel .k').textContent") == "HostName"
    assert b.js("document.querySelector('#m0 .row.sel').checkVisibility()")
    # ---- folding, by button and by key
    b.click("#fold")
    assert b.js("[...document.querySelectorAll('.msg')].every(d => d.open)")
    b.key("e")
    assert b.js("[...document.querySelectorAll('.msg')].every(d => !d.open)")
    # ---- finding
    b.key("/")
    assert b.js("document.activeElement.id") == "q"
    b.type("key_exchange")
    found = b.js("document.querySelector('#hits').textContent")
    assert found.startswith("1 of "), found
    assert b.js("document.querySelector('.row.sel').checkVisibility()")
    b.key("Enter")
    assert b.js("document.querySelector('#hits').textContent").startswith("2 of ")
    b.key("Enter", modifiers=8)
    assert b.js("document.querySelector('#hits').textContent").startswith("1 of ")
    b.key("Escape")
    assert b.js("document.querySelector('#q').value") == "" and b.js("document.querySelectorAll('.found').length") == 0
    # ---- walking, jumping, help, theme
    b.js("document.querySelector('#m0').open = true; document.activeElement.blur()")
    b.key("j")
    first = b.js("document.querySelector('.row.sel .k').textContent")
    b.key("j")
    assert b.js("document.querySelector('.row.sel .k').textContent") != first
    b.key("k")
    assert b.js("document.querySelector('.row.sel .k').textContent") == first
    b.key("4")
    assert abs(b.js("document.querySelector('#step4').getBoundingClientRect().top")) < 120
    b.key("?")
    assert b.js("document.querySelector('#help').open")
    b.js("document.querySelector('#help').close()")
    light = b.js("getComputedStyle(document.body).backgroundColor")
    b.key("t")
    assert b.js("getComputedStyle(document.body).backgroundColor") != light
    assert not b.problems(), b.problems()

    # ---- contrast in both themes, everything open; failures too
    for name in ("full", "failed", "tls12"):
        u = page(name)
        for dark in (False, True):
            b.open(u, dark=dark)
            assert (b.js("getComputedStyle(document.body).backgroundColor") == light) != dark
            b.js("for (const d of document.querySelectorAll('details')) d.open = true")
            result = b.js(CONTRAST)
            assert result["n"] > 100 and not result["bad"], (name, dark, result["bad"])
            assert not b.problems(), b.problems()

    # ---- windows in between: the bar gives way
    for width in (800, 1000, 1185, 1300):
        b.open(url, width=width, height=900)
        assert b.js("document.documentElement.scrollWidth") <= width, width

    # ---- a phone: nothing wider than the screen, eight bytes a line
    b.open(url, width=390, height=844)
    b.js("for (const d of document.querySelectorAll('details')) d.open = true")
    wide = b.js("[...document.querySelectorAll('main *')].filter(e => !e.closest('.drawing, .hex, .plain') && e.getBoundingClientRect().right > 391)"
                ".slice(0, 5).map(e => e.className + ' ' + e.textContent.slice(0, 30))")
    assert not wide and b.js("document.documentElement.scrollWidth") <= 390, wide
    assert b.js("getComputedStyle(document.querySelector('.g8')).display") == "block"

    # ---- without a script: all of it can be read, nothing is offered that would not work
    b.open(url, script=False)
    b.call("Emulation.setScriptExecutionDisabled", value=False)
    assert not b.js("document.querySelector('.tools').offsetParent")
    assert b.js("document.querySelectorAll('.why').length") > 100
    # ---- on paper
    b.open(url, media="print")
    assert not b.js("document.querySelector('.bar').offsetParent") and b.js("document.querySelector('.step').checkVisibility()")
    b.open(page("failed"))
    assert not b.problems()
finally:
    b.close()
print("the page works")
