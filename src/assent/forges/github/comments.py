"""What reviewers were shown on a pull request, and when: the comment, and our statuses of its head,
which say which bundle the comment showed. GitHub's times are whole seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from assent.core.digest import Digest
from assent.core.verdict import Decision
from assent.errors import AssentError, UsageError
from assent.forges.comment_history import ShownBundle
from assent.forges.github.api import RefusedError
from assent.forges.github.repository import RemoteRepository
from assent.forges.github.schemas import Comment, CommitStatus, Pull
from assent.forges.remote.comments import LONGEST_DESCRIPTION, RemoteComments, context
from assent.ports import Notice

_STATES = {
    Decision.PASSED: "success",
    Decision.BLOCKED: "failure",
    Decision.PENDING: "pending",
}
_SHOWN = re.compile(
    r"(?:(?:passed|blocked|pending) · (?P<bundle>sha256:[0-9a-f]{64})|changing)"
    r" · #(?P<number>[0-9]{1,10})(?: · .*)?",
    re.DOTALL,
)
_MINIMIZE = """
mutation Minimize($input: MinimizeCommentInput!) {
  minimizeComment(input: $input) { minimizedComment { isMinimized } }
}
"""


class Comments(RemoteComments[Pull, Comment]):
    """The comments and statuses of this run's repository, each read once."""

    one_at_a_time = "let the runs of a pull request wait for each other, with a concurrency group"
    _remote: RemoteRepository

    def __init__(self, remote: RemoteRepository, *, run_address: str | None) -> None:
        super().__init__(remote, run_address=run_address)
        self._statuses: dict[str, list[CommitStatus]] = {}

    def sights(self, model: str, number: int, revision: str) -> list[ShownBundle]:
        """See `RemoteComments.sights`. Anybody with a token of the repository can post a status."""
        return [
            ShownBundle(bundle=_bundle(shown), at=status.created_at)
            for status, shown in self._recorded(model, number, revision)
        ]

    def pass_on(self, number: int, revision: str, notice: Notice) -> None:
        """Say the verdict at a commit of the merge queue, too: the queue waits for the status
        there. Nobody reviews that commit, so nothing is bound to it.
        """
        self._write(number, revision, notice)

    # the comment

    def address(self, request: Pull, message: Comment) -> str:
        """See `RemoteComments.address`."""
        del request
        return message.address

    def timestamp(self, text: str, doing: str) -> str:
        """See `RemoteComments.timestamp`. GitHub writes all of them alike, in UTC."""
        del doing
        return text

    def find(self, request: Pull, number: int, *, doing: str) -> Comment | None:
        """See `RemoteComments.find`. Raises `UsageError` for one on something else."""
        path = self._remote.path("issues", "comments", number)
        found = self._remote.api.find(path, Comment, doing=doing)
        if found is not None and not found.issue_url.endswith(f"/issues/{request.number}"):
            raise UsageError(
                doing,
                f"it is no comment on pull request {request.number}",
                hint="does GITHUB_EVENT_PATH name the event of this run?",
            )
        return found

    def _read(self, number: int) -> Sequence[Comment]:
        path = self._remote.path("issues", number, "comments")
        doing = f"reading the comments of pull request {number}"
        return list(self._remote.api.pages(path, Comment, doing=doing))

    def _post(
        self, request: Pull, body: str, find: Callable[[], Comment | None], *, doing: str
    ) -> Comment:
        path = self._remote.path("issues", request.number, "comments")
        created = self._remote.api.write(
            "POST", path, {"body": body}, Comment, doing=doing, find=find
        )
        self._remote.check_own(created.by, doing=doing)
        return created

    def _edit(
        self,
        request: Pull,
        message: Comment,
        body: str,
        find: Callable[[], Comment | None],
        *,
        doing: str,
    ) -> Comment:
        del request
        path = self._remote.path("issues", "comments", message.id)
        return self._remote.api.write(
            "PATCH", path, {"body": body}, Comment, doing=doing, find=find
        )

    def _put_aside(self, request: Pull, message: Comment, kept: Comment) -> None:
        """Fold it away."""
        del request, kept
        try:
            self._remote.api.mutate(
                _MINIMIZE,
                {"input": {"subjectId": message.node_id, "classifier": "OUTDATED"}},
                doing=f"folding {message.address} away",
            )
        except AssentError as error:
            del error

    # the status

    def _record(self, request: Pull, revision: str, notice: Notice) -> bool:
        return self._write(request.number, revision, notice)

    def _end(self, request: Pull, revision: str, model: str, why: str | None = None) -> None:
        said = " · ".join(["changing", f"#{request.number}", *([why] if why else [])])
        wanted = ("pending", said[:LONGEST_DESCRIPTION])
        self._write_status(request.number, revision, model, wanted)

    def _write(self, number: int, revision: str, notice: Notice) -> bool:
        """Whether the status was written now. The newest may say it already."""
        wanted = (_STATES[notice.decision], _description(number, notice))
        # What was read before is enough to see that the newest says another thing, not that it
        # still says this.
        model = notice.model
        if self._says(number, revision, model, wanted) is not None:
            self._statuses.pop(revision, None)
            if self._says(number, revision, model, wanted) is not None:
                return False
        self._write_status(number, revision, model, wanted)
        return True

    def _says(
        self, number: int, revision: str, model: str, wanted: tuple[str, str]
    ) -> CommitStatus | None:
        """Our newest status, if it says what is wanted."""
        record = self._recorded(model, number, revision)
        newest = record[-1][0] if record else None
        is_there = newest is not None and (newest.state, newest.description) == wanted
        return newest if is_there else None

    def _write_status(
        self, number: int, revision: str, model: str, wanted: tuple[str, str]
    ) -> None:
        doing = f"writing the status of {revision[:12]}"
        state, description = wanted
        body = {"state": state, "context": context(model), "description": description}
        if self._run_address is not None:
            body["target_url"] = self._run_address

        def find() -> CommitStatus | None:
            self._statuses.pop(revision, None)
            return self._says(number, revision, model, wanted)

        path = self._remote.path("statuses", revision)
        created = self._remote.api.write("POST", path, body, CommitStatus, doing=doing, find=find)
        self._statuses.pop(revision, None)
        self._remote.check_own(created.creator, doing=doing)

    def _recorded(
        self, model: str, number: int, revision: str
    ) -> list[tuple[CommitStatus, re.Match[str]]]:
        """Our own statuses of a model and a pull request, oldest first, as what they say."""
        return [
            (status, shown)
            for status in self._read_statuses(revision)
            if status.context == context(model)
            and status.creator is not None
            and status.creator.id == self._remote.own.id
            and (shown := _SHOWN.fullmatch(status.description or "")) is not None
            and int(shown["number"]) == number
        ]

    def _read_statuses(self, revision: str) -> list[CommitStatus]:
        """All statuses of a revision, oldest first; none if GitHub does not have it."""
        if revision not in self._statuses:
            path = self._remote.path("commits", revision, "statuses")
            doing = f"reading the statuses of {revision[:12]}"
            try:
                found = list(self._remote.api.pages(path, CommitStatus, doing=doing))
            except RefusedError as error:
                if error.status not in (404, 422):
                    raise
                found = []
            self._statuses[revision] = sorted(found, key=lambda one: (one.created_at, one.id))
        return self._statuses[revision]


def _bundle(shown: re.Match[str]) -> Digest | None:
    found = shown["bundle"]
    return None if found is None else Digest(found)


def _description(number: int, notice: Notice) -> str:
    """The decision, the bundle and the pull request, which are read again; then the sentence, if
    there is room for it.
    """
    record = f"{notice.decision.value} · {notice.bundle} · #{number}"
    sentence = " ".join(notice.sentence.split())
    shown = f"{record} · {sentence}"
    return shown if sentence and len(shown) <= LONGEST_DESCRIPTION else record
