// Runs a list of steps: those of a job, and in the same way those of a composite action.

import { statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { compositeOutputs, findAction, inputVariables, inputsOf, runsOf } from "./actions.mjs";
import { Scope, evaluate, holds, text, texts } from "./expressions.mjs";
import { StepFiles } from "./files.mjs";
import { Log } from "./log.mjs";
import { runProcess, shellCommand } from "./process.mjs";

const TREE = resolve(import.meta.dirname, "../../..");
const DEEPEST = 10;
const UNKNOWN = ["background", "wait", "wait-all", "cancel", "parallel"];

/**
 * Runs the steps of `frame` one after the other and returns what became of each.
 *
 * A frame is what one list of steps shares: `context` of the parser, `contexts` of expressions,
 * `env` put over the job's, `progress.status`, `defaults` of `run`, and `action` it belongs to.
 */
export async function runSteps(steps, job, frame) {
  const results = [];
  frame.contexts.steps = {};
  for (const token of steps ?? []) {
    const result = await new Step(token, job, frame, results.length).run();
    results.push(result);
    if (result.conclusion === "failure") frame.progress.status = "failure";
  }
  return results;
}

/** Runs what the actions of the job have left for its end, last in, first out. */
export async function runPosts(job) {
  const results = [];
  while (job.posts.length) {
    const { result, run, condition } = job.posts.pop();
    if (condition === "success()" && job.progress.status !== "success") continue;
    if (condition === "failure()" && job.progress.status !== "failure") continue;
    await run(result);
    results.push(result);
    if (result.conclusion === "failure") job.progress.status = "failure";
  }
  return results;
}

class Step {
  constructor(token, job, frame, position) {
    this.token = token;
    this.job = job;
    this.frame = frame;
    this.id = token.find("id")?.value ?? "";
    this.handle = this.id || `__${token.find("run") ? "run" : "action"}_${position + 1}`;
    this.log = new Log(job.masks);
    this.files = new StepFiles(job.machine.temp);
  }

  async run() {
    const result = blank(this.id);
    try {
      this.#prepare();
      result.name = this.#name();
      const isRun = holds(this.token.find("if"), this.frame.context, this.scope);
      if (isRun) {
        result.env = this.token.find("env") ? texts(this.token.find("env"), this.envScope) : {};
        await this.#act(result);
      } else {
        result.outcome = result.conclusion = "skipped";
      }
    } catch (error) {
      this.#fail(result, error);
    }
    this.#close(result);
    return result;
  }

  #prepare() {
    const { job, frame } = this;
    for (const key of UNKNOWN) {
      if (this.token.find(key)) throw new Error(`the harness does not know ${key}`);
    }
    const github = { ...job.github, action: this.handle, ...actionContext(frame.action) };
    const status = statusOf(frame.progress);
    const outer = { ...job.env, ...frame.env };
    const around = { github, job: { status: job.progress.status }, runner: job.machine.context };
    const contexts = { ...frame.contexts, ...around };
    this.github = github;
    this.envScope = new Scope({ ...contexts, env: outer }, status, job.machine.workspace);
    this.stepEnv = texts(this.token.find("env"), this.envScope);
    this.env = { ...outer, ...this.stepEnv };
    this.scope = this.envScope.with({ env: this.env });
  }

  #name() {
    const name = text(this.token.find("name"), this.scope);
    if (name) return name;
    const uses = this.token.find("uses");
    if (uses) return `Run ${uses.value}`;
    return `Run ${text(this.token.find("run"), this.scope).split("\n")[0]}`;
  }

  async #act(result) {
    const uses = this.token.find("uses")?.value;
    if (uses === undefined) {
      await this.#script(result);
    } else {
      result.uses = uses;
      const action = findAction(uses, this.job.machine, this.job.actions, this.frame);
      const given = texts(this.token.find("with"), this.scope);
      result.inputs = inputsOf(action, given, this.scope);
      const runs = runsOf(action);
      if (runs.using === "composite") await this.#composite(result, action, runs);
      else if (/^node\d+$/.test(runs.using)) await this.#javascript(result, action, runs);
      else throw new Error(`the harness does not run actions that use ${runs.using}`);
    }
  }

  async #script(result) {
    const { defaults } = this.frame;
    const script = text(this.token.find("run"), this.scope);
    const own = (key) => text(this.token.find(key), this.scope) || defaults[key];
    const shell = own("shell") || undefined;
    const place = own("working-directory") || "";
    result.run = script;
    const cwd = resolve(this.job.machine.workspace, place);
    if (!statSync(cwd, { throwIfNoEntry: false })?.isDirectory()) {
      throw new Error(`no such working directory: ${place}`);
    }
    const ended = await this.#process(shellCommand(shell, script, this.job.machine.temp), cwd, {});
    this.#settle(result, ended);
  }

  async #javascript(result, action, runs) {
    const { services, workspace } = this.job.machine;
    const inputs = { ...inputVariables(result.inputs), ...services };
    const command = (file) => programOf(action, file, services);
    if (runs.pre) throw new Error("the harness does not run `pre` of actions");
    const ended = await this.#process(command(runs.main), workspace, inputs);
    this.#settle(result, ended);
    if (runs.post) this.#leave(result, command(runs.post), inputs, runs["post-if"] ?? "always()");
  }

  #leave(result, command, inputs, condition) {
    const kept = Object.entries(result.state).map(([key, value]) => [`STATE_${key}`, value]);
    const more = { ...inputs, ...Object.fromEntries(kept) };
    const post = { ...blank(""), name: `Post ${result.name}`, uses: result.uses };
    const run = async () => {
      this.log = new Log(this.job.masks);
      this.files = new StepFiles(this.job.machine.temp);
      this.env = { ...this.job.env, ...this.frame.env, ...this.stepEnv };
      try {
        this.#settle(post, await this.#process(command, this.job.machine.workspace, more));
      } catch (error) {
        this.#fail(post, error);
      }
      this.#report(post);
    };
    this.job.posts.push({ result: post, run, condition });
  }

  async #composite(result, action, runs) {
    if (this.frame.depth >= DEEPEST) throw new Error("actions are nested too deeply");
    const { github, strategy, matrix } = this.frame.contexts;
    const inner = {
      context: action.context,
      contexts: { github, strategy, matrix, inputs: result.inputs },
      env: { ...this.frame.env, ...this.stepEnv },
      progress: { status: "success" },
      defaults: {},
      action,
      depth: this.frame.depth + 1,
    };
    result.steps = await runSteps(runs.steps, this.job, inner);
    const scope = new Scope(
      {
        ...inner.contexts,
        github: { ...this.github, ...actionContext(action) },
        job: { status: this.job.progress.status },
        runner: this.job.machine.context,
        env: { ...this.job.env, ...inner.env },
      },
      statusOf(inner.progress),
      this.job.machine.workspace,
    );
    result.outputs = compositeOutputs(action, scope);
    result.outcome = inner.progress.status;
  }

  async #process(command, cwd, more) {
    const minutes = evaluate(this.token.find("timeout-minutes"), this.scope) ?? Infinity;
    const limitS = Math.min(minutes * 60, this.job.limitS);
    const env = this.#variables(more);
    const ended = await runProcess(command, { cwd, env, limitS, folder: this.job.machine.logs });
    this.log.feed(ended.output);
    return ended;
  }

  #variables(more) {
    const { machine } = this.job;
    const variables = { ...machine.env, ...this.env, ...more, ...machine.variables };
    for (const [key, value] of Object.entries(this.github)) {
      if (machine.exported.has(key)) variables[`GITHUB_${key.toUpperCase()}`] = String(value ?? "");
    }
    const path = this.env.PATH ?? machine.env.PATH;
    variables.PATH = [...this.job.path, path].join(":");
    return { ...variables, ...this.files.variables };
  }

  /** What the step has said through its files holds even where it failed, as on GitHub. */
  #settle(result, ended) {
    result.outcome = ended.code === 0 && !ended.isLate ? "success" : "failure";
    if (ended.isLate) this.log.annotate("error", `The step timed out after ${ended.limitS} s.`);
    else if (ended.code)
      this.log.annotate("error", `Process completed with exit code ${ended.code}.`);
    result.exit_code = ended.code;
    result.outputs = this.files.values("output");
    result.state = this.files.values("state");
    const added = this.files.values("env");
    for (const name of Object.keys(added)) {
      if (name.toUpperCase() === "NODE_OPTIONS") {
        throw new Error(`Can't store ${name} output parameter using '$GITHUB_ENV' command.`);
      }
    }
    result.exported = added;
    Object.assign(this.job.env, added);
    result.path = this.files.added;
    for (const place of result.path) {
      this.job.path = [place, ...this.job.path.filter((one) => one !== place)];
    }
    if (this.log.problems.length) throw new Error(this.log.problems.join("; "));
  }

  #fail(result, error) {
    result.outcome = "failure";
    this.log.annotate("error", error.message);
  }

  #close(result) {
    this.#report(result);
    const mayFail = this.#mayFail(result);
    if (result.outcome === "failure" && mayFail) result.conclusion = "success";
    if (this.id) {
      const { outcome, conclusion, outputs } = result;
      this.frame.contexts.steps[this.id] = { outputs, outcome, conclusion };
    }
  }

  #mayFail(result) {
    const token = this.token.find("continue-on-error");
    if (!token || result.outcome !== "failure" || !this.scope) return false;
    return evaluate(token, this.scope) === true;
  }

  #report(result) {
    try {
      result.summary = this.job.masks.hide(this.files.summary);
    } catch (error) {
      this.log.annotate("error", error.message);
    }
    result.log = this.log.text;
    result.annotations = this.log.annotations;
    result.groups = this.log.groups;
    result.conclusion = result.outcome;
  }
}

