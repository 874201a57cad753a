"""The repository on GitHub that a run works on, and the account it works as."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from assent.core.identity import Actor
from assent.errors import UsageError
from assent.forges.github.api import Api, RefusedError, segment
from assent.forges.github.schemas import Pull, RepositoryFacts, WorkflowRun
from assent.forges.remote.commits import Account
from assent.forges.remote.repository import Dialect, Remote

FORGE = "github"
ACTIONS_ACCOUNT = "github-actions[bot]"
"""The account that every workflow of a repository acts as with its own token."""
_ACTIONS_ID = 41898282  # on github.com, as its documentation says


class RemoteRepository(Remote):
    """One repository of one server."""

    dialect = Dialect(
        forge=FORGE,
        title="GitHub",
        request="pull request",
        mark="#",
        message="comment",
        requests="pulls",
        text_key="body",
        source_key="head",
        target_key="base",
        update="PATCH",
        exists=422,
        longest_title=256,
        private="{id}+{login}@users.noreply.{host}",
        forbidden="let workflows open pull requests (settings of the repository, Actions, "
        "General), or give the token of an app; the branch is pushed, so a person can open it as "
        "well",
    )
    own_hint = "set ASSENT_ACCOUNT to the login that the token acts as, such as my-app[bot]"

    def __init__(self, api: Api, repository: str, *, account: str | None) -> None:
        owner, slash, name = repository.partition("/")
        if not slash or not owner or not name or "/" in name:
            raise UsageError(
                "reading the name of the repository",
                f"{repository!r} is not owner/name",
                hint="set GITHUB_REPOSITORY, for example to acme/churn",
            )
        super().__init__(account=account)
        self._api = api
        self._asked = f"/repos/{segment(owner)}/{segment(name)}"
        self._name = repository
        self._runs: dict[str, WorkflowRun | None] = {}

    @property
    def api(self) -> Api:
        """The API."""
        return self._api

    @cached_property
    def facts(self) -> RepositoryFacts:
        """The repository as it is called today: it may have been renamed."""
        return self.api.get(
            self._asked, RepositoryFacts, doing=f"reading the repository {self._name}"
        )

    @property
    def number(self) -> int:
        """The number of the repository."""
        return self.facts.id

    @property
    def branch(self) -> str:
        """The default branch."""
        return self.facts.default_branch

    @property
    def page(self) -> str:
        """The address where people see it: on `github.com`, or on a server of its own."""
        return self.facts.html_url

    def path(self, *segments: object) -> str:
        """The path of an endpoint of this repository. Its name is the one it has today, because a
        redirect from an old name loses the page that was asked for.
        """
        owner, _, name = self.facts.full_name.partition("/")
        return "/".join(["/repos", *map(segment, (owner, name, *segments))])

    def actor(self, account: Account | None) -> Actor:
        """An account as an identity. A deleted one is nobody, and no person."""
        if account is None or account.id == 0:
            account = Account(login="ghost", type="Bot")
        is_person = account.type == "User" and not account.login.endswith("[bot]")
        return Actor(
            kind="person" if is_person else "automation",
            forge=FORGE,
            host=self.host,
            id=str(account.id),
            login=account.login,
            proof="forge",
        )

    def account(self, login: str, *, doing: str) -> Account | None:
        """The account of this name today, or None."""
        return self.api.find(f"/users/{segment(login)}", Account, doing=doing)

    def open_requests(self, branch: str, *, doing: str) -> Iterator[Pull]:
        """The open pull requests of a branch of this very repository."""
        return self.open_pulls(self.facts.owner.login, branch, self.facts.id, doing=doing)

    def open_pulls(self, owner: str, branch: str, source: int, *, doing: str) -> Iterator[Pull]:
        """The open pull requests of a branch of the repository with the number `source`, which
        `owner` has.
        """
        pulls = self.api.pages(
            self.path("pulls"),
            Pull,
            doing=doing,
            parameters={"state": "open", "head": f"{owner}:{branch}"},
        )
        return (pull for pull in pulls if pull.source == source and pull.head.ref == branch)

    def run(self, number: str, *, doing: str) -> WorkflowRun | None:
        """The run of this number as its latest attempt is, or None."""
        if number not in self._runs:
            path = self.path("actions", "runs", number)
            self._runs[number] = self.api.find(path, WorkflowRun, doing=doing)
        return self._runs[number]

    def login(self, account: Account) -> str:
        """What an account is called."""
        return account.login

    def _of_token(self, doing: str) -> Account:
        """The token of a workflow cannot ask who it is. It is GitHub's own account for Actions,
        unless the run was told another one, for the token of an app.
        """
        if not self.api.is_of_installation:
            try:
                return self.api.get("/user", Account, doing=doing)
            except RefusedError as error:
                if error.status != 403:
                    raise
        if self.host == "github.com":
            return Account(id=_ACTIONS_ID, login=ACTIONS_ACCOUNT, type="Bot")
        account = self.account(ACTIONS_ACCOUNT, doing=doing)
        if account is None:
            raise self.not_ours(doing, f"there is no account {ACTIONS_ACCOUNT}")
        return account
