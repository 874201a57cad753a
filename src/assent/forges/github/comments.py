"""What reviewers were shown on a pull request, and when: the comment, and our statuses of its head,
which say which bundle the comment showed. GitHub's times are whole seconds.
"""

from __future__ import annotations

from assent.errors import AssentError, UsageError
from assent.forges.github.repository import RemoteRepository
from assent.forges.github.schemas import Comment, CommitStatus, Pull
from assent.forges.remote.described import DescribedComments

_MINIMIZE = """
mutation Minimize($input: MinimizeCommentInput!) {
  minimizeComment(input: $input) { minimizedComment { isMinimized } }
}
"""


class Comments(DescribedComments[Pull, Comment, CommitStatus]):
    """The comments and statuses of this run's repository, each read once."""

    one_at_a_time = "let the runs of a pull request wait for each other, with a concurrency group"
    _remote: RemoteRepository

    def __init__(self, remote: RemoteRepository, *, run_address: str | None) -> None:
        super().__init__(remote, Comment, CommitStatus, run_address=run_address)

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
        comment = super().find(request, number, doing=doing)
        if comment is not None and not comment.issue_url.endswith(f"/issues/{request.number}"):
            raise UsageError(
                doing,
                f"it is no comment on pull request {request.number}",
                hint="does GITHUB_EVENT_PATH name the event of this run?",
            )
        return comment

    def _path(self, number: int, message: int | None = None) -> str:
        if message is None:
            return self._remote.path("issues", number, "comments")
        return self._remote.path("issues", "comments", message)

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
