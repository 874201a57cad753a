// Runs one job on a machine of its own.

import { coerce, evaluate, text, texts } from "./expressions.mjs";
import { Masks } from "./log.mjs";
import { newMachine, writeEvent } from "./machine.mjs";
import { permissionsOf } from "./permissions.mjs";
import { runPosts, runSteps } from "./steps.mjs";

export class Job {
  constructor(run, id, token, contexts, matrix) {
    const { order } = run;
    this.run_ = run;
    this.id = id;
    this.token = token;
    this.matrix = matrix;
    this.contexts = { ...contexts };
    this.masks = new Masks();
    this.actions = order.actions;
    this.limitS = order.limit_s;
    this.progress = { status: "success" };
    this.posts = [];
    this.path = [];
  }

  async run() {
    const { token, run_: run } = this;
    let scope = run.scope(this.contexts);
    const runs_on = evaluate(token.find("runs-on"), scope);
    this.machine = newMachine(
      run.order,
      `${this.id}-${this.contexts.strategy["job-index"]}`,
      runs_on,
    );
    const { workspace } = this.machine;
    const blank = skipped(this.id, needsOf(token));
    const result = { ...blank, matrix: this.matrix ?? null, runs_on, workspace };
    const [own, common] = [token, run.root].map((one) => evaluate(one.find("permissions"), scope));
    const { untrusted } = run;
    const usual = run.order.default_permissions;
    result.permissions = permissionsOf(own, common, { usual, untrusted });
    result.environment = environment(token.find("environment"), scope);
    result.concurrency = concurrency(token.find("concurrency"), scope);
    result.timeout_minutes = evaluate(token.find("timeout-minutes"), scope) ?? null;
    result.name = this.#name(scope);
    const answer = await run.ask({
      job: this.id,
      name: result.name,
      permissions: result.permissions,
      environment: result.environment?.name ?? null,
      concurrency: result.concurrency?.group ?? null,
      matrix: result.matrix,
    });
    if (answer.token === null)
      return { ...result, result: "failure", log: "The deployment was rejected.\n" };
    this.#secrets(answer.token, result.environment?.name);
    scope = run.scope(this.contexts);
    this.env = { ...texts(run.root.find("env"), scope), ...texts(token.find("env"), scope) };
    await this.#steps(result, scope);
    return result;
  }

  #name(scope) {
    const name = text(this.token.find("name"), scope) || this.id;
    if (this.matrix === undefined || this.token.find("name")?.isExpression) return name;
    return `${name} (${Object.values(this.matrix).map(coerce).join(", ")})`;
  }

  #secrets(jobToken, environmentName) {
    const { order, untrusted } = this.run_;
    const own = order.environments[environmentName] ?? {};
    const given = untrusted ? {} : { ...order.secrets, ...own.secrets };
    this.contexts.secrets = { ...given, GITHUB_TOKEN: jobToken };
    this.contexts.vars = { ...order.vars, ...own.vars };
    for (const value of Object.values(this.contexts.secrets)) this.masks.add(value);
    const { workspace } = this.machine;
    const event_path = writeEvent(this.machine, this.run_.github.event);
    this.github = { ...this.run_.github, token: jobToken, job: this.id, event_path, workspace };
  }

  async #steps(result, scope) {
    const { token, run_: run } = this;
    const env = { ...this.env };
    const known = scope.with({ env });
    const [common, own] = [run.root, token].map((one) => evaluate(one.find("defaults"), known));
    const defaults = { ...common?.run, ...own?.run };
    const contexts = { ...scope.contexts };
    const { context } = run;
    const frame = {
      context,
      contexts,
      env: {},
      progress: this.progress,
      defaults,
      action: undefined,
      depth: 0,
    };
    result.steps = await runSteps(token.find("steps"), this, frame);
    result.posts = await runPosts(this);
    result.result = this.progress.status;
    const { github, machine } = this;
    const job = { status: result.result };
    const last = scope.with({ ...contexts, github, env: this.env, job, runner: machine.context });
    const all = [...result.steps, ...result.posts];
    result.log += all.map((step) => logOf(step)).join("");
    result.summary = all
      .map((step) => summaryOf(step))
      .filter(Boolean)
      .join("\n");
    result.annotations.push(...all.flatMap((step) => annotationsOf(step)));
    this.#outputs(result, last);
    if (result.environment?.url !== undefined) {
      result.environment = environment(token.find("environment"), last);
    }
  }

  /** An output that holds a secret is not passed on. */
  #outputs(result, scope) {
    for (const { key, value } of this.token.find("outputs") ?? []) {
      const made = text(value, scope);
      if (this.masks.hide(made) === made) result.outputs[key.value] = made;
      else {
        const message = `Skip output '${key.value}' since it may contain secret.`;
        result.annotations.push({ level: "warning", message });
      }
    }
  }
}

function logOf(step) {
  return `##[group]${step.name}\n##[endgroup]\n${step.log}${step.steps.map(logOf).join("")}`;
}

function summaryOf(step) {
  return [step.summary, ...step.steps.map(summaryOf)].filter(Boolean).join("\n");
}

function annotationsOf(step) {
  return [...step.steps.flatMap(annotationsOf), ...step.annotations];
}

export function needsOf(token) {
  const needs = token.find("needs");
  if (!needs) return [];
  return needs.value === undefined ? [...needs].map((one) => one.value) : [needs.value];
}

/** A job that has not run. */
export function skipped(id, needs) {
  return {
    ...{
      id,
      name: id,
      needs,
      result: "skipped",
      permissions: {},
      environment: null,
      concurrency: null,
    },
    ...{ outputs: {}, matrix: null, runs_on: null, timeout_minutes: null, workspace: null },
    ...{ steps: [], posts: [], log: "", summary: "", annotations: [] },
  };
}

export function concurrency(token, scope) {
  if (!token) return null;
  const value = evaluate(token, scope);
  if (typeof value !== "object") return { group: String(value), cancel_in_progress: false };
  return { group: String(value.group), cancel_in_progress: value["cancel-in-progress"] ?? false };
}

/** `url` may ask for outputs of steps: it is evaluated once more when they have run. */
function environment(token, scope) {
  if (!token) return null;
  if (!token.find) return { name: text(token, scope) };
  const url = token.find("url");
  const isReady = url && scope.contexts.steps !== undefined;
  if (!url) return { name: text(token.find("name"), scope) };
  return { name: text(token.find("name"), scope), url: isReady ? text(url, scope) : "" };
}
