"""A repository: branches, people's roles, rules, and everything that hangs on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

from tests.github.accounts import ROLES, Account
from tests.github.pulls import Comment, Pull
from tests.github.records import CheckRun, Deployment, Push, Ruleset, Status
from tests.github.runs import Environment, Machine, Run
from tests.standin.branches import Branches
from tests.standin.objects import Objects, Signature

if TYPE_CHECKING:
    from tests.github.world import GitHub

BUILT_IN = set(ROLES)


@dataclass(eq=False)
class Repository(Branches):
    """A repository, or a fork of one. A fork keeps its branches under a namespace of its own in
    the objects that it shares with its parent.
    """

    id: int
    name: str
    owner: Account
    github: GitHub = field(repr=False)
    objects: Objects = field(repr=False)
    created_at: datetime
    parent: Repository | None = None
    default_branch: str = "main"
    is_private: bool = True
    workflow_permissions: Literal["read", "write"] = "read"
    workflows_may_approve: bool = False
    plan: Literal["free", "team", "enterprise"] = "team"
    """A private repository on the free plan has no rules and no protected environments."""
    roles: dict[int, str] = field(default_factory=dict)
    custom_roles: dict[str, str] = field(default_factory=dict)
    """Roles of the organization's own making, with the built-in one each is based on."""
    associations: dict[int, str] = field(default_factory=dict)
    pulls: list[Pull] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    checks: list[CheckRun] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    environments: list[Environment] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    pushes: list[Push] = field(default_factory=list)
    tells_pushes: bool = True
    """Older servers do not tell who pushed."""
    machines: list[Machine] = field(default_factory=list)
    rulesets: list[Ruleset] = field(default_factory=list)
    protections: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Branch protection of the older kind, by branch, as the API shows it."""
    test_merges: dict[tuple[str, str], str | None] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    @property
    def has_rules(self) -> bool:
        """Whether the plan has rulesets, branch protection and protected environments here."""
        return not self.is_private or self.plan != "free"

    @property
    def is_fork(self) -> bool:
        return self.parent is not None

    @property
    def clock(self) -> GitHub:
        return self.github

    def test_merge(self, pull: Pull) -> str | None:
        """The merge that GitHub tries on its own; None with conflicts."""
        key = (pull.base_sha, pull.head_sha)
        if key not in self.test_merges:
            tree = self.objects.merged_tree(*key)
            bot = Signature("GitHub", "noreply@github.com", pull.created_at)
            self.test_merges[key] = tree and self.objects.write(
                message=f"Merge {pull.head_sha} into {pull.base_sha}",
                author=bot,
                committer=bot,
                parents=list(key),
                tree=tree,
            )
        if made := self.test_merges[key]:
            self.objects.set_ref(f"refs/pull/{pull.number}/merge", made)
        return self.test_merges[key]

    def push(self, by: Account, *, pusher: Account | None = None, **made: Any) -> str:  # type: ignore[override]  # an account of GitHub
        """A commit straight to the default branch, by whoever wrote it or the `pusher`."""
        before = self.branch(self.default_branch)
        sha = super().push(by, **made)
        self.pushed(self.default_branch, before, sha, pusher or by)
        return sha

    def pushed(
        self, branch: str, before: str | None, after: str, by: Account, *, kind: str = ""
    ) -> None:
        """Somebody pushes a branch, or GitHub merges for them, and it keeps who it was."""
        self.set_branch(branch, after)
        is_forced = before is not None and not self.objects.has(after, before)
        usual = "branch_creation" if before is None else "force_push" if is_forced else "push"
        kind = kind or usual
        number, ref, now = self.github.next_id(), f"refs/heads/{branch}", self.github.now
        self.pushes.append(Push(number, ref, before or "0" * 40, after, kind, by, now))

    # --- people ---

    def grant(self, person: Account, role: str) -> None:
        """Give a role; "none" takes it away."""
        self.roles.pop(person.id, None)
        if role != "none":
            self.roles[person.id] = role

    def role(self, person: Account) -> str:
        """The name of the role, as people see it."""
        if person.id == self.owner.id:
            return "admin"
        return self.roles.get(person.id, "none" if self.is_private else "read")

    def built_in_role(self, person: Account) -> str:
        """The built-in role that the role is or is based on."""
        role = self.role(person)
        return role if role in BUILT_IN else self.custom_roles[role]

    # --- finding things ---

    def pull(self, number: int) -> Pull | None:
        return next((one for one in self.pulls if one.number == number), None)

    def comment(self, number: int) -> Comment | None:
        every = (one for pull in self.pulls for one in pull.comments)
        return next((one for one in every if one.id == number), None)

    def run(self, number: int) -> Run | None:
        return next((one for one in self.runs if one.id == number), None)

    def environment(self, name: str) -> Environment:
        """The environment, made when a job first names it, as GitHub does."""
        found = [one for one in self.environments if one.name.lower() == name.lower()]
        if not found:
            found = [Environment(self.github.next_id(), name, self.github.now)]
            self.environments += found
        return found[0]

    def rules_of(self, branch: str) -> list[tuple[Ruleset, dict[str, Any]]]:
        """The rules that hold for a branch."""
        return [
            (ruleset, rule)
            for ruleset in self.rulesets
            if ruleset.enforcement == "active"
            and any(self._names(pattern, branch) for pattern in ruleset.include)
            and not any(self._names(pattern, branch) for pattern in ruleset.exclude)
            for rule in ruleset.rules
        ]

    def protect(self, branch: str, **settings: Any) -> None:
        """Branch protection of the older kind, with some of its settings."""
        off = {"enabled": False}
        self.protections[branch] = {
            "enforce_admins": off,
            "required_linear_history": off,
            "allow_force_pushes": off,
            "allow_deletions": off,
            "block_creations": off,
            "required_conversation_resolution": off,
            "lock_branch": off,
            "allow_fork_syncing": off,
            **settings,
        }

    def add_ruleset(
        self,
        name: str,
        *include: str,
        rules: list[dict[str, Any]],
        enforcement: str = "active",
        bypass: list[dict[str, Any]] | None = None,
        exclude: tuple[str, ...] = (),
    ) -> Ruleset:
        """`include` are patterns such as `refs/heads/assent/**`, `~DEFAULT_BRANCH`, `~ALL`."""
        made = Ruleset(
            id=self.github.next_id(),
            name=name,
            include=include,
            rules=rules,
            enforcement=enforcement,
            bypass=bypass or [],
            created_at=self.github.now,
            exclude=exclude,
        )
        self.rulesets.append(made)
        return made

    def _names(self, pattern: str, branch: str) -> bool:
        if pattern == "~ALL":
            return True
        if pattern == "~DEFAULT_BRANCH":
            return branch == self.default_branch
        plain = pattern.removeprefix("refs/heads/")
        if plain.endswith("/**"):
            return branch.startswith(plain[:-2])
        # A single star stops at a slash.
        return plain.count("/") == branch.count("/") and fnmatchcase(branch, plain)
