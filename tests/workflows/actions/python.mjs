// Runs a stand-in, which is a Python module, as the JavaScript action that it stands for.

import { spawnSync } from "node:child_process";

const TREE = new URL("../../..", import.meta.url).pathname;

export function run(name) {
  const { ASSENT_HARNESS_PYTHON: python } = process.env;
  // -P: nothing is imported from the workspace, which is not the harness's.
  const command = ["-P", "-m", `tests.workflows.standins.${name}`];
  const env = { ...process.env, PYTHONPATH: TREE, PYTHONDONTWRITEBYTECODE: "1" };
  process.exitCode = spawnSync(python, command, { env, stdio: "inherit" }).status ?? 1;
}
