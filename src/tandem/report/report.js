"use strict";
// Language, theme, contents, search, sorting, details and copying; without it the page is whole, in English.
const embedded = (id) => JSON.parse(document.getElementById(id).textContent);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const root = document.documentElement;

// what the reader chose stays for the next visit, where the browser keeps anything for a file
const remembered = (key, value) => {
  try {
    if (value !== undefined) localStorage.setItem(`tandem-${key}`, value);
    return localStorage.getItem(`tandem-${key}`);
  } catch { return null; }
};

const make = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
};

/* language */
const glossary = embedded("words");
const patterns = glossary.patterns.map(([pattern, form]) => [new RegExp(`^(?:${pattern})$`), form]);
const chinese = (text) => {
  if (Object.hasOwn(glossary.words, text)) return glossary.words[text];
  for (const [pattern, form] of patterns) {
    const found = pattern.exec(text);
    if (found) return form.replace(/\\(\d+)/g, (_, i) => chinese(found[i]));
  }
  return text;
};
const language = () => root.dataset.language;
const word = (text) => (language() === "zh" ? chinese(text) : text);
const said = { search: ["hits", "处"], first: ["the first", "前"], table: ["Table", "表"], figure: ["Figure", "图"], copy: ["Copy as", "复制为"], copied: ["copied", "已复制"] };
const say = (key) => said[key][language() === "zh" ? 1 : 0];
let labels = [];

const collectLabels = () => {
  const within = (node) => node.parentElement.closest("caption, style, .tools, dialog, script");
  for (const part of all("main table, main figure svg, .trace-hint, .answer > p:not(:has([lang])), .answer summary")) {
    const walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode, text = node.data.trim().replace(/\s+/g, " ");
      if (/[A-Za-z]{2}|[→*]/.test(text) && !within(node)) labels.push([node, text]);
    }
  }
};

const speak = (chosen) => {
  root.dataset.language = root.lang = chosen;
  for (const [node, text] of labels) {
    const shown = word(text);
    node.data = shown;
    // what stays English is said to be English
    if (chosen === "zh" && shown === text) node.parentElement.lang = "en";
    else if (node.parentElement.lang) node.parentElement.removeAttribute("lang");
  }
  for (const element of all("[data-zh]")) {
    const name = ["placeholder", "aria-label"].find((a) => element.hasAttribute(a));
    element.dataset.en ??= name ? element.getAttribute(name) : element.textContent;
    const text = (chosen === "zh" && element.dataset.zh) || element.dataset.en;
    if (name) element.setAttribute(name, text); else element.textContent = text;
  }
  for (const tools of all(".tools > span:first-child")) tools.textContent = say("copy");
};

const startLanguage = () => {
  collectLabels();
  speak(remembered("language") ?? (navigator.language.startsWith("zh") ? "zh" : "en"));
  document.getElementById("language").addEventListener("click", () => {
    const other = language() === "zh" ? "en" : "zh";
    remembered("language", other);
    speak(other);
  });
};

/* theme */
const startTheme = () => {
  const button = document.getElementById("theme"), system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const tell = () => button.setAttribute("aria-pressed", dark());
  const kept = remembered("theme");
  if (kept) root.dataset.theme = kept;
  button.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; remembered("theme", root.dataset.theme); tell(); });
  system.addEventListener("change", tell);
  tell();
};

/* contents: the heading last passed is the current one */
const startContents = () => {
  const details = document.querySelector("nav.contents details"), wide = matchMedia("(min-width: 75rem)");
  const fold = () => { details.open = wide.matches; };
  wide.addEventListener("change", fold);
  fold();
  details.addEventListener("click", (event) => { if (event.target.closest("a")) fold(); });
  const links = new Map(all("nav.contents a").map((a) => [document.getElementById(a.hash.slice(1)), a]));
  const mark = () => {
    const headings = [...links.keys()], end = scrollY + innerHeight > root.scrollHeight - 4;
    const passed = end ? headings.at(-1) : headings.filter((h) => h.getBoundingClientRect().top < 160).pop();
    for (const [heading, link] of links) {
      if (heading !== passed) link.removeAttribute("aria-current");
      else if (!link.hasAttribute("aria-current")) { link.setAttribute("aria-current", "location"); if (wide.matches) link.scrollIntoView({ block: "nearest" }); }
    }
  };
  let waiting = false;
  addEventListener("scroll", () => { if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; mark(); }); } }, { passive: true });
  mark();
};

