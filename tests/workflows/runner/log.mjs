// The log of a step: masks, and the commands that a step gives by writing lines.

const V2 = /^::(?<name>[A-Za-z-]+)(?: (?<properties>.*?))?::(?<data>.*)$/s;
const V1 = /##\[(?<name>[A-Za-z-]+)(?: (?<properties>[^\]]*))?\](?<data>.*)$/s;
const LEVELS = new Set(["error", "warning", "notice"]);
const SILENT = new Set(["debug", "add-matcher", "remove-matcher", "echo", "endgroup"]);
const RETIRED = new Set(["set-output", "save-state", "set-env", "add-path"]);

/** What must not be seen in a log, an annotation, a summary or a job's output. */
export class Masks {
  #values = new Set();

  /** Hides a value, and each of its lines, because processes write lines. */
  add(value) {
    if (!value.trim()) return;
    this.#values.add(value);
    for (const line of value.split(/\r?\n/)) if (line.trim()) this.#values.add(line);
  }

  hide(text) {
    let hidden = text;
    for (const value of [...this.#values].sort((a, b) => b.length - a.length)) {
      hidden = hidden.replaceAll(value, "***");
    }
    return hidden;
  }
}

export class Log {
  lines = [];
  annotations = [];
  groups = [];
  problems = [];
  #masks;
  #stopped = undefined;

  constructor(masks) {
    this.#masks = masks;
  }

  /** The output of a process. */
  feed(output) {
    const lines = output.split("\n");
    if (lines.at(-1) === "") lines.pop();
    for (const line of lines) this.line(line.replace(/\r$/, ""));
  }

  line(line) {
    if (this.#stopped !== undefined) {
      if (line.trim() === `::${this.#stopped}::`) this.#stopped = undefined;
      else this.write(line);
      return;
    }
    const found = V2.exec(line.trimStart()) ?? V1.exec(line);
    if (!found || !this.#obey(found.groups)) this.write(line);
  }

  write(line) {
    this.lines.push(this.#masks.hide(line));
  }

  annotate(level, message, more = {}) {
    const hide = (value) => this.#masks.hide(value);
    const shown = Object.entries(more).map(([key, value]) => [key, hide(value)]);
    this.annotations.push({ level, message: hide(message), ...Object.fromEntries(shown) });
    this.lines.push(hide(`##[${level}]${message}`));
  }

  get text() {
    return this.lines.map((line) => `${line}\n`).join("");
  }

  #obey({ name, properties, data }) {
    const value = unescapeData(data);
    const command = name.toLowerCase();
    if (LEVELS.has(command)) this.annotate(command, value, parseProperties(properties));
    else if (command === "add-mask") this.#mask(value);
    else if (command === "group") this.#group(value);
    else if (command === "stop-commands") this.#stopped = value;
    else if (RETIRED.has(command)) this.problems.push(`the command ${command} is retired`);
    else return SILENT.has(command);
    return true;
  }

  #mask(value) {
    this.#masks.add(value);
    this.lines.push("::add-mask::***");
  }

  #group(title) {
    this.groups.push(this.#masks.hide(title));
    this.write(`##[group]${title}`);
  }
}

function parseProperties(source) {
  const result = {};
  for (const pair of (source ?? "").split(",")) {
    const at = pair.indexOf("=");
    if (at > 0) result[pair.slice(0, at).trim()] = unescapeProperty(pair.slice(at + 1));
  }
  return result;
}

function unescapeData(value) {
  return value.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
}

function unescapeProperty(value) {
  const data = value.replaceAll("%0D", "\r").replaceAll("%0A", "\n");
  return data.replaceAll("%3A", ":").replaceAll("%2C", ",").replaceAll("%25", "%");
}
