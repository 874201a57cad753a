"""Merge requests that Assent opens itself."""

from __future__ import annotations

from assent.forges.gitlab.repository import RemoteRepository
from assent.forges.gitlab.schemas import MergeRequest
from assent.forges.http_retries import RefusedError
from assent.ports import CommitAuthor, Proposal

_LONGEST_TITLE = 255


class Proposals:
    """The merge requests of branches of our own."""

    def __init__(self, remote: RemoteRepository) -> None:
        self._remote = remote

    def commit_author(self) -> CommitAuthor:
        """See `Forge.commit_author`. By this address GitLab knows the account of a commit."""
        own = self._remote.own
        address = f"{own.id}-{own.username}@users.noreply.{self._remote.host}"
        return CommitAuthor(name=own.username, email=address)

    def open(self, proposal: Proposal) -> str:
        """See `Forge.propose`. What a person has written in theirs stays as it is."""
        request = self._find(proposal) or self._create(proposal)
        is_own = request.author is not None and request.author.id == self._remote.own.id
        if is_own and not _says(request, proposal):
            self._update(request, proposal)
        return request.web_url

    def _find(self, proposal: Proposal) -> MergeRequest | None:
        """The open merge request of the branch; GitLab allows one into the same base."""
        found = self._remote.api.pages(
            self._remote.path("merge_requests"),
            MergeRequest,
            doing=f"looking for the merge request of {proposal.branch}",
            parameters={"state": "opened", "source_branch": proposal.branch},
        )
        for request in found:
            is_here = request.source_project_id == self._remote.facts.id
            if is_here and request.target_branch == proposal.base:
                return request
        return None

    def _create(self, proposal: Proposal) -> MergeRequest:
        body = {
            "title": _title(proposal),
            "description": proposal.body,
            "source_branch": proposal.branch,
            "target_branch": proposal.base,
        }

        def find() -> MergeRequest | None:
            return self._find(proposal)

        try:
            return self._remote.api.write(
                "POST",
                self._remote.path("merge_requests"),
                body,
                MergeRequest,
                doing=f"opening the merge request of {proposal.branch}",
                find=find,
            )
        except RefusedError as error:
            # Another run may have opened it since we looked.
            found = find() if error.status == 409 else None
            if found is None:
                raise
            return found

    def _update(self, request: MergeRequest, proposal: Proposal) -> None:
        path = self._remote.path("merge_requests", request.iid)
        doing = f"updating merge request {request.iid}"

        def find() -> MergeRequest | None:
            found = self._remote.api.get(path, MergeRequest, doing=doing)
            return found if _says(found, proposal) else None

        body = {"title": _title(proposal), "description": proposal.body}
        self._remote.api.write("PUT", path, body, MergeRequest, doing=doing, find=find)


def _says(request: MergeRequest, proposal: Proposal) -> bool:
    """Whether it says this already. GitLab may keep other line ends."""
    shown = (request.description or "").replace("\r\n", "\n").rstrip()
    return (request.title, shown) == (_title(proposal), proposal.body.rstrip())


def _title(proposal: Proposal) -> str:
    title = " ".join(proposal.title.split())
    return title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 1]}…"