/* one stop of the tab key a table: arrows, Home and End go on from there */
const rove = (cells) => {
  cells.forEach((cell, i) => { cell.setAttribute("tabindex", i ? -1 : 0); });
  const column = (cell) => cell.closest("td, th").cellIndex, row = (cell) => cell.closest("tr");
  const flat = !cells[0]?.closest("table"); // in a drawing up and down go on and back as well
  const step = { ArrowRight: (i) => i + 1, ArrowLeft: (i) => i - 1, Home: () => 0, End: () => cells.length - 1 };
  const beside = (i, by) => { // the next cell of the same column, in the rows' present order
    if (flat) return i + by;
    const order = all("tr", row(cells[i]).closest("table")), start = order.indexOf(row(cells[i]));
    const same = cells.filter((c) => column(c) === column(cells[i]) && (order.indexOf(row(c)) - start) * by > 0);
    same.sort((a, b) => (order.indexOf(row(a)) - order.indexOf(row(b))) * by);
    return same.length ? cells.indexOf(same[0]) : i;
  };
  for (const cell of cells) {
    cell.addEventListener("keydown", (event) => {
      const i = cells.indexOf(cell);
      const to = step[event.key]?.(i) ?? (event.key === "ArrowDown" ? beside(i, 1) : event.key === "ArrowUp" ? beside(i, -1) : undefined);
      if (to === undefined || !cells[to]) return;
      event.preventDefault();
      cells[to].focus();
    });
    cell.addEventListener("focus", () => { for (const other of cells) other.setAttribute("tabindex", other === cell ? 0 : -1); });
  }
};

/* details of an estimate: standard error, p, sample; by pointer and by focus */
const LOOKED_UP = /^(std_error|s\.e\.|conf_low|conf_high|95 % from|to|p|p_value|Holm p|Romano-Wolf p|wild p|observations|entities|n_obs|n_clusters|N)$/;
const headsOf = (table) => [...table.tHead.rows[table.tHead.rows.length - 1].cells].map((c) => c.textContent.trim());

const detailsOf = (cell, heads) => [...cell.parentElement.cells]
  .map((c, i) => [heads[i], c.textContent.trim()])
  .filter(([head, text]) => LOOKED_UP.test(head) && text && text !== "–");

const startDetails = () => {
  const known = embedded("details");
  const box = make("div", { id: "detail", role: "tooltip", hidden: "" });
  document.body.append(box);
  const hide = () => { box.hidden = true; };
  const show = (cell) => {
    box.replaceChildren(...JSON.parse(cell.dataset.detail).flat().map((text) => make("span", {}, word(text))));
    box.hidden = false;
    const at = cell.getBoundingClientRect();
    box.style.left = `${Math.max(4, Math.min(at.left, innerWidth - box.offsetWidth - 8)) + scrollX}px`;
    box.style.top = `${(at.bottom + box.offsetHeight + 6 > innerHeight ? at.top - box.offsetHeight - 4 : at.bottom + 4) + scrollY}px`;
  };
  for (const table of all("main table")) {
    const heads = headsOf(table), column = heads.indexOf("estimate");
    for (const cell of all("td[title]", table)) {
      cell.dataset.detail = JSON.stringify(cell.title.split(", ").map((t) => /^(.*) (\S+)$/.exec(t).slice(1)));
      cell.removeAttribute("title");
    }
    if (column >= 0 && table.matches(".descriptive")) {
      for (const row of all("tbody tr", table)) {
        const more = known[table.id.slice(6)]?.[`${row.cells[0].textContent}|${row.cells[1].textContent}`] ?? [];
        const found = row.cells[column] && [...more, ...detailsOf(row.cells[column], heads)];
        if (found?.length) row.cells[column].dataset.detail ??= JSON.stringify([["estimate", row.cells[column].textContent.trim()], ...found]);
      }
    }
    const cells = all("td[data-detail]", table);
    for (const cell of cells) {
      cell.setAttribute("aria-describedby", "detail");
      cell.addEventListener("pointerenter", () => show(cell));
      cell.addEventListener("pointerleave", (event) => { if (event.relatedTarget !== box) hide(); });
      cell.addEventListener("focus", () => show(cell));
      cell.addEventListener("blur", hide);
    }
    rove(cells);
  }
  box.addEventListener("pointerleave", hide);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
};

/* sorting: ascending, descending, as made; regression tables keep their order */
const sortable = (text) => {
  const number = Number.parseFloat(text.replaceAll("\u2212", "-").replace(/^</, "").replaceAll(",", ""));
  return /^[<\u2212-]?[\d.]/.test(text) ? number : null;
};

const compare = (a, b, by) => {
  const [x, y] = [sortable(a), sortable(b)], blank = (t) => t === "" || t === "–";
  if (blank(a) || blank(b)) return blank(a) - blank(b); // what is missing comes last either way
  return by * (x !== null && y !== null ? x - y || (b[0] === "<") - (a[0] === "<") : a.localeCompare(b, "en", { numeric: true }));
};

