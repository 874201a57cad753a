"""GitLab as the tests see it: one state, and a small API to act as people.

gitlab = GitLab(folder)
alice, bob = gitlab.user("alice"), gitlab.user("bob", role="developer")
change = gitlab.open_merge_request(alice, files={"params.yaml": "depth: 9\\n"})
gitlab.tick()
change.approve(bob)
change.merge(bob, "squash")
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Literal

from tests.gitlab.accounts import Group, Members, Token, TokenKind, User
from tests.gitlab.merge_requests import MergeRequest
from tests.gitlab.pipelines import Deployment, DeploymentApproval, Job, Pipeline, Source
from tests.gitlab.project import Project
from tests.standin.clock import Clock
from tests.standin.objects import Objects

Tier = Literal["free", "premium", "ultimate"]


class GitLab(Clock):
    """All users, groups and projects. Time stands still until `tick`."""

    def __init__(
        self,
        git: Path,
        *,
        project: str = "acme/churn",
        branch: str = "main",
        tier: Tier = "premium",
        version: str = "18.5.0-ee",
        mail_host: str = "gitlab.example.com",
    ) -> None:
        super().__init__()
        self.tier: Tier = tier
        self.version = version
        self.mail_host = mail_host
        self.tells_approved_at = True
        """Older versions do not say when somebody approved."""
        self.keeps_files_elsewhere = False
        """Artifacts are on another host, as on gitlab.com."""
        self.lag_of_merge_requests = 0
        """For so many requests the merge requests of a commit are an empty list."""
        self.users: list[User] = []
        self.ghosts: set[int] = set()
        self.groups: list[Group] = []
        self.projects: list[Project] = []
        self.tokens: dict[str, Token] = {}
        self.ghost = self._add("ghost", name="Ghost User")
        space, _, name = project.rpartition("/")
        self.namespace = self.group(space)
        self.project = Project(
            self.next_id(),
            name,
            self.namespace,
            self,
            Objects(git),
            self.now,
            default_branch=branch,
        )
        self.projects.append(self.project)
        self.project.protect(branch)
        if self.project.branch(branch) is None:
            self.project.commit(
                None, message="start", files={"README.md": "# churn\n"}, branch=branch
            )

    # --- people ---

    def user(
        self,
        username: str,
        *,
        role: str = "none",
        email: str | None = None,
        name: str | None = None,
        public_email: str = "",
        is_bot: bool = False,
    ) -> User:
        """A new user, with a role in the project. `email` is what commits are signed with."""
        made = self._add(username, name=name, email=email)
        made.public_email, made.is_bot = public_email, is_bot
        self.project.add(made, role)
        return made

    def username(self, username: str) -> User | None:
        """The user who has this name now."""
        wanted = username.lower()
        return next((one for one in self.users if one.username.lower() == wanted), None)

    def mapped(self, email: str) -> User | None:
        """The user whom an address belongs to: their own, their private or their public one."""
        wanted = email.lower()
        for one in self.users:
            if wanted in (one.email.lower(), one.private_email.lower(), one.public_email.lower()):
                return one
        return None

    def shown(self, user: User) -> User:
        """The user, or the ghost in place of a deleted one."""
        return self.ghost if user.id in self.ghosts else user

    def free(self, username: str) -> None:
        assert self.username(username) is None, f"{username} is somebody's name"

    def group(self, path: str, *members: User, role: str = "developer") -> Group:
        """A group with these members; of `a/b` a subgroup of `a`, which is made if need be."""
        above, _, name = path.rpartition("/")
        parent = (self.find_group(above) or self.group(above)) if above else None
        made = Group(self.next_id(), name, self, parent)
        self.groups.append(made)
        for one in members:
            made.add(one, role)
        return made

    def find_group(self, path: str) -> Group | None:
        wanted = path.lower()
        return next((one for one in self.groups if one.full_path.lower() == wanted), None)

    # --- tokens ---

    def personal_token(self, user: User, *scopes: str, expires_on: date | None = None) -> str:
        """A person's own token."""
        chosen = scopes or ("api",)
        return self.make_token("personal", user, chosen, expires_on=expires_on).value

    def project_token(
        self, *scopes: str, role: str = "maintainer", project: Project | None = None
    ) -> str:
        """A project access token: GitLab makes a bot for it, with the role in the project."""
        place = project or self.project
        return self._bot_token("project", place, place.id, scopes, role).value

    def group_token(
        self, *scopes: str, role: str = "maintainer", group: Group | None = None
    ) -> str:
        """A group access token: its bot is a member of the group."""
        place = group or self.namespace
        return self._bot_token("group", place, place.id, scopes, role).value

    def revoke(self, token: str) -> None:
        self.tokens[token].is_revoked = True

    def make_token(
        self,
        kind: TokenKind,
        user: User,
        scopes: tuple[str, ...],
        *,
        prefix: str = "glpat",
        expires_on: date | None = None,
    ) -> Token:
        number = self.next_id()
        value = f"{prefix}-{number:020d}"
        made = Token(number, value, f"{kind} token", user, kind, scopes, self.now, expires_on)
        self.tokens[value] = made
        return made

    def _bot_token(
        self,
        kind: Literal["project", "group"],
        place: Members,
        number: int,
        scopes: tuple[str, ...],
        role: str,
    ) -> Token:
        bot = self._add(f"{kind}_{number}_bot_{self.next_id():032x}", name=f"{kind} bot")
        bot.is_bot = True
        place.add(bot, role)
        return self.make_token(kind, bot, scopes or ("api",))

    # --- what people do ---

    def fork(self, by: User) -> Project:
        """`by`'s own fork of the project."""
        origin = self.project
        fork = Project(
            id=self.next_id(),
            path=origin.path,
            namespace=by,
            gitlab=self,
            objects=origin.objects,
            created_at=self.now,
            parent=origin,
            default_branch=origin.default_branch,
            visibility=origin.visibility,
        )
        self.projects.append(fork)
        fork.set_branch(origin.default_branch, origin.tip(origin.default_branch))
        return fork

    def delete_fork(self, fork: Project) -> None:
        self.projects.remove(fork)
        for one in self.project.merge_requests:
            if one.source_project is fork:
                one.source_project = None

    def open_merge_request(
        self,
        by: User,
        *,
        title: str = "Try something",
        description: str | None = None,
        branch: str | None = None,
        target: str | None = None,
        sha: str | None = None,
        files: Mapping[str, str | bytes | None] | None = None,
        fork: Project | None = None,
        is_draft: bool = False,
    ) -> MergeRequest:
        """A merge request of `by` from a branch here or in their `fork`: of the commit `sha`, else
        of what the branch has, else of a new commit with `files`.
        """
        project, source = self.project, fork or self.project
        iid = 1 + max((one.iid for one in project.merge_requests), default=6)
        branch = branch or f"change-{iid}"
        target = target or project.default_branch
        sha = sha or (None if files else source.branch(branch))
        if sha is None:
            sha = source.commit(by, message=title, files=files, parent=project.tip(target))
        if all(one.after != sha for one in source.pushes):
            source.pushed(branch, None, sha, by)
        source.set_branch(branch, sha)
        made = MergeRequest(
            id=self.next_id(),
            iid=iid,
            project=project,
            source_project=source,
            source_project_id=source.id,
            source_branch=branch,
            target_branch=target,
            author=by,
            title=f"Draft: {title}" if is_draft else title,
            description=description,
            created_at=self.now,
            updated_at=self.now,
            is_draft=is_draft,
        )
        project.merge_requests.append(made)
        made.add_version(sha)
        return made

    def follow_pushes(self) -> None:
        """After real pushes with Git: open merge requests have the commits that their branches
        have now.
        """
        for one in self.project.merge_requests:
            source = one.source_project
            tip = source.branch(one.source_branch) if source and one.state == "opened" else None
            if tip is not None and tip != one.sha:
                one.push(tip)

    def run_pipeline(
        self,
        source: Source,
        by: User,
        *,
        merge_request: MergeRequest | None = None,
        ref: str | None = None,
        sha: str | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Pipeline:
        """A pipeline of the default branch, of `ref`, or of a merge request. That of a fork's
        merge request runs in the fork, as on GitLab. `variables` are what a person typed in.
        """
        place = self.project
        if merge_request is not None and merge_request.source_project not in (None, place):
            place = merge_request.source_project
        return place.start_pipeline(
            source, by, ref=ref, sha=sha, merge_request=merge_request, variables=variables
        )

    def approve_deployment(
        self,
        deployment: Deployment | Job,
        by: User,
        comment: str = "",
        *,
        status: Literal["approved", "rejected"] = "approved",
    ) -> None:
        """What a person says to a deployment that waits. When all approvals are there the job can
        be played.
        """
        found = deployment.deployment if isinstance(deployment, Job) else deployment
        assert found is not None, "the job has no environment"
        assert found.status == "blocked", f"the deployment is {found.status}"
        found.approvals.append(DeploymentApproval(by, status, self.now, comment))
        protection = self.project.environment_protection(found.environment.name)
        assert protection is not None
        given = sum(one.status == "approved" for one in found.approvals)
        if status == "rejected":
            found.status = "failed"
        elif given >= protection.required_approvals:
            found.status = "created"

    def _add(self, username: str, *, name: str | None = None, email: str | None = None) -> User:
        self.free(username)
        address = email or f"{username}@example.com"
        made = User(self.next_id(), username, name or username.title(), self, self.now, address)
        self.users.append(made)
        return made
