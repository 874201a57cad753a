// Runs the processes of steps.

import { spawn } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  closeSync,
  openSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const SHELLS = {
  bash: ["bash", "--noprofile", "--norc", "-eo", "pipefail", "{0}"],
  sh: ["sh", "-e", "{0}"],
  python: ["python", "{0}"],
};
const EXTENSIONS = { bash: "sh", sh: "sh", python: "py" };
let count = 0;

/** The command line that runs a script, as GitHub builds it. Without `shell` it is `bash -e`. */
export function shellCommand(shell, script, folder) {
  count += 1;
  const path = join(folder, `script_${count}.${EXTENSIONS[shell ?? "bash"] ?? "sh"}`);
  writeFileSync(path, script);
  chmodSync(path, 0o700);
  let command = shell === undefined ? ["bash", "-e", "{0}"] : SHELLS[shell];
  command ??= shell.split(/\s+/);
  if (!command.some((word) => word.includes("{0}"))) {
    throw new Error(`the harness does not know the shell ${shell}`);
  }
  return command.map((word) => word.replace("{0}", path));
}

/**
 * Runs a command in a session of its own, so that no terminal can be asked for anything and
 * nothing of it outlives the step. Both outputs go into one file: their order is what happened.
 * (A shell that joins them would lose variables with names like INPUT_FETCH-DEPTH.)
 */
export function runProcess(command, { cwd, env, limitS, folder }) {
  count += 1;
  const path = join(folder, `output_${count}`);
  const file = openSync(path, "a");
  return new Promise((resolve) => {
    const [program, ...words] = command;
    const child = spawn(program, words, {
      cwd,
      env,
      detached: true,
      stdio: ["ignore", file, file],
    });
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      kill(child.pid);
    }, limitS * 1000);
    const end = (code) => {
      clearTimeout(timer);
      closeSync(file);
      resolve({ code, isLate, limitS, output: readFileSync(path, "utf8") });
    };
    child.on("error", (error) => {
      appendFileSync(path, `${error.message}\n`);
      end(127);
    });
    child.on("exit", (code) => {
      kill(child.pid);
      end(code ?? 128);
    });
  });
}

function kill(group) {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
