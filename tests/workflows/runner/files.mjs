// The files that a step writes to speak to the runner: outputs, environment, path, state, summary.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SUMMARY_LIMIT_BYTES = 1024 * 1024;
const KINDS = {
  output: "GITHUB_OUTPUT",
  env: "GITHUB_ENV",
  path: "GITHUB_PATH",
  state: "GITHUB_STATE",
  summary: "GITHUB_STEP_SUMMARY",
};
let count = 0;

/** Fresh files for one step, so that no step can write for another. */
export class StepFiles {
  #paths = {};

  constructor(folder) {
    const place = join(folder, "_runner_file_commands");
    mkdirSync(place, { recursive: true });
    count += 1;
    for (const kind of Object.keys(KINDS)) {
      this.#paths[kind] = join(place, `${kind}_${count}`);
      writeFileSync(this.#paths[kind], "");
    }
  }

  get variables() {
    const named = Object.entries(KINDS).map(([kind, name]) => [name, this.#paths[kind]]);
    return Object.fromEntries(named);
  }

  path(kind) {
    return this.#paths[kind];
  }

  /** The values in a file of `name=value` lines and `name<<DELIMITER` blocks; else throws. */
  values(kind) {
    return parseValues(readFileSync(this.#paths[kind], "utf8").replace(/^\uFEFF/, ""));
  }

  get added() {
    return readFileSync(this.#paths.path, "utf8").split(/\r?\n/).filter(Boolean);
  }

  /** The summary; throws where GitHub would drop it for its size. */
  get summary() {
    const bytes = readFileSync(this.#paths.summary);
    if (bytes.length > SUMMARY_LIMIT_BYTES) {
      const size = Math.floor(bytes.length / 1024);
      throw new Error(
        "$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, " +
          `got ${size}k`,
      );
    }
    return bytes.toString("utf8");
  }
}

export function parseValues(content) {
  const values = {};
  const lines = content.split("\n");
  if (lines.at(-1) === "") lines.pop();
  while (lines.length) {
    const line = lines.shift().replace(/\r$/, "");
    if (!line) continue;
    const equals = line.indexOf("=");
    const heredoc = line.indexOf("<<");
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
      if (equals === 0) throw new Error(`Invalid format '${line}'. Name must not be empty`);
      values[line.slice(0, equals)] = line.slice(equals + 1);
    } else if (heredoc >= 0) {
      const [name, delimiter] = [line.slice(0, heredoc), line.slice(heredoc + 2)];
      if (!name || !delimiter) {
        throw new Error(`Invalid format '${line}'. Name and delimiter must not be empty`);
      }
      values[name] = heredocValue(lines, delimiter);
    } else {
      throw new Error(`Invalid format '${line}'`);
    }
  }
  return values;
}

function heredocValue(lines, delimiter) {
  const value = [];
  while (lines.length) {
    const line = lines.shift();
    if (line.replace(/\r$/, "") === delimiter) return value.join("\n");
    value.push(line);
  }
  throw new Error(`Invalid value. Matching delimiter not found '${delimiter}'`);
}
