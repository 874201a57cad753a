// Runs gitlab-ci-local again and again, as tests order on the standard input: to start it costs
// more than most of what it does.
//
// The conversation is lines of JSON: `{"words": […], "cwd": …, "env": {…}}`, answered by
// `{"code": …, "stdout": …, "stderr": …}`. The tool is one large module that reads its command line
// when it is imported. Here that last part is a function to call, and what the module remembers of
// a run is forgotten before the next; the rest of it is as it was published.

import { writeSync } from "node:fs";
import { enableCompileCache, registerHooks } from "node:module";
import { createInterface } from "node:readline";

const TOOL = new URL("node_modules/gitlab-ci-local/dist/index.js", import.meta.url).href;
const MEMORY = /static memoLocalRepoFiles=\(\(\)=>\{let (\w+)=new Map;/;
const STATE = /;var (\w+)=\[\],(\w+)=null;(?=async function \w+\(\w+\)\{if\(\2\)return \2;)/;
const START =
  /\(\(\)=>\{(let \w+=\w+\(process\.env\),\w+=\w+\(process\.argv\.slice\(2\)\);)(?=\w+\.parser)/;
const END = /\.parse\(\)\}\)\(\);(?=\s*\/\/#)/;

function callable(source) {
  for (const part of [MEMORY, STATE, START, END]) {
    const count = source.match(new RegExp(part, "g"))?.length ?? 0;
    if (count !== 1) throw new Error(`${part} is ${count} times in this gitlab-ci-local`);
  }
  const [, jobs, ending] = source.match(STATE);
  const forget = `${jobs}.length=0;${ending}=null;globalThis.forget();`;
  return source
    .replace(MEMORY, "$&globalThis.forget=()=>$1.clear();")
    .replace(START, `globalThis.play=(()=>{${forget}$1return `)
    .replace(END, ".parse()});");
}

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    return url === TOOL ? { ...loaded, source: callable(loaded.source.toString()) } : loaded;
  },
});
enableCompileCache(new URL("node_modules/.compiled", import.meta.url).pathname);
await import(TOOL);

/** What the tool says and how it ends, as if it were a process of its own. */
async function play({ words, cwd, env }) {
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) {
    process[name].write = (text) => {
      said[name] += text;
      return true;
    };
  }
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  process.chdir(cwd);
  process.argv = [process.argv[0], TOOL, ...words];
  const ended = new Promise((resolve) => {
    process.exit = resolve;
  });
  await globalThis.play();
  return { code: await ended, ...said };
}

function say(message) {
  const content = Buffer.from(`${JSON.stringify(message)}\n`);
  for (let from = 0; from < content.length; ) from += writeSync(1, content, from);
}

const exit = process.exit;
for await (const line of createInterface({ input: process.stdin })) say(await play(JSON.parse(line)));
exit(0);
