// Finds the action that a step uses, and gives it its inputs.

import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { evaluate, text } from "./expressions.mjs";
import { readAction } from "./workflow.mjs";

/**
 * `{folder, repository, ref, root, context, name}` of `uses`. Actions of other repositories are the
 * local folders that the test has named, laid out as the runner lays out what it downloads.
 */
export function findAction(uses, machine, mapped, frame) {
  if (uses.startsWith("docker://")) throw new Error("the harness does not run Docker actions");
  if (uses.startsWith("./")) {
    const { workspace } = machine;
    return load({ folder: join(workspace, uses), uses, repository: "", ref: "", top: workspace });
  }
  if (uses.startsWith("$/")) {
    if (!frame.action) throw new Error("the harness knows $/ only inside actions");
    return load({ ...frame.action, folder: join(frame.action.top, uses.slice(2)), uses });
  }
  const found = /^(?<owner>[^/@]+)\/(?<name>[^/@]+)(?<path>\/[^@]*)?@(?<ref>.+)$/.exec(uses);
  if (!found) throw new Error(`the harness cannot read uses: ${uses}`);
  const { owner, name, path, ref } = found.groups;
  const repository = `${owner}/${name}`;
  const source = mapped[`${repository}@${ref}`] ?? mapped[repository];
  if (!source) throw new Error(`the test has not said where the action ${uses} is`);
  const top = join(machine.actions, owner, name, ref.replaceAll("/", "_"));
  mkdirSync(dirname(top), { recursive: true });
  if (!existsSync(top)) symlinkSync(source, top);
  return load({ folder: join(top, path ?? ""), uses, repository, ref, top });
}

function load(place) {
  const files = ["action.yml", "action.yaml"].map((name) => join(place.folder, name));
  const file = files.find((path) => existsSync(path));
  if (!file) {
    throw new Error(
      `Can't find 'action.yml' or 'action.yaml' under '${place.folder}'. ` +
        "Did you forget to run actions/checkout before running your local action?",
    );
  }
  return { ...place, ...readAction(file, readFileSync(file, "utf8")) };
}

/** The inputs of an action: those given, else its defaults. One it does not have is an error. */
export function inputsOf(action, given, scope) {
  const declared = action.root.find("inputs");
  const values = {};
  const names = new Map();
  for (const { key, value } of declared ?? []) {
    const name = key.value;
    names.set(name.toLowerCase(), name);
    values[name] = text(value?.find?.("default"), scope);
  }
  for (const [name, value] of Object.entries(given)) {
    const known = names.get(name.toLowerCase());
    if (known === undefined) {
      const valid = [...names.values()].map((one) => `'${one}'`).join(", ");
      throw new Error(`Unexpected input '${name}' of ${action.uses}, valid inputs are [${valid}]`);
    }
    values[known] = value;
  }
  return values;
}

/** How the inputs of a JavaScript action reach it. */
export function inputVariables(inputs) {
  const variable = (name) => `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`;
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [variable(name), value]));
}

/** The outputs that a composite action makes of those of its steps. */
export function compositeOutputs(action, scope) {
  const outputs = {};
  for (const { key, value } of action.root.find("outputs") ?? []) {
    outputs[key.value] = text(value.find("value"), scope);
  }
  return outputs;
}

export function runsOf(action) {
  const runs = action.root.find("runs");
  const plain = {};
  for (const { key, value } of runs) {
    if (key.value !== "steps") plain[key.value] = evaluate(value, { contexts: {} });
  }
  return { ...plain, steps: runs.find("steps") };
}
