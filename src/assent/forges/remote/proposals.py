"""Requests that Assent opens itself."""

from __future__ import annotations

from typing import Generic, TypeVar

from assent.errors import OutsideError
from assent.forges.http_retries import RefusedError
from assent.forges.remote.comments import is_same
from assent.forges.remote.repository import Remote, Request
from assent.ports import Proposal

R = TypeVar("R", bound=Request)


class Proposals(Generic[R]):
    """The requests of branches of our own. `shape` is what the API answers."""

    def __init__(self, remote: Remote, shape: type[R]) -> None:
        self._remote = remote
        self._shape = shape
        self._dialect = remote.dialect

    def open(self, proposal: Proposal) -> str:
        """See `Forge.propose`. What a person has written in theirs stays as it is."""
        request = self._find(proposal) or self._create(proposal)
        is_own = request.opener is not None and request.opener.id == self._remote.own.id
        if is_own and not self._says(request, proposal):
            self._update(request, proposal)
        return request.address

    def _find(self, proposal: Proposal) -> R | None:
        """The open request of the branch; a forge allows one into the same base."""
        doing = f"looking for the {self._dialect.request} of {proposal.branch}"
        requests = self._remote.open_requests(proposal.branch, doing=doing)
        return next((request for request in requests if request.target == proposal.base), None)

    def _create(self, proposal: Proposal) -> R:
        doing = f"opening the {self._dialect.request} of {proposal.branch}"
        dialect = self._dialect
        body = {
            **self._texts(proposal),
            dialect.source_key: proposal.branch,
            dialect.target_key: proposal.base,
        }

        def find() -> R | None:
            return self._find(proposal)

        path = self._remote.path(dialect.requests)
        try:
            return self._remote.api.write("POST", path, body, self._shape, doing=doing, find=find)
        except RefusedError as error:
            # Another run may have opened it since we looked.
            proposed = find() if error.status == dialect.exists else None
            if proposed is not None:
                return proposed
            if error.status == 403 and dialect.forbidden is not None:
                hint = f"{error.hint}; {dialect.forbidden}" if error.hint else dialect.forbidden
                raise OutsideError(doing, error.problem, hint=hint) from None
            raise

    def _update(self, request: R, proposal: Proposal) -> None:
        api, dialect = self._remote.api, self._dialect
        path = self._remote.path(dialect.requests, request.number)
        doing = f"updating {dialect.request} {request.number}"

        def find() -> R | None:
            known = api.get(path, self._shape, doing=doing)
            return known if self._says(known, proposal) else None

        body = self._texts(proposal)
        api.write(dialect.update, path, body, self._shape, doing=doing, find=find)

    def _texts(self, proposal: Proposal) -> dict[str, object]:
        return {"title": self._title(proposal), self._dialect.text_key: proposal.body}

    def _says(self, request: R, proposal: Proposal) -> bool:
        """Whether it says this already."""
        return request.title == self._title(proposal) and is_same(request.text, proposal.body)

    def _title(self, proposal: Proposal) -> str:
        title, longest = " ".join(proposal.title.split()), self._dialect.longest_title
        return title if len(title) <= longest else f"{title[: longest - 1]}…"
