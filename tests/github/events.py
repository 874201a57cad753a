"""What GitHub writes to GITHUB_EVENT_PATH, made from the state.

Events and API write the same things slightly differently: reviews in small letters, fewer keys,
times of repositories as numbers in a push.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.github.accounts import Account
from tests.github.pulls import Comment, Pull, Review
from tests.github.runs import Run
from tests.github.shapes import people, pulls, repositories, runs
from tests.github.shapes.addresses import Addresses, stamp
from tests.github.world import GitHub

Json = dict[str, Any]
ONLY_IN_THE_API = {"user_view_type"}
NOTHING = "0" * 40
AS_AN_ISSUE = """
    active_lock_reason assignee assignees author_association body closed_at comments_url created_at
    draft html_url id labels locked milestone number state title updated_at user
""".split()
STATUSES = ("added", "removed", "modified")
REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "eyes", "rocket")


class Events:
    """Payloads of the events that wake us up."""

    def __init__(self, github: GitHub, where: Addresses) -> None:
        self._github = github
        self._where = where

    def pull_request(
        self,
        pull: Pull,
        action: str = "opened",
        *,
        by: Account | None = None,
        before: str = "",
        base: str | None = None,
    ) -> Json:
        """`before` is the head that a push (`synchronize`) replaced, `base` the branch that it went
        to before somebody edited that; without one the title was edited.
        """
        payload = {
            "action": action,
            "number": pull.number,
            "pull_request": pulls.whole(self._where, pull),
        }
        if action == "synchronize":
            payload |= {"before": before or NOTHING, "after": pull.head_sha}
        if action == "edited":
            sha = None if base is None else pull.repository.tip(base)
            was = {"ref": {"from": base}, "sha": {"from": sha}}
            payload["changes"] = {"title": {"from": "Before"}} if base is None else {"base": was}
        return self._signed(payload, by or pull.author)

    def pull_request_review(
        self, review: Review, action: str = "submitted", *, by: Account | None = None
    ) -> Json:
        shown = pulls.review(self._where, review)
        shown["state"] = review.state.lower()
        payload = {
            "action": action,
            "review": shown,
            "pull_request": pulls.simple(self._where, review.pull),
        }
        if action == "edited":
            payload["changes"] = {}
        return self._signed(payload, by or review.author)

    def issue_comment(self, comment: Comment) -> Json:
        """A new comment on a pull request, which the event calls an issue."""
        shown = pulls.comment(self._where, comment)
        shown["reactions"] = self._no_reactions(shown["url"])
        return self._signed(
            {"action": "created", "issue": self._issue(comment.pull), "comment": shown},
            comment.author,
        )

    def push(self, by: Account, *, before: str, branch: str | None = None) -> Json:
        """The commits that came to a branch, the default one if none is named."""
        repository = self._github.repository
        branch = branch or repository.default_branch
        after = repository.tip(branch)
        commits = [self._pushed(sha) for sha in repository.objects.between(before, after)]
        payload = {
            "ref": f"refs/heads/{branch}",
            "before": before,
            "after": after,
            "created": False,
            "deleted": False,
            "forced": False,
            "base_ref": None,
            "compare": self._where.page(repository, f"/compare/{before[:12]}...{after[:12]}"),
            "commits": commits,
            "head_commit": self._pushed(after),
            "pusher": {"name": by.login, "email": by.email},
        }
        signed = self._signed(payload, by)
        created = int(repository.created_at.timestamp())
        signed["repository"] |= {
            "created_at": created,
            "pushed_at": created,
            "stargazers": 0,
            "master_branch": repository.default_branch,
        }
        return signed

    def workflow_dispatch(
        self,
        by: Account,
        inputs: Mapping[str, object] | None = None,
        *,
        branch: str | None = None,
        path: str = ".github/workflows/assent.yml",
    ) -> Json:
        branch = branch or self._github.repository.default_branch
        ref = f"refs/heads/{branch}"
        shown = dict(inputs) if inputs is not None else None
        return self._signed({"inputs": shown, "ref": ref, "workflow": path}, by)

    def workflow_run(self, run: Run, action: str = "completed") -> Json:
        """The event that another run's end causes; `sender` is who triggered that other run."""
        assert (action == "completed") == (run.conclusion is not None), "call run.complete() first"
        shown = runs.run(self._where, run)
        number = runs.workflow_id(run)
        page = self._where.page(run.repository, f"/blob/main/{run.path}")
        workflow = {
            "id": number,
            "node_id": f"W_{number}",
            "name": run.name,
            "path": run.path,
            "state": "active",
            "created_at": stamp(run.repository.created_at),
            "updated_at": stamp(run.repository.created_at),
            "url": self._where.repo(run.repository, f"/actions/workflows/{number}"),
            "html_url": page,
            "badge_url": self._where.page(run.repository, f"/workflows/{run.name}/badge.svg"),
        }
        payload = {"action": action, "workflow_run": shown, "workflow": workflow}
        return self._signed(payload, run.triggering_actor)

    def merge_group(self, ref: str, by: Account) -> Json:
        """The checks that a merge queue asks for, at a ref that `Pull.enqueue` gave."""
        repository = self._github.repository
        sha = repository.tip(ref.removeprefix("refs/heads/"))
        found = repository.objects.commit(sha)
        pushed = self._pushed(sha)
        base = ref.removeprefix("refs/heads/gh-readonly-queue/").rpartition("/pr-")[0]
        head_commit = {name: pushed[name] for name in ("id", "tree_id", "message", "timestamp")} | {
            "author": {"name": found.author.name, "email": found.author.email},
            "committer": {"name": found.committer.name, "email": found.committer.email},
        }
        group = {
            "head_sha": sha,
            "head_ref": ref,
            "base_sha": found.parents[0],
            "base_ref": f"refs/heads/{base}",
            "head_commit": head_commit,
        }
        return self._signed({"action": "checks_requested", "merge_group": group}, by)

    # --- parts ---

    def _signed(self, payload: Json, by: Account) -> Json:
        """With what every event carries."""
        repository = self._github.repository
        shown = repositories.ordinary(self._where, repository)
        signed = {**payload, "repository": shown, "sender": people.user(self._where, by)}
        if repository.owner.kind == "Organization":
            signed["organization"] = people.organization(self._where, repository.owner)
        return dict(_as_event(signed))

    def _issue(self, pull: Pull) -> Json:
        shown = pulls.simple(self._where, pull)
        url = shown["issue_url"]
        return {
            **{name: shown[name] for name in AS_AN_ISSUE},
            "url": url,
            "node_id": shown["node_id"],
            "repository_url": self._where.repo(pull.repository),
            "labels_url": f"{url}/labels{{/name}}",
            "events_url": f"{url}/events",
            "timeline_url": f"{url}/timeline",
            "comments": len(pull.comments),
            "performed_via_github_app": None,
            "state_reason": None,
            "reactions": self._no_reactions(url),
            "pull_request": {
                name: shown[name] for name in ("url", "html_url", "diff_url", "patch_url")
            }
            | {"merged_at": shown["merged_at"]},
        }

    def _no_reactions(self, url: str) -> Json:
        return {"url": f"{url}/reactions", "total_count": 0, **dict.fromkeys(REACTIONS, 0)}

    def _pushed(self, sha: str) -> Json:
        repository = self._github.repository
        found = repository.objects.commit(sha)
        files = repository.objects.changed(found.parents[0], sha) if found.parents else []
        named = {status: [one.path for one in files if one.status == status] for status in STATUSES}

        def who(name: str, email: str) -> Json:
            account = self._github.mapped(email)
            return {"name": name, "email": email} | ({"username": account.login} if account else {})

        return {
            "id": sha,
            "tree_id": found.tree,
            "distinct": True,
            "message": found.message,
            "timestamp": stamp(found.committer.at),
            "url": self._where.page(repository, f"/commit/{sha}"),
            "author": who(found.author.name, found.author.email),
            "committer": who(found.committer.name, found.committer.email),
            **named,
        }


def _as_event(node: Any) -> Any:
    if isinstance(node, dict):
        shown = {key: _as_event(value) for key, value in node.items() if key not in ONLY_IN_THE_API}
        is_whole_repository = "default_branch" in node and "full_name" in node
        return shown | ({"custom_properties": {}} if is_whole_repository else {})
    return [_as_event(one) for one in node] if isinstance(node, list) else node
