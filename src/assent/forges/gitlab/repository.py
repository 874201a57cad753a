"""The project on GitLab that a run works on, and the account it works as."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from assent.core.clock import ClockReading
from assent.core.identity import Actor
from assent.errors import UsageError
from assent.forges.gitlab.api import Api
from assent.forges.gitlab.bots import is_bot
from assent.forges.gitlab.schemas import Branch, Job, MergeRequest, ProjectFacts, User
from assent.forges.http_retries import segment
from assent.forges.remote.repository import Dialect, Remote

FORGE = "gitlab"


class RemoteRepository(Remote):
    """One project of one server. `job_api` asks with the
    job's own token, which alone tells what job this is; None outside CI. `run` is what the
    variables of the job say that it is.
    """

    dialect = Dialect(
        forge=FORGE,
        title="GitLab",
        request="merge request",
        mark="!",
        message="note",
        requests="merge_requests",
        text_key="description",
        source_key="source_branch",
        target_key="target_branch",
        update="PUT",
        exists=409,
        longest_title=255,
        private="{id}-{login}@users.noreply.{host}",
    )
    own_hint = (
        "set ASSENT_ACCOUNT to the login that the reviewing job's token acts as, such as "
        "project_7_bot_0123456789abcdef"
    )

    def __init__(
        self,
        api: Api,
        project: str,
        *,
        job_api: Api | None,
        run: str | None,
        account: str | None,
    ) -> None:
        if "/" not in project.strip("/"):
            raise UsageError(
                "reading the name of the project",
                f"{project!r} is not group/project",
                hint="set CI_PROJECT_PATH, for example to acme/churn",
            )
        super().__init__(account=account)
        self._api = api
        self._job_api = job_api
        self._name = project
        self._run = run
        self._users: dict[int, User | None] = {}

    @property
    def api(self) -> Api:
        """The API."""
        return self._api

    @cached_property
    def facts(self) -> ProjectFacts:
        """The project as it is called today. A job's own token may not read it, but what is
        needed of it.
        """
        doing = f"reading the project {self._name}"
        path = f"/projects/{segment(self._name)}"
        if self.api.is_of_job and self.job is not None and self.job.pipeline is not None:
            branches = self.api.pages(f"{path}/repository/branches", Branch, doing=doing)
            return ProjectFacts(
                id=self.job.pipeline.project_id,
                path_with_namespace=self._name,
                web_url=self.job.web_url.partition("/-/")[0],
                default_branch=next((branch.name for branch in branches if branch.default), None),
            )
        return self.api.get(path, ProjectFacts, doing=doing)

    @property
    def _clock_reading(self) -> ClockReading | None:
        """Whichever token asked."""
        return self.api.clock_reading or (
            None if self._job_api is None else self._job_api.clock_reading
        )

    @cached_property
    def branch(self) -> str:
        """The default branch. Raises `UsageError` in an empty project."""
        if self.facts.default_branch is None:
            raise UsageError(
                f"looking for the default branch of {self._name}",
                "GitLab names none",
                hint="push a commit; the token needs to see the repository (role Reporter)",
            )
        return self.facts.default_branch

    @property
    def number(self) -> int:
        """The number of the project."""
        return self.facts.id

    @property
    def page(self) -> str:
        """The address where people see it."""
        return self.facts.web_url

    def path(self, *segments: object) -> str:
        """The path of an endpoint of this project. Its number stays when it is renamed."""
        return "/".join(["/projects", *map(segment, (self.facts.id, *segments))])

    def actor(self, user: User | None) -> Actor:
        """An account as an identity. A deleted one, or GitLab's ghost for it, is no person."""
        known = None if user is None or user.id == 0 else self._known(user)
        is_person = known is not None and not is_bot(known)
        shown = known or user or User(id=0, username="ghost")
        return Actor(
            kind="person" if is_person else "automation",
            forge=FORGE,
            host=self.host,
            id=str(shown.id),
            login=shown.username,
            proof="forge",
        )

    def _known(self, user: User) -> User | None:
        """The account with what only the answer for one account tells: whether it is a bot."""
        return user if user.bot is not None else self.user(user.id)

    def user(self, number: int) -> User | None:
        """The account of this number, or None if it is gone."""
        if number not in self._users:
            self._users[number] = self.api.find(
                f"/users/{number}", User, doing=f"reading the account {number}"
            )
        return self._users[number]

    def account(self, login: str, *, doing: str) -> User | None:
        """The account of this name today, or None."""
        users = self.api.pages("/users", User, doing=doing, parameters={"username": login})
        return next((user for user in users if user.username.casefold() == login.casefold()), None)

    def open_requests(self, branch: str, *, doing: str) -> Iterator[MergeRequest]:
        """The open merge requests of a branch of this very project."""
        requests = self.api.pages(
            self.path("merge_requests"),
            MergeRequest,
            doing=doing,
            parameters={"state": "opened", "source_branch": branch},
        )
        return (request for request in requests if request.source == self.number)

    def login(self, account: User) -> str:
        """What an account is called."""
        return account.username

    def _of_token(self, doing: str) -> User:
        if self.api.is_of_job and self.job is not None and self.job.user is not None:
            return self.job.user
        return self.api.get("/user", User, doing=doing)

    @cached_property
    def job(self) -> Job | None:
        """The job that we are, as GitLab tells by the job's own token; None outside CI.

        Variables can be set by whoever presses the button, so they are only compared with it.
        """
        if self._run is None:
            return None
        doing = "asking GitLab which job this is"
        if self._job_api is None:
            raise UsageError(
                doing,
                "there is no CI_JOB_TOKEN",
                hint="GitLab gives one to every job; do not unset it",
            )
        job = self._job_api.get("/job", Job, doing=doing)
        pipeline = job.pipeline
        is_here = f"/{self._name}/-/jobs/".casefold() in job.web_url.casefold()
        if pipeline is None or not is_here or f"{pipeline.id}/{job.name}" != self._run:
            raise UsageError(
                doing,
                f"its variables name the job {self._run!r}, and its token is of another one",
                hint="CI_PIPELINE_ID, CI_JOB_NAME and CI_PROJECT_PATH must stay as GitLab sets "
                "them: did somebody give them when pressing the button?",
            )
        return job
