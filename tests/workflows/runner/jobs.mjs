// Runs the jobs of a workflow in the order of their needs, one at a time.

import { Scope, coerce, evaluate, holds, text } from "./expressions.mjs";
import { Job, concurrency, needsOf, skipped } from "./job.mjs";
import { combine } from "./matrix.mjs";
import { isUntrusted } from "./permissions.mjs";
import { dispatchInputs, reasonNotToStart } from "./workflow.mjs";

const UNKNOWN = ["container", "services", "uses", "snapshot", "continue-on-error"];
const WORSE = ["success", "skipped", "cancelled", "failure"];

/** Runs a whole workflow. `ask` speaks with the test, which admits jobs and gives them tokens. */
export async function runWorkflow(order, workflow, ask) {
  const { root, events } = workflow;
  const { name, payload } = order.event;
  const reason = reasonNotToStart(events, name, payload, order.github.ref);
  if (reason) return { triggered: false, reason, conclusion: null, jobs: [] };
  const run = new Run(order, workflow, ask);
  for (const [id, token] of run.sorted()) await run.runJob(id, token);
  return {
    triggered: true,
    reason: null,
    name: run.github.workflow,
    run_name: root.find("run-name") ? text(root.find("run-name"), run.scope()) : null,
    concurrency: concurrency(root.find("concurrency"), run.scope()),
    conclusion: worst(run.results.map((job) => job.result)),
    jobs: run.results,
  };
}

class Run {
  constructor(order, { context, root, events }, ask) {
    this.order = order;
    this.root = root;
    this.context = context;
    this.ask = ask;
    this.results = [];
    this.ends = new Map();
    const { name, payload } = order.event;
    this.untrusted = isUntrusted(name, payload, order.github.actor);
    this.inputs = dispatchInputs(events, name, payload);
    const workflowName = root.find("name")?.value ?? order.workflow.name;
    this.github = { workflow: workflowName, ...order.github, event_name: name, event: payload };
    if (name === "workflow_dispatch") this.github.event = withInputs(payload, this.inputs);
  }

  scope(more = {}, status = undefined) {
    const { github, inputs } = this;
    return new Scope({ github, inputs, vars: this.order.vars, ...more }, status);
  }

  /** The jobs, each after those that it needs, else in the order of the file. */
  sorted() {
    const waiting = [...this.root.find("jobs")].map(({ key, value }) => [key.value, value]);
    const done = new Set();
    const result = [];
    while (waiting.length) {
      const at = waiting.findIndex(([, token]) => needsOf(token).every((one) => done.has(one)));
      const [next] = waiting.splice(at, 1);
      done.add(next[0]);
      result.push(next);
    }
    return result;
  }

  async runJob(id, token) {
    for (const key of UNKNOWN) {
      if (token.find(key)) throw new Error(`job ${id}: the harness does not know ${key}`);
    }
    const needs = needsOf(token);
    const ended = needs.map((one) => [one, this.ends.get(one).context]);
    const contexts = { needs: Object.fromEntries(ended) };
    const ancestors = new Set(needs.flatMap((one) => [one, ...this.ends.get(one).ancestors]));
    const status = {
      success: () => [...ancestors].every((one) => this.ends.get(one).context.result === "success"),
      failure: () => [...ancestors].some((one) => this.ends.get(one).context.result === "failure"),
      cancelled: () => false,
    };
    const instances = holds(token.find("if"), this.context, this.scope(contexts, status))
      ? await this.#instances(id, token, contexts)
      : [skipped(id, needs)];
    this.results.push(...instances);
    const outputs = Object.assign({}, ...instances.map((one) => one.outputs));
    const result = worst(instances.map((one) => one.result));
    this.ends.set(id, { context: { result, outputs }, ancestors });
  }

  async #instances(id, token, contexts) {
    const strategy = evaluate(token.find("strategy"), this.scope(contexts)) ?? {};
    const combinations = strategy.matrix === undefined ? [undefined] : combine(strategy.matrix);
    if (!combinations.length) throw new Error(`the matrix of job ${id} is empty`);
    const failsFast = strategy["fail-fast"] ?? true;
    const results = [];
    for (const [index, matrix] of combinations.entries()) {
      if (failsFast && results.some((one) => one.result === "failure")) {
        results.push({ ...skipped(id, needsOf(token)), matrix, result: "cancelled" });
        continue;
      }
      const plan = { "fail-fast": failsFast, "job-index": index, "job-total": combinations.length };
      const one = { ...contexts, strategy: plan, matrix: matrix ?? null };
      results.push(await new Job(this, id, token, one, matrix).run());
    }
    return results;
  }
}

/** The event as it is sent: with the usual values of the inputs, and all of them text. */
function withInputs(payload, inputs) {
  const texts = Object.entries(inputs).map(([name, value]) => [name, coerce(value)]);
  return { ...payload, inputs: Object.fromEntries(texts) };
}

function worst(results) {
  if (results.length && results.every((one) => one === "skipped")) return "skipped";
  const counted = results.filter((one) => one !== "skipped");
  return WORSE[Math.max(0, ...counted.map((one) => WORSE.indexOf(one)))];
}