function blank(id) {
  return {
    ...{ id, name: "", uses: null, run: null, outcome: null, conclusion: null, exit_code: null },
    ...{ inputs: {}, outputs: {}, env: {}, exported: {}, path: [], state: {}, steps: [] },
    ...{ log: "", annotations: [], groups: [], summary: "" },
  };
}

function actionContext(action) {
  if (!action) return {};
  const { folder, ref, repository } = action;
  return { action_path: folder.replace(/\/$/, ""), action_ref: ref, action_repository: repository };
}

function statusOf(progress) {
  return {
    success: () => progress.status === "success",
    failure: () => progress.status === "failure",
    cancelled: () => progress.status === "cancelled",
  };
}

/**
 * What a file of an action is run with: Node, but the harness's own Python where the action stands
 * in for another. Such a file names a module of `tests/workflows/standins/`. It needs nothing but
 * what comes with Python (-S), and takes nothing from the workspace, which is not ours (-I). Where
 * there are starters (`tests/starting/`), one of them starts it; no shell asks for it (see above).
 */
function programOf(action, file, services) {
  if (!file.endsWith(".py")) return [process.execPath, join(action.folder, file)];
  const start = "import sys; sys.path.insert(0, sys.argv[1]); import runpy; " +
    "runpy.run_module(sys.argv[2], run_name='__main__')";
  const module = `tests.workflows.standins.${basename(file, ".py")}`;
  const program = [services.ASSENT_HARNESS_PYTHON, "-I", "-S", "-c", start, TREE, module];
  const starters = services.ASSENT_HARNESS_INSTALL;
  if (!starters.startsWith("/")) return program;
  const client = [program[0], "-IS", join(TREE, "tests/starting/client.py")];
  const place = join(starters, String(process.pid % 2));
  return [...client, place, module, String(program.length), ...program];
}
