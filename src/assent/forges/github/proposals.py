"""Pull requests that Assent opens itself."""

from __future__ import annotations

from assent.errors import OutsideError
from assent.forges.github.api import RefusedError
from assent.forges.github.repository import RemoteRepository
from assent.forges.github.schemas import Pull
from assent.ports import CommitAuthor, Proposal

_LONGEST_TITLE = 256
_SETTING = (
    "let workflows open pull requests (settings of the repository, Actions, General), or give "
    "the token of an app; the branch is pushed, so a person can open it as well"
)


class Proposals:
    """The pull requests of branches of our own."""

    def __init__(self, remote: RemoteRepository) -> None:
        self._remote = remote

    def commit_author(self) -> CommitAuthor:
        """See `Forge.commit_author`. By this address GitHub knows the account of a commit."""
        own = self._remote.own
        address = f"{own.id}+{own.login}@users.noreply.{self._remote.host}"
        return CommitAuthor(name=own.login, email=address)

    def open(self, proposal: Proposal) -> str:
        """See `Forge.propose`. What a person has written in theirs stays as it is."""
        pull = self._find(proposal) or self._create(proposal)
        is_own = pull.user is not None and pull.user.id == self._remote.own.id
        if is_own and (pull.title, _text(pull.body)) != (_title(proposal), _text(proposal.body)):
            self._update(pull, proposal)
        return pull.html_url

    def _find(self, proposal: Proposal) -> Pull | None:
        """The open pull request of the branch; GitHub allows one into the same base."""
        facts = self._remote.facts
        found = self._remote.api.pages(
            self._remote.path("pulls"),
            Pull,
            doing=f"looking for the pull request of {proposal.branch}",
            parameters={"state": "open", "head": f"{facts.owner.login}:{proposal.branch}"},
        )
        for pull in found:
            source = pull.head.repo
            is_here = source is not None and source.id == facts.id
            ends = (pull.head.ref, pull.base.ref)
            if is_here and ends == (proposal.branch, proposal.base):
                return pull
        return None

    def _create(self, proposal: Proposal) -> Pull:
        doing = f"opening the pull request of {proposal.branch}"
        body = {
            "title": _title(proposal),
            "body": proposal.body,
            "head": proposal.branch,
            "base": proposal.base,
        }

        def find() -> Pull | None:
            return self._find(proposal)

        path = self._remote.path("pulls")
        try:
            return self._remote.api.write("POST", path, body, Pull, doing=doing, find=find)
        except RefusedError as error:
            # Another run may have opened it since we looked.
            found = find() if error.status == 422 else None
            if found is not None:
                return found
            if error.status == 403:
                hint = f"{error.hint}; {_SETTING}" if error.hint else _SETTING
                raise OutsideError(doing, error.problem, hint=hint) from None
            raise

    def _update(self, pull: Pull, proposal: Proposal) -> None:
        path = self._remote.path("pulls", pull.number)
        doing = f"updating pull request {pull.number}"
        wanted = (_title(proposal), _text(proposal.body))

        def find() -> Pull | None:
            found = self._remote.api.get(path, Pull, doing=doing)
            return found if (found.title, _text(found.body)) == wanted else None

        body = {"title": _title(proposal), "body": proposal.body}
        self._remote.api.write("PATCH", path, body, Pull, doing=doing, find=find)


def _title(proposal: Proposal) -> str:
    title = " ".join(proposal.title.split())
    return title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 1]}…"


def _text(body: str | None) -> str:
    """A body as it can be compared: GitHub may keep other line ends."""
    return (body or "").replace("\r\n", "\n").rstrip()
