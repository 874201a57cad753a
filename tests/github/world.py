"""GitHub as the tests see it: one state, and a small API to act as people.

github = GitHub(folder)
alice, bob = github.user("alice"), github.user("bob", role="write")
pull = github.open_pull(by=alice, files={"params.yaml": "depth: 9\\n"})
github.tick()
pull.review(bob, "APPROVED")
pull.merge(bob, "squash")
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.github import accounts
from tests.github.accounts import Account, Kind, Team, Token
from tests.github.pulls import Comment, Pull
from tests.github.repository import Repository
from tests.github.runs import Environment, MachineGroup, Run
from tests.standin.clock import Clock
from tests.standin.objects import Objects

WORKFLOW_PERMISSIONS = {
    **dict.fromkeys(("contents", "pull_requests", "issues", "statuses", "checks"), "write"),
    **dict.fromkeys(("deployments", "actions"), "write"),
}
"""What a workflow can ask for its GITHUB_TOKEN at most, of the things we use."""


class GitHub(Clock):
    """All accounts and repositories. Time stands still until `tick`."""

    def __init__(self, git: Path, *, repository: str = "acme/churn", branch: str = "main") -> None:
        super().__init__()
        self.accounts: list[Account] = []
        self.teams: list[Team] = []
        self.tokens: dict[str, Token] = {}
        self.repositories: list[Repository] = []
        self.machine_groups: list[MachineGroup] = []
        self.lag_of_pulls = 0
        """For so many requests the pull requests of a commit are an empty list."""
        for number, login, kind in (
            (accounts.GHOST_ID, "ghost", "User"),
            (accounts.WEB_FLOW_ID, "web-flow", "User"),
            (accounts.ACTIONS_BOT_ID, "github-actions[bot]", "Bot"),
            (accounts.QUEUE_BOT_ID, "github-merge-queue[bot]", "Bot"),
            (accounts.DEPENDABOT_ID, "dependabot[bot]", "Bot"),
        ):
            self._add(login, kind, number)  # type: ignore[arg-type]  # three known kinds
        self.account(accounts.WEB_FLOW_ID).emails.add("noreply@github.com")
        owner, _, name = repository.partition("/")
        self.organization = self._add(owner, "Organization")
        objects = Objects(git)
        self.repository = Repository(
            self.next_id(), name, self.organization, self, objects, self.now, default_branch=branch
        )
        self.repositories.append(self.repository)
        if self.repository.branch(branch) is None:
            self.repository.commit(
                None, message="start", files={"README.md": "# churn\n"}, branch=branch
            )

    # --- accounts ---

    def user(
        self,
        login: str,
        *,
        role: str = "none",
        kind: Kind = "User",
        email: str | None = None,
        name: str | None = None,
    ) -> Account:
        """A new account, with a role in the repository. A login that its owner gave up can be
        taken by somebody else.
        """
        account = self._add(login, kind, name=name)
        if email:
            account.emails.add(email)
        self.repository.grant(account, role)
        return account

    def bot(self, login: str, *, role: str = "none") -> Account:
        return self.user(login, kind="Bot", role=role)

    def account(self, number: int) -> Account:
        return next(one for one in self.accounts if one.id == number)

    @property
    def actions_bot(self) -> Account:
        return self.account(accounts.ACTIONS_BOT_ID)

    @property
    def ghost(self) -> Account:
        return self.account(accounts.GHOST_ID)

    def login(self, login: str) -> Account | None:
        """The account that has this login now."""
        wanted = login.lower()
        found = [one for one in self.accounts if one.login.lower() == wanted and one.is_found]
        return found[0] if found else None

    def mapped(self, email: str) -> Account | None:
        """The account that a commit's address belongs to."""
        found = [one for one in self.accounts if email.lower() in _addresses(one)]
        return found[0] if found and not found[0].is_deleted else None

    def free(self, login: str) -> None:
        """A login must not be taken. That of a suspended account is."""
        taken = [one.login.lower() for one in self.accounts if not one.is_deleted]
        assert login.lower() not in taken, f"{login} is somebody's login"

    def team(self, slug: str, *members: Account, parent: Team | None = None) -> Team:
        """A team of the organization."""
        team = Team(self.next_id(), slug, self.organization)
        for one in members:
            team.add(one)
        if parent:
            parent.children.append(team)
        self.teams.append(team)
        return team

    # --- tokens ---

    def workflow_token(self, **permissions: str) -> str:
        """A GITHUB_TOKEN: by default with all that a workflow can ask for."""
        granted = permissions or WORKFLOW_PERMISSIONS
        return self._token("ghs", self.actions_bot, "installation", permissions=granted)

    def app_token(self, app: Account, **permissions: str) -> str:
        """A token of an app's installation; it may have `members`, which a workflow never has."""
        granted = permissions or {**WORKFLOW_PERMISSIONS, "members": "read"}
        return self._token("ghs", app, "installation", permissions=granted)

    def personal_token(self, person: Account, **permissions: str) -> str:
        """A fine-grained token of a person."""
        granted = permissions or {**WORKFLOW_PERMISSIONS, "members": "read"}
        return self._token("github_pat", person, "personal", permissions=granted)

    def classic_token(self, person: Account, *scopes: str) -> str:
        """What its person may, as far as the scopes go."""
        return self._token("ghp", person, "classic", scopes=scopes or ("repo", "read:org"))

    def revoke(self, token: str) -> None:
        self.tokens[token].is_revoked = True

    def _token(self, prefix: str, account: Account, kind: Any, **rights: Any) -> str:
        value = f"{prefix}_{self.next_id():036d}"
        if kind == "installation":
            rights["repositories"] = (self.repository.id,)
        self.tokens[value] = Token(value, account, kind, **rights)
        return value

    # --- what people do ---

    def fork(self, by: Account) -> Repository:
        """`by`'s own fork of the repository."""
        base = self.repository
        fork = Repository(
            id=self.next_id(),
            name=base.name,
            owner=by,
            github=self,
            objects=base.objects,
            created_at=self.now,
            parent=base,
            default_branch=base.default_branch,
            is_private=base.is_private,
        )
        self.repositories.append(fork)
        fork.set_branch(base.default_branch, base.tip(base.default_branch))
        return fork

    def delete_fork(self, fork: Repository) -> None:
        """Its pull requests stay, with nothing where the head's repository was."""
        self.repositories.remove(fork)
        for pull in self.repository.pulls:
            if pull.head_repository is fork:
                pull.head_repository = None

    def open_pull(
        self,
        by: Account,
        *,
        title: str = "Try something",
        body: str | None = None,
        branch: str | None = None,
        base: str | None = None,
        sha: str | None = None,
        files: Mapping[str, str | bytes | None] | None = None,
        fork: Repository | None = None,
        is_draft: bool = False,
        pusher: Account | None = None,
    ) -> Pull:
        """A pull request of `by` from a branch here or in their `fork`: of the commit `sha`, else
        of what the branch has, else of a new commit with `files`. `pusher` has pushed the branch.
        """
        repository, head = self.repository, fork or self.repository
        number = 1 + max((one.number for one in repository.pulls), default=6)
        branch = branch or f"change-{number}"
        base = base or repository.default_branch
        sha = sha or (None if files else head.branch(branch))
        if sha is None:
            sha = head.commit(by, message=title, files=files, parent=repository.tip(base))
        if all(one.after != sha for one in head.pushes):
            head.pushed(branch, None, sha, pusher or by)
        head.set_branch(branch, sha)
        repository.objects.set_ref(f"refs/pull/{number}/head", sha)
        pull = Pull(
            id=self.next_id(),
            number=number,
            repository=repository,
            head_repository=head,
            head_owner=head.owner,
            head_ref=branch,
            head_sha=sha,
            base_ref=base,
            author=by,
            title=title,
            body=body,
            created_at=self.now,
            updated_at=self.now,
            is_draft=is_draft,
        )
        repository.pulls.append(pull)
        return pull

    def follow_pushes(self) -> None:
        """After real pushes with Git: open pull requests have the commits that their branches
        have now.
        """
        for pull in self.repository.pulls:
            head = pull.head_repository
            tip = head.branch(pull.head_ref) if head and pull.is_open else None
            if tip is not None and tip != pull.head_sha:
                pull.push(tip)

    def comment(self, pull: Pull, by: Account, body: str) -> Comment:
        return pull.comment(by, body)

    def protect_environment(
        self, name: str, *reviewers: Account | Team, **settings: Any
    ) -> Environment:
        """An environment that these people or teams must approve."""
        found = self.repository.environment(name)
        found.reviewers = list(reviewers)
        for setting, value in settings.items():
            assert hasattr(found, setting), setting
            setattr(found, setting, value)
        return found

    def start_run(
        self,
        *,
        event: str,
        actor: Account,
        path: str = ".github/workflows/assent.yml",
        name: str = "assent",
        pull: Pull | None = None,
        sha: str | None = None,
        branch: str | None = None,
        repository: Repository | None = None,
        environment: str | None = None,
    ) -> Run:
        """A workflow run: of a pull request's head, else of a branch (the default one)."""
        base = self.repository
        if pull is not None:
            repository = repository or pull.head_repository
            sha, branch = sha or pull.head_sha, branch or pull.head_ref
        branch = branch or base.default_branch
        run = Run(
            id=self.next_id(),
            number=1 + len([one for one in base.runs if one.path == path]),
            repository=base,
            event=event,
            path=path,
            name=name,
            head_sha=sha or base.tip(branch),
            head_branch=branch,
            head_repository=repository or base,
            actor=actor,
            triggering_actor=actor,
            created_at=self.now,
            updated_at=self.now,
            pull=pull,
        )
        base.runs.append(run)
        if environment:
            run.wait(environment)
        return run

    def _add(
        self, login: str, kind: Kind, number: int | None = None, name: str | None = None
    ) -> Account:
        self.free(login)
        account = Account(number or self.next_id(), login, kind, name or login.title(), set(), self)
        self.accounts.append(account)
        return account


def _addresses(account: Account) -> set[str]:
    return {one.lower() for one in (*account.emails, account.email)}
