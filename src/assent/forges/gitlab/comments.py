"""What reviewers were shown on a merge request, and when: the note, and the statuses of its head.

GitLab's approvals name neither a commit nor a bundle. So each time another bundle is shown, a
status is posted whose name holds it; nobody can change or delete one that has ended.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from types import MappingProxyType

from assent.core.digest import Digest
from assent.core.verdict import Decision
from assent.errors import AssentError
from assent.forges.comment_history import ShownBundle
from assent.forges.gitlab.repository import RemoteRepository
from assent.forges.gitlab.schemas import CommitStatus, MergeRequest, Note
from assent.forges.gitlab.timestamps import timestamp
from assent.forges.http_retries import RefusedError
from assent.forges.remote.comments import LONGEST_DESCRIPTION, RemoteComments, context
from assent.ports import Notice

_STATES = {
    Decision.PASSED: "success",
    Decision.BLOCKED: "failed",
    Decision.PENDING: "pending",
}
_CHANGING = "changing"
_SAID = frozenset({"passed", "blocked", "pending", _CHANGING})


class Comments(RemoteComments[MergeRequest, Note]):
    """The notes and statuses of this run's project, each read once."""

    one_at_a_time = "let the jobs of a merge request wait for each other, with a resource_group"
    in_order = MappingProxyType({"sort": "asc", "order_by": "created_at"})
    _remote: RemoteRepository

    def __init__(self, remote: RemoteRepository, *, run_address: str | None) -> None:
        super().__init__(remote, Note, run_address=run_address)
        self._statuses: dict[str, list[CommitStatus]] = {}

    def sights(self, model: str, number: int, revision: str) -> list[ShownBundle]:
        """See `RemoteComments.sights`. Any developer can post a status. A job of a pipeline can
        have any name, but no description.
        """
        record = re.compile(
            rf"{re.escape(_prefix(model, number))}(?:(?P<bundle>sha256:[0-9a-f]{{64}})|{_CHANGING})"
        )
        doing = f"reading the statuses of {revision[:12]}"
        dated = []
        for status in self._read_statuses(revision):
            match = record.fullmatch(status.name)
            if match is not None and self._is_own(status) and status.description in _SAID:
                bundle = None if match["bundle"] is None else Digest(match["bundle"])
                dated.append((timestamp(status.created_at, doing), status.id, bundle))
        return [ShownBundle(bundle=bundle, at=at) for at, _, bundle in sorted(dated, key=_by_time)]

    def reviewed_at(self, model: str, number: int) -> str | None:
        """When our note of a model was written or changed last; None if there is none."""
        from assent.report.markdown import marker  # only whoever posts needs the renderer

        own = self._own_messages(number, marker(model))
        doing = f"reading the notes of merge request {number}"
        return timestamp(own[0].updated_at, doing) if own else None

    # the note

    def address(self, request: MergeRequest, message: Note) -> str:
        """See `RemoteComments.address`."""
        return f"{request.address}#note_{message.id}"

    def timestamp(self, text: str, doing: str) -> str:
        """See `RemoteComments.timestamp`."""
        return timestamp(text, doing)

    def _path(self, number: int, message: int | None = None) -> str:
        segment = [] if message is None else [message]
        return self._remote.path("merge_requests", number, "notes", *segment)

    def _put_aside(self, request: MergeRequest, message: Note, kept: Note) -> None:
        """Have it point to the other one."""
        try:
            self._change(request, message, f"See {self.address(request, kept)}")
        except AssentError as error:
            del error

    # the statuses

    def _end(
        self, request: MergeRequest, revision: str, model: str, why: str | None = None
    ) -> None:
        self._write_record(request, revision, model, None, _CHANGING)
        if why is not None:
            sentence = why[:LONGEST_DESCRIPTION]
            self._write_verdict(request, revision, context(model), "pending", sentence)

    def _record(self, request: MergeRequest, revision: str, notice: Notice) -> bool:
        if self._is_newest(request, revision, notice.model, notice.bundle):
            self._statuses.pop(revision, None)
            # What was read before is enough to see that ours is not the newest, not that it is.
            if self._is_newest(request, revision, notice.model, notice.bundle):
                return False
        decision = notice.decision.value
        self._write_record(request, revision, notice.model, notice.bundle, decision)
        return True

    def _is_newest(
        self, request: MergeRequest, revision: str, model: str, bundle: Digest | None
    ) -> bool:
        sights = self.sights(model, request.number, revision)
        return bool(sights) and sights[-1].bundle == bundle

    def _write_record(
        self,
        request: MergeRequest,
        revision: str,
        model: str,
        bundle: Digest | None,
        description: str,
    ) -> None:
        name = _prefix(model, request.number) + (bundle or _CHANGING)

        def find() -> CommitStatus | None:
            self._statuses.pop(revision, None)
            if not self._is_newest(request, revision, model, bundle):
                return None
            return self._newest_named(revision, name)

        # A status that has ended is never changed again: another post makes another one.
        self._post_status(
            request, revision, {"name": name, "state": "success", "description": description}, find
        )

    def _conclude(self, request: MergeRequest, revision: str, notice: Notice) -> None:
        """The status for whoever only looks at the list of checks.

        GitLab refuses a status that is what it was, and changes one that is pending in place.
        """
        sentence = " ".join(notice.sentence.split())[:LONGEST_DESCRIPTION]
        self._write_verdict(
            *(request, revision, context(notice.model), _STATES[notice.decision]),
            sentence or notice.decision.value,
        )

    def _write_verdict(
        self, request: MergeRequest, revision: str, name: str, state: str, description: str
    ) -> None:
        body = {"name": name, "state": state, "description": description}

        def find() -> CommitStatus | None:
            newest = self._newest_named(revision, name)
            if newest is None or newest.status != state:
                return None
            is_same = state == "pending" or newest.description == body["description"]
            return newest if is_same else None

        def find_anew() -> CommitStatus | None:
            self._statuses.pop(revision, None)
            return find()

        if find_anew() is None:
            self._post_status(request, revision, body, find_anew)

    def _newest_named(self, revision: str, name: str) -> CommitStatus | None:
        own = [
            status
            for status in self._read_statuses(revision)
            if status.name == name and self._is_own(status) and status.description is not None
        ]
        return own[-1] if own else None

    def _post_status(
        self,
        request: MergeRequest,
        revision: str,
        body: dict[str, str],
        find: Callable[[], CommitStatus | None],
    ) -> None:
        doing = f"writing the status of {revision[:12]}"
        path = self._remote.path("statuses", revision)
        if self._run_address is not None:
            body = {**body, "target_url": self._run_address}
        try:
            created = self._remote.api.write(
                "POST", path, body, CommitStatus, doing=doing, find=find
            )
        except RefusedError as error:
            if error.status != 404:
                raise
            # A commit that is on no branch here, such as a fork's, needs the name of a reference.
            body = {**body, "ref": f"refs/merge-requests/{request.number}/head"}
            created = self._remote.api.write(
                "POST", path, body, CommitStatus, doing=doing, find=find
            )
        self._statuses.pop(revision, None)
        self._remote.check_own(created.author, doing=doing)

    def _is_own(self, status: CommitStatus) -> bool:
        return status.author is not None and status.author.id == self._remote.own.id

    def _read_statuses(self, revision: str) -> list[CommitStatus]:
        """All statuses of a revision, oldest first; none if GitLab does not have it."""
        if revision not in self._statuses:
            path = self._remote.path("repository", "commits", revision, "statuses")
            doing = f"reading the statuses of {revision[:12]}"
            try:
                statuses = list(
                    self._remote.api.pages(
                        path, CommitStatus, doing=doing, parameters={"all": "true"}
                    )
                )
            except RefusedError as error:
                if error.status != 404:
                    raise
                statuses = []
            self._statuses[revision] = sorted(statuses, key=lambda status: status.id)
        return self._statuses[revision]


def _prefix(model: str, number: int) -> str:
    """What the name of a record starts with; its end is the bundle."""
    return f"{context(model)}/!{number}/"


def _by_time(dated: tuple[str, int, Digest | None]) -> tuple[str, int]:
    return dated[:2]
