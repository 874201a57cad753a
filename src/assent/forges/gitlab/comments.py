"""What reviewers were shown, and when: the note, and the statuses that keep its history.

A note can be edited, so it decides nothing. GitLab's approvals name neither a commit nor a bundle.
So each time another bundle is shown, a status of the merge request's head is posted whose name
holds it. Nobody can change or delete such a status once it is there, and GitLab sets its time: our
own ones are the record of which bundle the note showed at any time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from assent.core.digest import Digest
from assent.core.verdict import Decision
from assent.errors import AssentError, OutsideError
from assent.forges.comment_history import ShownBundle, bundle_at
from assent.forges.gitlab.repository import RemoteRepository
from assent.forges.gitlab.schemas import CommitStatus, MergeRequest, Note
from assent.forges.gitlab.timestamps import timestamp
from assent.forges.http_retries import RefusedError
from assent.ports import Notice

_STATES = {
    Decision.PASSED: "success",
    Decision.BLOCKED: "failed",
    Decision.PENDING: "pending",
}
_CHANGING = "changing"
_SAID = frozenset({"passed", "blocked", "pending", _CHANGING})
_LONGEST_DESCRIPTION = 140
ATTEMPTS = 3
"""How often a notice is shown while other runs put theirs in its place."""


class Comments:
    """The notes and statuses of this run's project, each read once."""

    def __init__(self, remote: RemoteRepository, *, run_address: str | None) -> None:
        self._remote = remote
        self._run_address = run_address
        self._notes: dict[int, list[Note]] = {}
        self._statuses: dict[str, list[CommitStatus]] = {}

    def notes(self, number: int, *, anew: bool = False) -> Sequence[Note]:
        """All notes of a merge request, oldest first, GitLab's own ones included."""
        if anew or number not in self._notes:
            self._notes[number] = self._read_notes(number)
        return self._notes[number]

    def sights(self, model: str, number: int, revision: str) -> list[ShownBundle]:
        """The bundles of `model` that were shown on a merge request at a revision, oldest first.

        Only our own statuses tell: any developer can post one. And they tell of one merge
        request: the same revision can be the head of another one, a fork's too. A job of a
        pipeline can have any name, but no description.
        """
        record = re.compile(
            rf"{re.escape(_prefix(model, number))}(?:(?P<bundle>sha256:[0-9a-f]{{64}})|{_CHANGING})"
        )
        doing = f"reading the statuses of {revision[:12]}"
        found = []
        for status in self._read_statuses(revision):
            said = record.fullmatch(status.name)
            if said is not None and self._is_own(status) and status.description in _SAID:
                bundle = None if said["bundle"] is None else Digest(said["bundle"])
                found.append((timestamp(status.created_at, doing), status.id, bundle))
        return [ShownBundle(bundle=bundle, at=at) for at, _, bundle in sorted(found, key=_by_time)]

    def bundle_at(self, model: str, number: int, revision: str, at: str) -> Digest | None:
        """The bundle that was shown there at some time, or None if that is not known."""
        return bundle_at(self.sights(model, number, revision), at)

    def reviewed_at(self, model: str, number: int) -> str | None:
        """When our note of a model was written or changed last; None if there is none."""
        from assent.report.markdown import marker  # only whoever posts needs the renderer

        own = self._own_notes(number, marker(model))
        doing = f"reading the notes of merge request {number}"
        return timestamp(own[0].updated_at, doing) if own else None

    def show(self, request: MergeRequest, revision: str, notice: Notice) -> str:
        """Show a notice on a merge request, then record that its bundle was shown there.

        Where another bundle was shown before, its time is ended first: between the note and the
        record, or after a crash there, nothing is known to be shown. If another run has put its
        own notice there meanwhile, ours is shown again: whoever wrote the note last must be the
        last one in the record, or approvals would be of a bundle that nobody saw.
        """
        from assent.report.markdown import marker  # only whoever posts needs the renderer

        sign = marker(notice.model)
        body = notice.body if notice.body.startswith(sign) else f"{sign}\n{notice.body}"
        for _ in range(ATTEMPTS):
            self._end_other(request, revision, notice)
            note, is_new = self._show_note(request, sign, body)
            is_recorded = self._record(request, revision, notice)
            if not (is_new or is_recorded) or self._still_says(request, note, body):
                self._show_verdict(request, revision, notice)
                return _address(request, note)
            self._notes.clear()
        raise OutsideError(
            f"commenting on merge request {request.iid}",
            "other runs keep changing the same note",
            hint="let the jobs of a merge request wait for each other, with a resource_group",
        )

    def retract(self, request: MergeRequest, revision: str, model: str, why: str) -> None:
        """Record that no bundle is shown on a merge request any more, if one was; the verdict that
        stands at its head goes with it.
        """
        sights = self.sights(model, request.iid, revision)
        if sights and sights[-1].bundle is not None:
            self._write_record(request, revision, model, None, _CHANGING)
            sentence = " ".join(why.split())[:_LONGEST_DESCRIPTION]
            self._write_verdict(request, revision, context(model), "pending", sentence)

    def say_once(self, request: MergeRequest, sign: str, body: str) -> str:
        """Post a note that starts with `sign`, unless one of ours is there; say where it is."""
        own = self._own_notes(request.iid, sign)
        said = own[0] if own else self._create_note(request, sign, body)
        return _address(request, said)

    # the note

    def _show_note(self, request: MergeRequest, sign: str, body: str) -> tuple[Note, bool]:
        """Our note, and whether it was written now."""
        own = self._own_notes(request.iid, sign)
        if not own:
            return self._create_note(request, sign, body), True
        for duplicate in own[1:]:
            self._put_aside(request, duplicate, own[0])
        if _is_same(own[0].body, body):
            return own[0], False
        return self._edit_note(request, own[0], body), True

    def _put_aside(self, request: MergeRequest, note: Note, kept: Note) -> None:
        """Have a second note of ours say no more. It is only in the way: if it stays, it stays."""
        try:
            self._edit_note(request, note, f"See {_address(request, kept)}")
        except AssentError as error:
            del error

    def _still_says(self, request: MergeRequest, note: Note, body: str) -> bool:
        path = self._remote.path("merge_requests", request.iid, "notes", note.id)
        doing = f"reading {_address(request, note)} again"
        found = self._remote.api.find(path, Note, doing=doing)
        return found is not None and _is_same(found.body, body)

    def _own_notes(self, number: int, sign: str) -> list[Note]:
        """Our notes of this model, oldest first: those of ours that start with the marker."""
        return [
            note
            for note in self.notes(number)
            if not note.system
            and note.author is not None
            and note.author.id == self._remote.own.id
            and note.body.startswith(sign)
        ]

    def _create_note(self, request: MergeRequest, sign: str, body: str) -> Note:
        doing = f"commenting on merge request {request.iid}"

        def find() -> Note | None:
            self._notes.pop(request.iid, None)
            own = self._own_notes(request.iid, sign)
            return own[0] if own else None

        path = self._remote.path("merge_requests", request.iid, "notes")
        created = self._remote.api.write("POST", path, {"body": body}, Note, doing=doing, find=find)
        self._notes.pop(request.iid, None)
        self._remote.check_own(created.author, doing=doing)
        return created

    def _edit_note(self, request: MergeRequest, note: Note, body: str) -> Note:
        doing = f"updating the note {_address(request, note)}"
        path = self._remote.path("merge_requests", request.iid, "notes", note.id)

        def find() -> Note | None:
            found = self._remote.api.get(path, Note, doing=doing)
            return found if _is_same(found.body, body) else None

        self._notes.clear()
        return self._remote.api.write("PUT", path, {"body": body}, Note, doing=doing, find=find)

    def _read_notes(self, number: int) -> list[Note]:
        path = self._remote.path("merge_requests", number, "notes")
        doing = f"reading the notes of merge request {number}"
        found = self._remote.api.pages(
            path, Note, doing=doing, parameters={"sort": "asc", "order_by": "created_at"}
        )
        return sorted(found, key=lambda one: one.id)

    # the statuses

    def _end_other(self, request: MergeRequest, revision: str, notice: Notice) -> None:
        """Record that the bundle that was shown last is shown no longer, if it is another one."""
        sights = self.sights(notice.model, request.iid, revision)
        if sights and sights[-1].bundle not in (None, notice.bundle):
            self._write_record(request, revision, notice.model, None, _CHANGING)

    def _record(self, request: MergeRequest, revision: str, notice: Notice) -> bool:
        """Whether the record was written now. The newest one may say the same already."""
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
        sights = self.sights(model, request.iid, revision)
        return bool(sights) and sights[-1].bundle == bundle

    def _write_record(
        self, request: MergeRequest, revision: str, model: str, bundle: Digest | None, said: str
    ) -> None:
        name = _prefix(model, request.iid) + (bundle or _CHANGING)

        def find() -> CommitStatus | None:
            self._statuses.pop(revision, None)
            if not self._is_newest(request, revision, model, bundle):
                return None
            return self._newest_named(revision, name)

        # A status that has ended is never changed again: another post makes another one.
        self._post(request, revision, {"name": name, "state": "success", "description": said}, find)

    def _show_verdict(self, request: MergeRequest, revision: str, notice: Notice) -> None:
        """The status for whoever only looks at the list of checks.

        GitLab refuses a status that is what it was, and changes one that is pending in place.
        """
        sentence = " ".join(notice.sentence.split())[:_LONGEST_DESCRIPTION]
        self._write_verdict(
            *(request, revision, context(notice.model), _STATES[notice.decision]),
            sentence or notice.decision.value,
        )

    def _write_verdict(
        self, request: MergeRequest, revision: str, name: str, state: str, said: str
    ) -> None:
        body = {"name": name, "state": state, "description": said}

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
            self._post(request, revision, body, find_anew)

    def _newest_named(self, revision: str, name: str) -> CommitStatus | None:
        own = [
            status
            for status in self._read_statuses(revision)
            if status.name == name and self._is_own(status) and status.description is not None
        ]
        return own[-1] if own else None

    def _post(
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
            body = {**body, "ref": f"refs/merge-requests/{request.iid}/head"}
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
                found = list(
                    self._remote.api.pages(
                        path, CommitStatus, doing=doing, parameters={"all": "true"}
                    )
                )
            except RefusedError as error:
                if error.status != 404:
                    raise
                found = []
            self._statuses[revision] = sorted(found, key=lambda one: one.id)
        return self._statuses[revision]


def context(model: str) -> str:
    """The name of a model's status in the list of checks."""
    return f"assent/{model}"


def _prefix(model: str, number: int) -> str:
    """What the name of a record starts with; its end is the bundle."""
    return f"{context(model)}/!{number}/"


def _by_time(found: tuple[str, int, Digest | None]) -> tuple[str, int]:
    return found[:2]


def _address(request: MergeRequest, note: Note) -> str:
    return f"{request.web_url}#note_{note.id}"


def _is_same(shown: str, body: str) -> bool:
    """Whether a note says this already. GitLab may keep other line ends."""
    return shown.replace("\r\n", "\n").rstrip() == body.rstrip()
