"use strict";
// Filters and sorts the tables of a report. Without it every table is there as it was written, but
// for the rows of long ones that stand in no table. Whatever is shown is set as text.
(() => {
  const FEW = 8, SHOWN = 200;
  const collator = new Intl.Collator("en", { numeric: true });

  function make(name, text, style) {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    if (style) element.className = style;
    return element;
  }

  // What a cell is sorted by: a share of change before an amount, a new value before an old one.
  function key(text) {
    const share = /\(([+−]?[\d.,]+)%\)/.exec(text);
    const numbers = share ? [share[1]] : text.match(/[+−-]?(?:\d[\d,]*)(?:\.\d+)?(?:e[-+]?\d+)?/g);
    const isPlain = share || /^[▲▼]|^[+−-]?[\d,.]+(?:e[-+]?\d+)?(?:$| )/.test(text);
    if (!numbers || !isPlain) return null;
    const chosen = text.includes("→") ? numbers[numbers.length - 1] : numbers[0];
    const value = Number(chosen.replace("−", "-").replaceAll(",", ""));
    return Number.isNaN(value) ? null : value;
  }

  // What has no number comes last, whichever way.
  function compare(left, right, sign) {
    const [a, b] = [key(left), key(right)];
    if (a !== null && b !== null) return sign * (a - b);
    if (a !== null || b !== null) return a === null ? 1 : -1;
    return sign * collator.compare(left, right);
  }

  function written(cells, columns) {
    const row = make("tr");
    cells.forEach((text, at) => {
      const cell = make(at ? "td" : "th", text, columns[at]);
      if (!at) cell.scope = "row";
      row.append(cell);
    });
    return row;
  }

  function prepare(region) {
    const table = region.querySelector("table"), body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    const rest = region.nextElementSibling;
    const isLong = rest && rest.matches("script.rest");
    const styles = heads.map((head) => head.className);
    const rows = [...body.rows].map((row) => ({
      row, texts: [...row.cells].map((cell) => cell.textContent.trim()),
    }));
    if (isLong) for (const texts of JSON.parse(rest.textContent)) rows.push({ row: null, texts });
    if (rows.length < FEW) return;
    rows.forEach((row) => { row.words = row.texts.join(" ").toLowerCase(); });
    const bar = make("p", undefined, "tools"), label = make("label", "Filter "), input = make("input");
    const told = make("span", "", "soft");
    input.type = "search";
    input.setAttribute("aria-label", "Filter " + region.getAttribute("aria-label"));
    told.setAttribute("role", "status");
    label.append(input);
    bar.append(label, told);
    region.before(bar);
    let order = rows;

    function show() {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      const hits = words.length ? order.filter((row) => words.every((word) => row.words.includes(word))) : order;
      const shown = isLong ? hits.slice(0, SHOWN) : hits;
      shown.forEach((one) => { if (!one.row) one.row = written(one.texts, styles); });
      body.replaceChildren(...shown.map((one) => one.row));
      const count = (many) => many.toLocaleString("en");
      const what = words.length ? count(hits.length) + " of " + count(rows.length) + " rows" : count(rows.length) + " rows";
      told.textContent = shown.length < hits.length ? what + ", the first " + count(shown.length) + " shown" : what;
    }

    heads.forEach((head, at) => {
      if (!head.textContent.trim()) return;
      const button = make("button", head.textContent);
      button.type = "button";
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const isDown = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
        order = [...rows].sort((a, b) => compare(a.texts[at], b.texts[at], isDown ? -1 : 1));
        show();
      });
    });
    input.addEventListener("input", show);
    show();
  }

  document.querySelectorAll("section .wide").forEach(prepare);

  // A link leads into what is folded.
  function unfold() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  }
  addEventListener("hashchange", unfold);
  unfold();
})();
