"""Everything that is known about one review, as one value."""

from __future__ import annotations

import msgspec

from assent.core.approval import Approvals
from assent.core.diff import Diff
from assent.core.digest import Digest
from assent.core.evidence import Evidence
from assent.core.verdict import Verdict

FORMAT = "assent/review/1"


class ReviewReport(msgspec.Struct, frozen=True, kw_only=True):
    """One review of one candidate. `evidence` is the candidate's, `policy` the digest of the
    rules that were applied, `at` RFC 3339. `rule_changes` says how the change under review
    alters those rules; `notes` are sentences by Assent that may hold untrusted names.
    """

    model: str
    diff: Diff
    verdict: Verdict
    approvals: Approvals
    policy: Digest
    evidence: Evidence
    at: str
    format: str = FORMAT
    rule_changes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    change_id: str | None = None
    change_title: str | None = None
