// Runs workflows, each for one event, one after the other, as tests order on the standard input. To
// start costs more than most runs.
//
// The conversation is lines of JSON, an order first. Before each job the harness writes `{"ask": …}` and reads
// `{"token": …}`, or `{"token": null}` where the job's environment has refused it. The last line
// of a run is `{"result": …}`, or `{"broken": …}` after which nothing more is asked of this process. It is a harness and not GitHub: what it does not know is an error.

import { createInterface } from "node:readline";
import { runWorkflow } from "./jobs.mjs";
import { Invalid, readWorkflow } from "./workflow.mjs";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

function say(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function hear() {
  const { value, done } = await lines.next();
  if (done) throw new Error("the test has gone");
  return JSON.parse(value);
}

async function ask(message) {
  say({ ask: message });
  return hear();
}

async function run(order) {
  try {
    const workflow = await readWorkflow(order.workflow.name, order.workflow.content);
    return { errors: [], ...(await runWorkflow(order, workflow, ask)) };
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    const end = { triggered: false, reason: "invalid", conclusion: "startup_failure", jobs: [] };
    return { errors: error.errors, ...end };
  }
}

async function main() {
  for (;;) {
    const { value, done } = await lines.next();
    if (done) return;
    say({ result: await run(JSON.parse(value)) });
  }
}

main()
  .catch((error) => say({ broken: error.stack }))
  .finally(() => process.stdin.destroy());
