"""What each forge can do: one table, of which a part is made from the table of the wrappers.

Each row names the methods of the parts of `assent.ports.Forge` that it is about; a test sees to it
that every method is in a row, so that nothing can come to one forge and be forgotten here.
"""

from __future__ import annotations

from dataclasses import dataclass

from assent import ports
from docs.actions import ACTIONS
from docs.templates import TEMPLATES
from docs.wrappers import MADE

PARTS = {
    "Which change it is, and what has landed": ports.Changes,
    "What is said on a change": ports.Announcements,
    "Opinions, and who somebody is": ports.Opinions,
    "Runs of CI": ports.Runs,
    "Who waits for whom": ports.ReviewQueue,
    "Deployments": ports.Deployments,
    "Changes that Assent opens": ports.Proposals,
    "What is enforced beside Assent": ports.Guards,
}
"""The parts of a forge, by what they are about. The first method of a row says which it is of."""
FORGES = ("GitHub", "GitLab", "local")


@dataclass(frozen=True)
class Row:
    """A capability: what it is on each forge, and the methods of the port that give it."""

    name: str
    github: str
    gitlab: str
    local: str
    methods: tuple[str, ...]


ROWS = (
    Row(
        "the change under review",
        "pull request",
        "merge request",
        "branch",
        ("change", "branch"),
    ),
    Row(
        "which change a commit of the default branch was",
        "the pull request that GitHub merged as it",
        "the merge request that GitLab merged as it",
        "the commits themselves",
        ("change_of", "landed", "tips"),
    ),
    Row(
        "whose clock decides",
        "GitHub's: the `Date` of its answers",
        "GitLab's: the `Date` of its answers",
        "this machine's, and it is said",
        ("clock",),
    ),
    Row(
        "what the reviewer sees",
        "one comment for each model, updated in place",
        "one note for each model, updated in place",
        "a file below `.assent/review/`",
        ("comment",),
    ),
    Row(
        "record of which bundle was shown when",
        "commit status of our own account",
        "commit status of our own account",
        "none: a review is bound to its bundle",
        ("shown",),
    ),
    Row(
        "a new base takes back what was shown",
        "at once (`types: edited`)",
        "when it comes back, or where a webhook starts a pipeline",
        "there is one base",
        ("retract",),
    ),
    Row(
        "required before a merge",
        "commit status `assent/<model>`",
        "commit status `assent/<model>` with *Pipelines must succeed*",
        "no",
        ("comment",),
    ),
    Row(
        "approval",
        "review; bound to its commit by GitHub",
        "approval; bound to the version of the merge request by its time",
        "`assent approve --as`",
        ("reviews", "review"),
    ),
    Row(
        "objection",
        "*Request changes*",
        "*Request changes* (Premium), or the approval is taken back",
        "`assent approve --as … --reject`",
        ("reviews",),
    ),
    Row(
        "an approval that was taken back after it was recorded",
        "asked again: dismissed, deleted, account gone",
        "asked again: taken back, account gone or blocked",
        "the latest word of `assent approve`",
        ("withdrawn",),
    ),
    Row(
        "slash commands",
        "answered at once",
        "counted always; answered where a webhook starts a pipeline",
        "no",
        ("asked", "answer"),
    ),
    Row(
        "who is in a role",
        "permission, team, CODEOWNERS",
        "access level, group, CODEOWNERS",
        "`people` of assent.yaml",
        ("matches", "person"),
    ),
    Row(
        "identity",
        "numeric id, asked of GitHub",
        "numeric id, asked of GitLab",
        "claimed",
        ("whoami", "person", "commit_author"),
    ),
    Row(
        "who trained",
        "who started the workflow run",
        "who started the pipeline",
        "claimed",
        ("started",),
    ),
    Row(
        "code that reviews",
        "the default branch's (`workflow_run`)",
        "the default branch's: its pipelines look for what waits",
        "the working tree's",
        ("waiting", "review_queue"),
    ),
    Row(
        "what untrusted jobs have left",
        "artifact of the run, fetched under limits",
        "artifact of the job, fetched under limits",
        "the working tree",
        ("fetch", "fetch_own"),
    ),
    Row(
        "approvals are recorded",
        "when given",
        "when merged, on a schedule, by hand; when given where a webhook starts a pipeline",
        "when given",
        ("reviews",),
    ),
    Row(
        "deploy button",
        "`workflow_dispatch` with an environment",
        "manual job with an environment",
        "`assent promote`",
        ("deployment_request",),
    ),
    Row(
        "who let a deployment through",
        "reviewers of the environment",
        "approvals of the deployment (Premium)",
        "no",
        ("deployment_request",),
    ),
    Row(
        "what a stage holds, on the forge",
        "deployment of the environment",
        "deployment of the environment",
        "no",
        ("deployed",),
    ),
    Row(
        "retraining that proposes a change",
        "pull request",
        "merge request",
        "branch",
        ("propose",),
    ),
    Row(
        "what the forge enforces (`doctor --forge`)",
        "branch rules, environments, permissions",
        "protected branches, approval rules, environments, token",
        "nothing",
        ("protections", "guards"),
    ),
)


def document() -> str:
    """The tables."""
    lines = [
        "# Forges",
        "",
        f"<!-- {MADE} -->",
        "",
        "What is the same everywhere: gates, rules of the default branch, one bundle under one",
        "digest, the ledger, and who counts. What differs is what the forge gives for it. How to",
        "set each up is in [github.md](github.md) and [gitlab.md](gitlab.md).",
        "",
    ]
    for title, part in PARTS.items():
        lines += [f"## {title}", "", f"| | {' | '.join(FORGES)} |", "|---|---|---|---|"]
        lines += [
            f"| {row.name} | {row.github} | {row.gitlab} | {row.local} |"
            for row in ROWS
            if row.methods[0] in vars(part)
        ]
        lines.append("")
    lines += [
        "## Verbs in CI",
        "",
        "| verb | action for GitHub | template for GitLab |",
        "|---|---|---|",
    ]
    for verb in sorted({*ACTIONS, *TEMPLATES}, key=list(ACTIONS).index):
        action = f"[{verb}](actions.md#{verb})" if verb in ACTIONS else "no"
        template = f"[{verb}](templates.md#{verb})" if verb in TEMPLATES else "run the command"
        lines.append(f"| `{verb}` | {action} | {template} |")
    return "\n".join(lines) + "\n"
