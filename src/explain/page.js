"use strict";
(() => {
  const $ = (q, e = document) => e.querySelector(q), $$ = (q, e = document) => [...e.querySelectorAll(q)];
  const root = document.documentElement;
  $(".tools").hidden = false;

  // ---- light and dark
  const asked = new URLSearchParams(location.search).get("theme");
  const dark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  if (asked === "dark" || asked === "light") root.dataset.theme = asked;
  const flip = () => { root.dataset.theme = dark() ? "light" : "dark"; };
  $("#theme").onclick = flip;

  // ---- fields and bytes light each other up
  const tilesOf = new Map();                       // message element -> [[hex, text] of each tile]
  const tiles = m => {
    if (!tilesOf.has(m)) {
      const h = $$(".hx b", m), a = $$(".as b", m);
      tilesOf.set(m, h.map((e, i) => [e, a[i]]));
    }
    return tilesOf.get(m);
  };
  const rowOf = li => $(":scope > .row, :scope > details > summary > .row", li);
  let lit = [];
  const dim = () => { for (const [e, c] of lit) e.classList.remove(c); lit = []; };
  const mark = (e, c) => { if (e) { e.classList.add(c); lit.push([e, c]); } };
  const show = (li, scroll) => {
    dim();
    const m = li.closest(".msg"), [first, n] = li.dataset.t.split(",").map(Number), all = tiles(m);
    for (let i = first; i < first + n; i++) if (all[i]) { mark(all[i][0], "on"); mark(all[i][1], "on"); }
    mark(rowOf(li), "on");
    for (let up = li.parentElement.closest("li"); up && m.contains(up); up = up.parentElement.closest("li")) mark(rowOf(up), "part");
    const peek = $(".peek", m), why = li.dataset.w && document.getElementById(li.dataset.w);
    if (peek) {
      peek.textContent = "";
      const path = [];
      for (let e = li; e && m.contains(e); e = e.parentElement.closest("li")) path.unshift($(".k", rowOf(e)).textContent);
      const b = document.createElement("b"), code = document.createElement("code"), p = document.createElement("div");
      b.textContent = path.join(" \u203a ");
      code.textContent = $(".v", rowOf(li)).textContent;
      p.textContent = why ? why.textContent : "";
      peek.append(b, code, p);
    }
    if (scroll && all[first]) keepInView(all[first][0], $(".hex", m));
  };
  const keepInView = (e, box) => {
    const r = e.getBoundingClientRect(), b = box.getBoundingClientRect();
    if (r.top < b.top || r.bottom > b.bottom) box.scrollTop += r.top - b.top - b.height / 3;
  };
  document.addEventListener("mouseover", ev => {
    const row = ev.target.closest(".row"), tile = ev.target.closest(".hx b, .as b");
    if (row && row.closest("li")) show(row.closest("li"), true);
    else if (tile) {
      const li = document.getElementById(tile.closest(".msg").id + "n" + tile.dataset.n);
      if (li) show(li, false);
    }
  });
  document.addEventListener("click", ev => {
    const tile = ev.target.closest(".hx b, .as b"), row = ev.target.closest(".row");
    if (tile) {
      const li = document.getElementById(tile.closest(".msg").id + "n" + tile.dataset.n);
      if (li) { open(li); select(li); }
    } else if (row && row.closest("li")) select(row.closest("li"), false);
  });

  // ---- opening what is folded
  const open = e => { for (let d = e.closest("details"); d; d = d.parentElement.closest("details")) d.open = true; };
  const goto = () => {
    const e = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!e) return;
    open(e);
    if (e.matches("li[data-t]")) select(e);
    e.scrollIntoView({ block: "start" });
  };
  addEventListener("hashchange", goto);
  document.addEventListener("click", ev => { const a = ev.target.closest("a[href^='#']"); if (a && a.hash === location.hash) goto(); });
  const foldAll = to => {
    const all = $$(".msg"), want = to === undefined ? !all.every(d => d.open) : to;
    for (const d of all) d.open = want;
    $("#fold").setAttribute("aria-pressed", String(want));
  };
  $("#fold").onclick = () => foldAll();

  // ---- the selected field
  const visible = e => e.checkVisibility ? e.checkVisibility() : e.offsetParent;
  let selected = null;
  const select = (li, scroll = true) => {
    if (selected) rowOf(selected).classList.remove("sel");
    selected = li;
    rowOf(li).classList.add("sel");
    show(li, true);
    if (scroll) rowOf(li).scrollIntoView({ block: "nearest" });
  };
  const move = by => {
    const all = $$(".msg[open] li[data-t]").filter(li => visible(rowOf(li)));
    if (!all.length) { const m = $(".msg"); if (m) { m.open = true; m.scrollIntoView({ block: "start" }); } return; }
    const at = selected ? all.indexOf(selected) : by > 0 ? -1 : 0;
    select(all[Math.max(0, Math.min(all.length - 1, at + by))]);
  };

  // ---- finding
  const q = $("#q"), hits = $("#hits");
  let found = [], at = -1;
  const clear = () => { for (const e of $$(".found, .found-in")) e.classList.remove("found", "found-in"); found = []; at = -1; hits.textContent = ""; };
  const find = () => {
    clear();
    const words = q.value.trim().toLowerCase();
    if (words.length < 2) return;
    for (const row of $$(".row, .cert, .choice, .check, .msg > summary"))
      if (row.textContent.toLowerCase().includes(words)) { found.push(row); row.classList.add(row.matches(".row") ? "found" : "found-in"); }
    hits.textContent = found.length ? `${found.length} found` : "nothing";
    if (found.length) step(1);
  };
  const step = by => {
    if (!found.length) return;
    at = (at + by + found.length) % found.length;
    const e = found[at];
    open(e);
    hits.textContent = `${at + 1} of ${found.length}`;
    if (e.matches(".row") && e.closest("li")) select(e.closest("li"));
    e.scrollIntoView({ block: "center" });
  };
  q.addEventListener("input", find);
  q.addEventListener("keydown", ev => {
    if (ev.key === "Enter") { ev.preventDefault(); step(ev.shiftKey ? -1 : 1); }
    if (ev.key === "Escape") { q.value = ""; clear(); q.blur(); }
  });

  // ---- keyboard
  const help = $("#help");
  $("#keys").onclick = () => help.showModal();
  addEventListener("keydown", ev => {
    if (ev.target === q || ev.ctrlKey || ev.metaKey || ev.altKey || help.open) return;
    const act = { "/": () => q.focus(), "?": () => help.showModal(), t: flip, e: () => foldAll(), j: () => move(1), k: () => move(-1),
      o: () => { const d = selected && $(":scope > details", selected); if (d) d.open = !d.open; } }[ev.key];
    const no = /^[1-5]$/.test(ev.key) && $("#step" + ev.key);
    if (act || no) { ev.preventDefault(); act ? act() : no.scrollIntoView({ block: "start" }); }
  });

  // ---- where we are
  const links = new Map($$(".jump a").map(a => [a.hash.slice(1), a]));
  const seen = new IntersectionObserver(es => {
    for (const e of es) { const a = links.get(e.target.id); if (a) a.classList.toggle("here", e.isIntersecting); }
  }, { rootMargin: "-30% 0px -60% 0px" });
  for (const s of $$(".step")) seen.observe(s);
  addEventListener("beforeprint", () => { for (const d of $$(".lists details")) d.open = true; });
  goto();
})();
