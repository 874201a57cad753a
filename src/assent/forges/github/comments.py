"""What reviewers were shown, and when: the comment, and the statuses that keep its history.

A comment can be edited, so it decides nothing. A status of a commit can be neither changed nor
deleted, and GitHub sets its time: our own statuses are the record of which bundle the comment
showed at any time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assent.core.digest import Digest
from assent.core.verdict import Decision
from assent.errors import AssentError, OutsideError
from assent.forges.comment_history import ShownBundle, bundle_at
from assent.forges.github.api import RefusedError
from assent.forges.github.repository import RemoteRepository
from assent.forges.github.schemas import Comment, CommitStatus
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
_LONGEST_DESCRIPTION = 140
ATTEMPTS = 3
"""How often a notice is shown while other runs put theirs in its place."""
_MINIMIZE = """
mutation Minimize($input: MinimizeCommentInput!) {
  minimizeComment(input: $input) { minimizedComment { isMinimized } }
}
"""


class Comments:
    """The comments and statuses of this run's repository, each read once."""

    def __init__(self, remote: RemoteRepository, *, run_address: str | None) -> None:
        self._remote = remote
        self._run_address = run_address
        self._comments: dict[int, list[Comment]] = {}
        self._statuses: dict[str, list[CommitStatus]] = {}

    def comments(self, number: int) -> Sequence[Comment]:
        """All comments of a pull request, oldest first."""
        if number not in self._comments:
            self._comments[number] = self._read_comments(number)
        return self._comments[number]

    def sights(self, model: str, number: int, revision: str) -> list[ShownBundle]:
        """The bundles of `model` that were shown on a pull request at a revision, oldest first.

        Only our own statuses tell: anybody with a token of the repository can post one. And they
        tell of one pull request: the same revision can be the head of another one, a fork's too.
        """
        return [
            ShownBundle(bundle=_bundle(shown), at=status.created_at)
            for status, shown in self._record(model, number, revision)
        ]

    def bundle_at(self, model: str, number: int, revision: str, at: str) -> Digest | None:
        """The bundle that was shown there at some time, or None if that is not known.

        GitHub's times are whole seconds.
        """
        return bundle_at(self.sights(model, number, revision), at)

    def show(self, number: int, revision: str, notice: Notice) -> str:
        """Show a notice on a pull request, then record that its bundle was shown there.

        Where another bundle was shown before, its time is ended first: between the comment and
        the record, or after a crash there, nothing is known to be shown. If another run has put
        its own notice there meanwhile, ours is shown again: whoever wrote the comment last must
        be the last one in the record, or approvals would be of a bundle that nobody saw.
        """
        from assent.report.markdown import marker  # only whoever posts needs the renderer

        sign = marker(notice.model)
        body = notice.body if notice.body.startswith(sign) else f"{sign}\n{notice.body}"
        for _ in range(ATTEMPTS):
            self._end_other(number, revision, notice)
            comment, is_new = self._show_comment(number, sign, body)
            is_recorded = self._show_status(number, revision, notice)
            if not (is_new or is_recorded) or self._still_says(comment, body):
                return comment.html_url
            self._comments.clear()
        raise OutsideError(
            f"commenting on pull request {number}",
            "other runs keep changing the same comment",
            hint="let the runs of a pull request wait for each other, with a concurrency group",
        )

    def pass_on(self, number: int, revision: str, notice: Notice) -> None:
        """Say the verdict at a commit of the merge queue, too: the queue waits for the status
        there. Nobody reviews that commit, so nothing is bound to it.
        """
        self._show_status(number, revision, notice)

    def retract(self, number: int, revision: str, model: str, why: str) -> None:
        """Record that no bundle is shown on a pull request any more, if one was; the verdict that
        stands at its head goes with it.
        """
        sights = self.sights(model, number, revision)
        if sights and sights[-1].bundle is not None:
            said = f"changing · #{number} · {' '.join(why.split())}"[:_LONGEST_DESCRIPTION]
            self._write_status(number, revision, model, ("pending", said))

    def say_once(self, number: int, sign: str, body: str) -> str:
        """Post a comment that starts with `sign`, unless one of ours is there; say where it is."""
        own = self._own_comments(number, sign)
        said = own[0] if own else self._create_comment(number, sign, body)
        return said.html_url

    # the comment

    def _show_comment(self, number: int, sign: str, body: str) -> tuple[Comment, bool]:
        """Our comment, and whether it was written now."""
        own = self._own_comments(number, sign)
        if not own:
            return self._create_comment(number, sign, body), True
        for duplicate in own[1:]:
            self._minimize(duplicate)
        if _is_same(own[0].body, body):
            return own[0], False
        return self._edit_comment(own[0], body), True

    def _still_says(self, comment: Comment, body: str) -> bool:
        path = self._remote.path("issues", "comments", comment.id)
        found = self._remote.api.find(path, Comment, doing=f"reading {comment.html_url} again")
        return found is not None and _is_same(found.body, body)

    def _own_comments(self, number: int, sign: str) -> list[Comment]:
        """Our comments of this model, oldest first: those of ours that start with the marker."""
        return [
            comment
            for comment in self.comments(number)
            if comment.user is not None
            and comment.user.id == self._remote.own.id
            and (comment.body or "").startswith(sign)
        ]

    def _create_comment(self, number: int, sign: str, body: str) -> Comment:
        doing = f"commenting on pull request {number}"

        def find() -> Comment | None:
            self._comments.pop(number, None)
            own = self._own_comments(number, sign)
            return own[0] if own else None

        path = self._remote.path("issues", number, "comments")
        created = self._remote.api.write(
            "POST", path, {"body": body}, Comment, doing=doing, find=find
        )
        self._comments.pop(number, None)
        self._remote.check_own(created.user, doing=doing)
        return created

    def _edit_comment(self, comment: Comment, body: str) -> Comment:
        doing = f"updating the comment {comment.html_url}"
        path = self._remote.path("issues", "comments", comment.id)

        def find() -> Comment | None:
            found = self._remote.api.get(path, Comment, doing=doing)
            return found if _is_same(found.body, body) else None

        self._comments.clear()
        return self._remote.api.write(
            "PATCH", path, {"body": body}, Comment, doing=doing, find=find
        )

    def _minimize(self, comment: Comment) -> None:
        """Fold a second comment of ours away. It is only in the way, so if it stays, it stays."""
        try:
            self._remote.api.mutate(
                _MINIMIZE,
                {"input": {"subjectId": comment.node_id, "classifier": "OUTDATED"}},
                doing=f"folding {comment.html_url} away",
            )
        except AssentError as error:
            del error

    def _read_comments(self, number: int) -> list[Comment]:
        path = self._remote.path("issues", number, "comments")
        doing = f"reading the comments of pull request {number}"
        return sorted(self._remote.api.pages(path, Comment, doing=doing), key=lambda one: one.id)

    # the status

    def _end_other(self, number: int, revision: str, notice: Notice) -> None:
        """Record that the bundle that was shown last is shown no longer, if it is another one."""
        sights = self.sights(notice.model, number, revision)
        if sights and sights[-1].bundle not in (None, notice.bundle):
            wanted = ("pending", f"changing · #{number}")
            self._write_status(number, revision, notice.model, wanted)

    def _show_status(self, number: int, revision: str, notice: Notice) -> bool:
        """Record what is shown; whether it was written now. The newest may say it already."""
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
        record = self._record(model, number, revision)
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

    def _record(
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


def context(model: str) -> str:
    """The name of a model's status in the list of checks."""
    return f"assent/{model}"


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
    return shown if sentence and len(shown) <= _LONGEST_DESCRIPTION else record


def _is_same(shown: str | None, body: str) -> bool:
    """Whether a comment says this already. GitHub may keep other line ends."""
    return (shown or "").replace("\r\n", "\n").rstrip() == body.rstrip()
