// The machine that a job runs on.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

// What of the `github` context the runner exports as GITHUB_*.
const EXPORTED = new Set([
  ...["action", "action_path", "action_ref", "action_repository", "actor", "actor_id", "api_url"],
  ...["base_ref", "event_name", "event_path", "graphql_url", "head_ref", "job", "ref", "ref_name"],
  ...["ref_protected", "ref_type", "repository", "repository_id", "repository_owner"],
  ...["repository_owner_id", "retention_days", "run_attempt", "run_id", "run_number", "server_url"],
  ...["sha", "triggering_actor", "workflow", "workflow_ref", "workflow_sha", "workspace"],
]);

/** The folders and variables of a machine: fresh, but for a self-hosted one that is kept. */
export function newMachine(order, name, labels) {
  const { root, kept, env, services, tool_cache } = order.machine;
  const isOwn = [labels].flat().includes("self-hosted");
  const place = isOwn && kept ? kept : join(root, name);
  const [, repository] = order.github.repository.split("/");
  const folders = {
    workspace: join(place, "work", repository, repository),
    temp: join(place, "work", "_temp"),
    actions: join(place, "work", "_actions"),
    home: join(place, "home"),
    logs: join(place, "logs"),
  };
  // The runner empties this folder itself, at the beginning of each job.
  rmSync(folders.temp, { recursive: true, force: true });
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true });
  const context = {
    name: "harness",
    os: "Linux",
    arch: process.arch.toUpperCase(),
    temp: folders.temp,
    tool_cache,
    environment: isOwn ? "self-hosted" : "github-hosted",
    workspace: join(place, "work", repository),
  };
  const named = Object.entries(context).map(([key, value]) => [
    `RUNNER_${key.toUpperCase()}`,
    value,
  ]);
  return {
    ...folders,
    ...{ services, context, exported: EXPORTED },
    env: { ...env, HOME: folders.home },
    variables: { ...Object.fromEntries(named), CI: "true", GITHUB_ACTIONS: "true" },
  };
}

/** The payload of the event where GITHUB_EVENT_PATH points to. */
export function writeEvent(machine, payload) {
  const folder = join(machine.temp, "_github_workflow");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "event.json");
  writeFileSync(path, JSON.stringify(payload, null, 2));
  return path;
}
