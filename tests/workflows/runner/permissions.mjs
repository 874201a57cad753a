// What the token of a job may do.

const SCOPES = [
  ...["actions", "artifact-metadata", "attestations", "checks", "contents", "deployments"],
  ...["discussions", "id-token", "issues", "models", "packages", "pages", "pull-requests"],
  ...["repository-projects", "security-events", "statuses"],
];
const RESTRICTED = { contents: "read", metadata: "read", packages: "read" };
const FORK_EVENTS = new Set(["pull_request", "pull_request_review", "pull_request_review_comment"]);

/** Whether GitHub gives this event no secrets and a token that can only read. */
export function isUntrusted(name, payload, actor) {
  if (!FORK_EVENTS.has(name)) return false;
  const { head, base } = payload.pull_request ?? {};
  return head?.repo?.id !== base?.repo?.id || actor === "dependabot[bot]";
}

/** The rights of a job: its own `permissions`, else the workflow's, else the repository's. */
export function permissionsOf(job, workflow, { usual, untrusted }) {
  const stated = job ?? workflow;
  let rights = stated === undefined ? standard(usual) : spell(stated);
  if (untrusted) rights = Object.fromEntries(Object.entries(rights).map(([key]) => [key, "read"]));
  if (untrusted) delete rights["id-token"];
  return rights;
}

function standard(usual) {
  if (usual === "read") return RESTRICTED;
  const { "id-token": _, ...rest } = all("write");
  return rest;
}

function spell(stated) {
  if (stated === "read-all") return all("read");
  if (stated === "write-all") return all("write");
  const granted = Object.entries(stated ?? {}).filter(([, level]) => level !== "none");
  return { metadata: "read", ...Object.fromEntries(granted) };
}

function all(level) {
  return { metadata: "read", ...Object.fromEntries(SCOPES.map((scope) => [scope, level])) };
}