const startSorting = () => {
  for (const table of all("main table.descriptive")) {
    if ([...table.tBodies].every((body) => body.rows.length < 2)) continue;
    const made = new Map([...table.tBodies].map((body) => [body, [...body.rows]]));
    const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    for (const head of heads.filter((h) => h.matches("th[scope=col]"))) {
      const button = make("button", { type: "button", class: "sort" }, ...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const next = { ascending: "descending", descending: "none" }[head.getAttribute("aria-sort")] ?? "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        if (next !== "none") head.setAttribute("aria-sort", next);
        const text = (row) => row.cells[head.cellIndex].textContent.trim(), by = next === "descending" ? -1 : 1;
        for (const [body, rows] of made) {
          body.append(...(next === "none" ? rows : rows.toSorted((a, b) => compare(text(a), text(b), by))));
        }
      });
    }
  }
};

/* copying: the .tex and .csv as they stand in tables/, and the table as a word processor takes it */
const toClipboard = async (plain, html) => {
  try {
    const blob = (text, type) => new Blob([text], { type });
    const kinds = { "text/plain": blob(plain, "text/plain") };
    if (html) kinds["text/html"] = blob(html, "text/html");
    await navigator.clipboard.write([new ClipboardItem(kinds)]);
  } catch { // an old browser, or one that refuses: the copy event needs no leave
    const fill = (event) => {
      event.preventDefault();
      event.clipboardData.setData("text/plain", plain);
      if (html) event.clipboardData.setData("text/html", html);
    };
    document.addEventListener("copy", fill, { once: true });
    document.execCommand("copy");
  }
};

const forWord = (table) => {
  const copy = table.cloneNode(true), rule = (side, width) => `border-${side}:${width} solid black;`;
  for (const hidden of all(`span[lang=${language() === "zh" ? "en" : "zh"}], caption br`, copy)) hidden.remove();
  for (const button of all("button", copy)) button.replaceWith(...button.childNodes);
  const rows = all("tr", copy), last = copy.tHead.rows[copy.tHead.rows.length - 1];
  for (const cell of all("th, td", copy)) {
    const align = cell.closest("tfoot") || cell.matches("tbody th, .label") ? "left" : cell.colSpan > 1 ? "center" : "right";
    const row = cell.parentElement, end = row === rows.filter((r) => !r.closest("tfoot")).pop();
    cell.setAttribute("style", `text-align:${align};padding:1pt 4pt;font-weight:normal;${row === rows[0] ? rule("top", "1.5pt") : ""}${row === last ? rule("bottom", ".75pt") : ""}${end ? rule("bottom", "1.5pt") : ""}`);
  }
  for (const element of all("*", copy)) for (const { name } of [...element.attributes]) if (!/^(style|colspan|rowspan)$/.test(name)) element.removeAttribute(name);
  return `<table style="border-collapse:collapse;font-family:'Times New Roman',SimSun,serif;font-size:10.5pt">${copy.innerHTML}</table>`;
};

const startCopying = () => {
  const sources = embedded("sources");
  for (const table of all("main table[id^=table-]")) {
    const name = table.id.slice(6), status = make("span", { role: "status" });
    const button = (kind, copy) => {
      const made = make("button", { type: "button", "data-copy": kind }, kind);
      made.addEventListener("click", async () => { await copy(); status.textContent = `${kind}: ${say("copied")}`; });
      return made;
    };
    const tools = make("div", { class: "tools" }, make("span"));
    if (sources.tex[name]) tools.append(button("LaTeX", () => toClipboard(sources.tex[name])));
    tools.append(button("Word", () => toClipboard(sources.csv[name] ?? table.innerText, forWord(table))));
    if (sources.csv[name]) tools.append(button("CSV", () => toClipboard(sources.csv[name])));
    tools.append(status);
    (table.closest(".scroll") ?? table).after(tools);
  }
};

