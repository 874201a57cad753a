"use strict";
// Two things that pages cannot do alone: comparing two versions, and searching. Everything that is
// shown is set as text; nothing that a repository wrote is ever read as HTML.
const assent = (() => {
  const versions = new Map();
  const waiting = new Map();
  let index = [];
  const at = (id) => document.getElementById(id);

  function make(name, text, style) {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    if (style) element.className = style;
    return element;
  }

  // --- comparison ---

  function load(number) {
    if (versions.has(number)) return Promise.resolve(versions.get(number));
    return new Promise((resolve, reject) => {
      waiting.set(number, resolve);
      const script = document.createElement("script");
      script.src = "v" + number + ".js";
      script.onerror = () => reject(new Error("v" + number + " cannot be read"));
      document.head.append(script);
    });
  }

  function version(number, told) {
    versions.set(number, told);
    if (waiting.has(number)) waiting.get(number)(told);
  }

  const digits = (value) => Math.abs(value) >= 1e15 || (value !== 0 && Math.abs(value) < 1e-4)
    ? value.toExponential(2) : String(Number(value.toPrecision(4)));

  function moved(old, now, better, sameRows) {
    if (old === null || now === null || old === now) return ["", ""];
    const change = now - old;
    let text = (change > 0 ? "▲ +" : "▼ −") + digits(Math.abs(change));
    if (old !== 0) text += " (" + (change > 0 ? "+" : "−") + (Math.abs(change / old) * 100).toFixed(1) + "%)";
    if (!better) return [text, ""];
    if (!sameRows) return [text + " not judged", ""];
    const isBetter = (change > 0) === (better === "higher");
    return [text + (isBetter ? " better" : " worse"), isBetter ? "move better" : "move worse"];
  }

  function rowsOf(section) {
    const rows = new Map();
    for (const row of section ? section[1] : []) rows.set(row[0], row);
    return rows;
  }

  // Whether both were measured on the same content: true or false, or null where nothing says so.
  function sameTests(old, now) {
    const tests = (side) => [...side.values()].filter((row) => row[3]);
    if (!tests(old).length || tests(old).length !== tests(now).length) return tests(old).length || tests(now).length ? false : null;
    for (const [name, text] of tests(now)) {
      if (text === null || (old.has(name) && old.get(name)[1] === null)) return null;
      if (!old.has(name) || old.get(name)[1] !== text) return false;
    }
    return true;
  }

  function compared(old, now, isAll) {
    const outcome = document.createDocumentFragment();
    for (const [name, told] of [["From", old], ["To", now]]) {
      if (told[0]) outcome.append(make("p", name + ": its evidence was not compared: " + told[0], "notices"));
    }
    const sides = [old, now].map((told) => new Map(told[1].map((section) => [section[0], section])));
    const titles = [...new Set([...sides[0].keys(), ...sides[1].keys()])];
    const data = sides.map((side) => rowsOf(side.get("Data")));
    const isSame = sameTests(data[0], data[1]);
    if (isSame === false) outcome.append(make("p", "Both were not measured on the same data: whether a metric is better or worse is not judged.", "notices"));
    if (isSame === null) outcome.append(make("p", "Nothing says whether both were measured on the same data: a change of a metric may be one of the data.", "notices"));
    for (const title of titles) {
      const [before, after] = sides.map((side) => side.get(title));
      if (!before || !after) {
        outcome.append(make("h2", title), make("p", "Not compared: only " + (before ? "the first" : "the second") + " version has it.", "soft"));
        continue;
      }
      outcome.append(...section(title, before, after, isAll, isSame !== false));
    }
    return outcome;
  }

  // A value; of a digest the first digits, and all of them for who points at it.
  function shown(row) {
    if (!row) return make("td", "–", "soft");
    if (row[1] === null) return make("td", "not known", "soft");
    const cell = make("td", row[1].replace(/(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, "$1…"), row[2] !== null ? "number" : "");
    cell.title = row[1].length > 40 ? row[1] : "";
    return cell;
  }

  function section(title, before, after, isAll, sameRows) {
    const old = rowsOf(before), now = rowsOf(after);
    const names = [...new Set([...old.keys(), ...now.keys()])];
    const table = make("table"), body = make("tbody"), head = make("tr");
    for (const column of [title === "Gates" ? "Rule" : "Name", "From", "To", "Change"]) {
      const cell = make("th", column);
      cell.scope = "col";
      head.append(cell);
    }
    // What only one side has is gone or new if the other was read whole.
    const isWhole = (side) => !side[2] && !side[3];
    let same = 0, unknown = 0;
    for (const name of names) {
      const left = old.get(name), right = now.get(name);
      const isKnown = left && right ? left[1] !== null && right[1] !== null : isWhole(left ? after : before);
      const isSame = left && right && isKnown && left[1] === right[1];
      if (isSame) same += 1;
      if (!isKnown) unknown += 1;
      const isNowhere = left && right && left[1] === null && right[1] === null;
      if ((isSame || isNowhere) && !isAll) continue;
      const row = make("tr"), label = make("th");
      label.scope = "row";
      label.append(make("code", name, name.length <= 24 ? "short" : ""));
      row.append(label);
      for (const side of [left, right]) {
        row.append(shown(side));
      }
      const [text, style] = !isKnown ? ["not compared", "soft"]
        : left && right ? moved(left[2], right[2], right[3], sameRows)
        : [left ? "gone" : "new", ""];
      const change = make("td");
      change.append(make("span", isSame ? "same" : text || "changed", style));
      row.append(change);
      body.append(row);
    }
    const left = before[2] + after[2];
    const gaps = [...new Set([before[3], after[3]].filter(Boolean))];
    const summary = (names.length - same - unknown) + " differ, " + same + " are the same" +
      (unknown ? ", " + unknown + " were not compared" : "") + gaps.map((gap) => "; " + gap).join("") +
      (left ? "; " + left + " were left out and not compared" : "");
    const parts = [make("h2", title), make("p", summary, "soft")];
    if (body.childElementCount) {
      const region = make("div", undefined, "wide");
      region.tabIndex = 0;
      region.setAttribute("role", "region");
      region.setAttribute("aria-label", title);
      const top = make("thead");
      top.append(head);
      table.append(top, body);
      region.append(table);
      parts.push(region);
    }
    return parts;
  }

  async function compare() {
    const [old, now] = ["old", "new"].map((side) => Number(at(side).value));
    if (!old || !now) {
      at("outcome").replaceChildren(make("p", "There are no versions to compare yet."));
      return;
    }
    try {
      const [before, after] = await Promise.all([load(old), load(now)]);
      at("outcome").replaceChildren(compared(before, after, at("all").checked));
      history.replaceState(null, "", "#v" + old + "-v" + now);
    } catch (error) {
      at("outcome").replaceChildren(make("p", error.message + ": it is not compared.", "notices"));
    }
  }

  function begin() {
    const asked = /^#v(\d+)-v(\d+)$/.exec(location.hash);
    if (asked) {
      at("old").value = asked[1];
      at("new").value = asked[2];
    }
    for (const id of ["old", "new", "all"]) at(id).addEventListener("change", compare);
    compare();
  }

  // --- search ---

  function searched(rows) {
    index = rows.map((row) => [...row, (row[1] + " " + row[3]).toLowerCase()]);
    search();
  }

  function search() {
    // Of digests and commits the first twelve digits are known here.
    const words = at("search").value.toLowerCase().split(/\s+/).filter(Boolean)
      .map((word) => word.replace(/^(?:sha256:)?([0-9a-f]{12})[0-9a-f]*$/, "$1"));
    if (!words.length) {
      at("outcome").replaceChildren(make("p", index.length.toLocaleString("en") + " things can be found here.", "soft"));
      return;
    }
    const hits = index.filter((row) => words.every((word) => row[4].includes(word)));
    const rank = (row) => (row[1].toLowerCase().startsWith(words[0]) ? 0 : 1) +
      (row[1].toLowerCase() === words.join(" ") ? -2 : 0);
    hits.sort((left, right) => rank(left) - rank(right));
    const list = make("ul", undefined, "lines");
    for (const [kind, title, address, more] of hits.slice(0, 60)) {
      const item = make("li"), link = make("a", title);
      link.href = address;
      item.append(make("span", kind, "chip"), " ", link, " ", make("span", more, "soft"));
      list.append(item);
    }
    const count = hits.length > 60 ? "the first 60 of " + hits.length.toLocaleString("en") : String(hits.length);
    at("outcome").replaceChildren(make("p", count + " found", "soft"), list);
  }

  document.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("DOMContentLoaded", () => {
    if (at("compare")) begin();
    if (at("search")) at("search").addEventListener("input", search);
  });
  return { version, searched };
})();
