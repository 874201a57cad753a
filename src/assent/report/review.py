"""Everything that is known about one review, as one value."""

from __future__ import annotations

import msgspec

from assent.core.approval import Approvals
from assent.core.diff import Diff
from assent.core.digest import Digest
from assent.core.evidence import Evidence
from assent.core.scope import Scope
from assent.core.verdict import Verdict

FORMAT = "assent/review/1"


class Plot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A plot of the team, as it lies in the bundle. `media_type` is what the bundle says it is.
    Without `content` only its name is shown; `size_bytes` is then the file's size.
    """

    name: str
    media_type: str
    content: bytes = b""
    size_bytes: int | None = None

    @property
    def size(self) -> int:
        """The size of the file, in bytes."""
        return len(self.content) if self.size_bytes is None else self.size_bytes

    @property
    def listed(self) -> Plot:
        """The plot without its content."""
        return Plot(name=self.name, media_type=self.media_type, size_bytes=self.size)


class ReviewReport(msgspec.Struct, frozen=True, kw_only=True):
    """One review of one candidate. `evidence` is the candidate's, `policy` the digest of the
    rules that were applied, `at` RFC 3339. `rule_changes` says how the change under review
    alters those rules; `notes` are sentences by Assent that may hold untrusted names; `plots` are
    the candidate's. `scope` is what the rules look at. `change_address` is where the forge shows
    the change, `repository` where it shows the repository; without them it is on no forge.
    `notify`: those who may approve are called.
    """

    model: str
    diff: Diff
    verdict: Verdict
    approvals: Approvals
    policy: Digest
    evidence: Evidence
    at: str
    format: str = FORMAT
    scope: Scope = Scope()
    rule_changes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    change_id: str | None = None
    change_title: str | None = None
    plots: tuple[Plot, ...] = ()
    change_address: str | None = None
    repository: str | None = None
    notify: bool = False
