// Reads a workflow or an action with GitHub's parser, and says whether an event starts it.

import {
  NoOperationTraceWriter,
  convertWorkflowTemplate,
  parseWorkflow,
} from "@actions/workflow-parser";
import { parseAction } from "@actions/workflow-parser/actions/action-parser";
import { YamlObjectReader } from "@actions/workflow-parser/workflows/yaml-object-reader";
import { convertActionTemplate } from "@actions/workflow-parser/actions/action-template";

// For an editor's sake the parser takes expressions in strings of several lines from the source,
// with the quotes and the indentation that YAML removes. What runs is the value.
const { getLiteralToken } = YamlObjectReader;
YamlObjectReader.getLiteralToken = (...what) => {
  const token = getLiteralToken(...what);
  delete token.source;
  return token;
};

export class Invalid extends Error {
  constructor(errors) {
    super(errors.join("\n"));
    this.errors = errors;
  }
}

/** `{context, root, events}`, or Invalid with everything that GitHub's parser says against it. */
export async function readWorkflow(name, content) {
  const { context, value } = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  let template;
  if (value) template = await convertWorkflowTemplate(context, value);
  refuse(context);
  return { context, root: value, events: template.events };
}

export function readAction(name, content) {
  const { context, value } = parseAction({ name, content }, new NoOperationTraceWriter());
  if (value) convertActionTemplate(context, value);
  refuse(context);
  return { context, root: value };
}

function refuse(context) {
  const errors = context.errors.getErrors().map((error) => error.message);
  if (errors.length) throw new Invalid(errors);
}

// An event with these activity types starts a workflow that names none.
const USUAL_TYPES = {
  pull_request: ["opened", "synchronize", "reopened"],
  pull_request_target: ["opened", "synchronize", "reopened"],
};

/** Why the event does not start the workflow, or undefined where it does. */
export function reasonNotToStart(events, name, payload, ref) {
  const filters = events[name];
  if (!filters) return `the workflow does not listen to ${name}`;
  const types = filters.types ?? USUAL_TYPES[name];
  if (types && !types.includes(payload.action)) return unheard(`${name}: type`, payload.action);
  if (filters.paths || filters["paths-ignore"]) {
    throw new Error("the harness does not know `paths` filters");
  }
  const isTag = name === "push" && ref.startsWith("refs/tags/");
  const branch = branchOf(name, payload, ref);
  const short = ref.replace(/^refs\/(heads|tags)\//, "");
  if (isTag) {
    if (filters.branches && !filters.tags) return "only branches are listened to";
    if (!passes(short, filters.tags, filters["tags-ignore"])) return unheard("tag", short);
  } else {
    if (name === "push" && filters.tags && !filters.branches) return "only tags are listened to";
    const { branches, "branches-ignore": ignored } = filters;
    if (!passes(branch, branches, ignored)) return unheard("branch", branch);
  }
  if (filters.workflows && !filters.workflows.includes(payload.workflow_run?.name)) {
    return unheard("workflow", payload.workflow_run?.name);
  }
  if (name === "schedule" && !filters.some?.((one) => one.cron === payload.schedule)) {
    return unheard("schedule", payload.schedule);
  }
  return undefined;
}

function unheard(kind, value) {
  return `${kind} ${value} is not listened to`;
}

function branchOf(name, payload, ref) {
  if (name.startsWith("pull_request")) return payload.pull_request?.base?.ref ?? "";
  if (name === "workflow_run") return payload.workflow_run?.head_branch ?? "";
  if (name === "merge_group") return payload.merge_group.base_ref.replace("refs/heads/", "");
  return ref.replace("refs/heads/", "");
}

function passes(value, wanted, unwanted) {
  if (unwanted) return !unwanted.some((pattern) => glob(pattern).test(value));
  if (!wanted) return true;
  let isWanted = false;
  for (const pattern of wanted) {
    if (pattern.startsWith("!")) isWanted &&= !glob(pattern.slice(1)).test(value);
    else isWanted ||= glob(pattern).test(value);
  }
  return isWanted;
}

/** GitHub's filter patterns: `*` stops at a slash, `**` does not. */
function glob(pattern) {
  const source = pattern
    .replace(/[.^${}()|\\]/g, "\\$&")
    .replace(/\*\*|\*/g, (stars) => (stars === "**" ? ".*" : "[^/]*"));
  return new RegExp(`^${source}$`);
}

/** The `inputs` context of a dispatched run, checked against what the workflow declares. */
export function dispatchInputs(events, name, payload) {
  if (name !== "workflow_dispatch") return {};
  const declared = events.workflow_dispatch?.inputs ?? {};
  const given = payload.inputs ?? {};
  for (const key of Object.keys(given)) {
    if (!(key in declared)) throw new Invalid([`Unexpected inputs provided: ["${key}"]`]);
  }
  const result = {};
  for (const [key, input] of Object.entries(declared)) {
    const value = given[key] ?? input.default;
    if (input.required && (value === undefined || value === "")) {
      throw new Invalid([`Required input '${key}' not provided`]);
    }
    if (input.options && value !== undefined && !input.options.includes(value)) {
      throw new Invalid([
        `Provided value '${value}' for input '${key}' not in the list of allowed`,
      ]);
    }
    if (input.type === "boolean") result[key] = value === true || value === "true";
    else if (input.type === "number") result[key] = Number(value);
    else result[key] = String(value ?? "");
  }
  return result;
}