/* search over headings, captions, text and rows */
const startSearch = () => {
  const input = document.getElementById("query"), list = document.getElementById("hits"), count = document.getElementById("count");
  const numbered = (selector, kind) => new Map(all(selector).map((e, i) => [e, [kind, i + 1]]));
  const numbers = new Map([...numbered("main table[id]", "table"), ...numbered("main figure", "figure")]);
  const UNITS = "h1, h2, h3, caption, figcaption, p, li, dt, dd, tbody tr, tfoot td, svg text";
  const units = all(UNITS, document.getElementById("main")).filter((u) => !u.closest(".tools"));
  const rank = (unit) => (unit.matches("h1, h2, h3") ? 0 : unit.matches("caption, figcaption") ? 1 : unit.matches("p, li, dt, dd") ? 2 : 3);
  // what is read of a unit: its text in the language shown, a row cell by cell, no formulas
  const known = { en: new Map(), zh: new Map() };
  const visible = (unit) => {
    const kept = known[language()];
    if (!kept.has(unit)) {
      const bare = unit.cloneNode(true);
      for (const other of all(`span[lang=${language() === "zh" ? "en" : "zh"}], math`, bare)) other.remove();
      const parts = unit.matches("tr") ? [...bare.cells].map((c) => c.textContent.trim()).filter(Boolean) : [bare.textContent];
      kept.set(unit, parts.join(" · ").replace(/\s+/g, " ").trim());
    }
    return kept.get(unit);
  };
  const place = (unit) => {
    const [kind, n] = numbers.get(unit.closest("table, figure")) ?? [];
    if (kind) return `${say(kind)} ${n}`;
    const heading = unit.closest("section")?.querySelector("h2:not(.unseen), h1");
    return heading ? visible(heading) : "";
  };
  let found = [], chosen = -1;

  const paint = (query) => {
    if (!CSS.highlights) return;
    CSS.highlights.delete("found");
    if (!query) return;
    const ranges = [];
    for (const { unit } of found) {
      const walker = document.createTreeWalker(unit, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        const node = walker.currentNode, text = node.data.toLowerCase();
        for (let at = text.indexOf(query); at >= 0; at = text.indexOf(query, at + query.length)) {
          const range = new Range();
          range.setStart(node, at);
          range.setEnd(node, at + query.length);
          ranges.push(range);
        }
      }
    }
    CSS.highlights.set("found", new Highlight(...ranges));
  };

  const select = (i) => {
    chosen = i;
    [...list.children].forEach((item, k) => item.setAttribute("aria-selected", k === i));
    if (i >= 0) { input.setAttribute("aria-activedescendant", list.children[i].id); list.children[i].scrollIntoView({ block: "nearest" }); }
    else input.removeAttribute("aria-activedescendant");
  };
  const close = () => { list.hidden = true; input.setAttribute("aria-expanded", "false"); select(-1); };
  const go = (i) => {
    const target = found[i]?.unit.closest("tr, figure, caption, h1, h2, h3, p, li, dd, dt") ?? null;
    close();
    if (!target) return;
    target.closest("details")?.setAttribute("open", "");
    target.scrollIntoView({ block: "center" });
    if (!target.hasAttribute("tabindex")) target.tabIndex = -1;
    target.focus({ preventScroll: true });
  };

  const item = ({ unit, text, at, length }, i) => {
    const start = Math.max(0, at - 40), snippet = [text.slice(start, at), make("mark", {}, text.slice(at, at + length)), text.slice(at + length, at + length + 60)];
    const made = make("li", { role: "option", id: `hit-${i}`, "aria-selected": "false" }, make("b", {}, place(unit)), start ? "…" : "", ...snippet);
    made.addEventListener("pointerdown", (event) => { event.preventDefault(); go(i); });
    return made;
  };

  const search = () => {
    const query = input.value.trim().toLowerCase();
    found = [];
    if (query.length > (/[\u2e80-\u9fff]/.test(query) ? 0 : 1)) {
      for (const unit of units) {
        const text = visible(unit), at = text.toLowerCase().indexOf(query);
        if (at >= 0) found.push({ unit, text, at, length: query.length });
      }
      found.sort((a, b) => rank(a.unit) - rank(b.unit));
    }
    count.textContent = input.value.trim() ? `${found.length} ${say("search")}` : "";
    list.replaceChildren(...found.slice(0, 60).map(item));
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    select(-1);
    paint(found.length ? query : "");
  };

  input.addEventListener("input", search);
  input.addEventListener("focus", () => { if (input.value) search(); });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const last = list.children.length - 1;
    if (event.key === "ArrowDown" && last >= 0) select(chosen < last ? chosen + 1 : 0);
    else if (event.key === "ArrowUp" && last >= 0) select(chosen > 0 ? chosen - 1 : last);
    else if (event.key === "Escape" && list.hidden) { input.value = ""; search(); input.blur(); }
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
  document.getElementById("search").addEventListener("submit", (event) => { event.preventDefault(); go(Math.max(chosen, 0)); });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, dialog[open]")) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
};

// what is folded is printed too
addEventListener("beforeprint", () => { for (const details of all("main details")) details.open = true; });

// after the lineage script, which reads the English headings
document.addEventListener("DOMContentLoaded", () => {
  startDetails();
  startSorting();
  startCopying();
  startLanguage();
  startTheme();
  startContents();
  startSearch();
  for (const part of all("main table, main figure")) rove(all("button.trace, svg [data-trace]", part));
});
