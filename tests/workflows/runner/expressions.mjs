// Evaluates the tokens of GitHub's parser with GitHub's expression engine.

import { createHash } from "node:crypto";
import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Evaluator, Lexer, Parser, data } from "@actions/expressions";
import { falsy } from "@actions/expressions/result";
import { splitAllowedContext } from "@actions/workflow-parser/templates/allowed-context";
import { convertToIfCondition } from "@actions/workflow-parser/model/converter/if-condition";
import {
  isBasicExpression,
  isMapping,
  isSequence,
} from "@actions/workflow-parser/templates/tokens/type-guards";

/** What an expression sees: `contexts` by name, and `status`, which answers success() and so on. */
export class Scope {
  constructor(contexts, status = {}, workspace = undefined) {
    this.contexts = contexts;
    this.status = status;
    this.workspace = workspace;
  }

  with(more) {
    return new Scope({ ...this.contexts, ...more }, this.status, this.workspace);
  }
}

/** The value of a token and of everything below it, as plain JSON. */
export function evaluate(token, scope) {
  if (token === undefined) return undefined;
  if (isBasicExpression(token)) return plain(calculate(token.expression, token, scope));
  if (isMapping(token)) {
    const result = {};
    for (const { key, value } of token) {
      if (key.isExpression) throw new Error(`the harness does not know keys like ${key}`);
      result[key.value] = evaluate(value, scope);
    }
    return result;
  }
  if (isSequence(token)) return [...token].map((item) => evaluate(item, scope));
  if (token.isExpression) throw new Error(`the harness does not know ${token}`);
  return token.value ?? null;
}

/** The value of a scalar as GitHub writes it into a string: an environment variable, an input. */
export function text(token, scope) {
  if (token === undefined) return "";
  if (isBasicExpression(token)) return calculate(token.expression, token, scope).coerceString();
  return coerce(token.value ?? null);
}

export function texts(mapping, scope) {
  const result = {};
  for (const { key, value } of mapping ?? []) result[text(key, scope)] = text(value, scope);
  return result;
}

export function coerce(value) {
  return wrap(value).coerceString();
}

/** Whether an `if:` holds. GitHub puts `success() &&` before one that asks for no status. */
export function holds(token, context, scope) {
  if (token === undefined) return !falsy(call(scope.status, "success"));
  const before = context.errors.count;
  const condition = convertToIfCondition(context, token);
  if (context.errors.count > before) throw new Error(context.errors.getErrors().at(-1).message);
  return !falsy(calculate(condition.expression, token, scope));
}

function calculate(expression, token, scope) {
  const allowed = token.definitionInfo?.allowedContext ?? [];
  const { namedContexts, functions } = splitAllowedContext(allowed);
  const tree = new Parser(new Lexer(expression).lex().tokens, namedContexts, functions).parse();
  const contexts = new data.Dictionary();
  for (const name of namedContexts) contexts.add(name, wrap(scope.contexts[name] ?? null));
  return new Evaluator(tree, contexts, implementations(scope)).evaluate();
}

function implementations(scope) {
  const functions = new Map();
  for (const name of ["success", "failure", "always", "cancelled"]) {
    functions.set(name, {
      name,
      call: (...names) => {
        if (names.length) throw new Error(`the harness does not know ${name}() with arguments`);
        return call(scope.status, name);
      },
    });
  }
  functions.set("hashfiles", {
    name: "hashFiles",
    call: (...patterns) => {
      const texts = patterns.map((one) => one.coerceString());
      return wrap(hashFiles(scope.workspace, texts));
    },
  });
  return functions;
}

function call(status, name) {
  if (name === "always") return wrap(true);
  if (!status[name]) throw new Error(`${name}() is not available here`);
  return wrap(status[name]());
}

function wrap(value) {
  return JSON.parse(JSON.stringify(value), data.reviver);
}

function plain(value) {
  return JSON.parse(JSON.stringify(value, data.replacer));
}

/** The SHA-256 of the SHA-256s of the files, in order; "" where no file matches. */
function hashFiles(workspace, patterns) {
  const chosen = new Set();
  for (const pattern of patterns.flatMap((one) => one.split("\n")).filter(Boolean)) {
    const found = globSync(pattern.replace(/^!/, ""), { cwd: workspace });
    for (const name of found) pattern.startsWith("!") ? chosen.delete(name) : chosen.add(name);
  }
  const paths = [...chosen].map((name) => join(workspace, name)).sort();
  const files = paths.filter((path) => statSync(path).isFile());
  if (!files.length) return "";
  const all = createHash("sha256");
  for (const path of files) all.update(createHash("sha256").update(readFileSync(path)).digest());
  return all.digest("hex");
}
