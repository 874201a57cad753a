"""What is said when the answer to what was written to a ledger was lost."""

from __future__ import annotations

from assent.ports import DoubtError


def in_doubt(doing: str, problem: str) -> DoubtError:
    """That nobody can say whether it was written."""
    return DoubtError(
        doing,
        f"it is in doubt whether it was written: it was sent, and the answer was lost ({problem})",
        hint="run the same verb again, from here or in the same run: it is written once",
    )
