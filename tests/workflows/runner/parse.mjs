// Says what GitHub's own parser has against workflows and actions: `parse.mjs FILE…` prints JSON.

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { Invalid, readAction, readWorkflow } from "./workflow.mjs";

const found = {};
for (const path of process.argv.slice(2)) {
  const read = /^action\.ya?ml$/.test(basename(path)) ? readAction : readWorkflow;
  try {
    await read(path, readFileSync(path, "utf8"));
    found[path] = [];
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    found[path] = error.errors;
  }
}
process.stdout.write(JSON.stringify(found));
