"""How long a writer goes on that was not first."""

from __future__ import annotations

import pytest

from assent.errors import OutsideError
from assent.ports import BusyError, MovedError
from assent.recording.retries import LONGEST_S, STALL_S, Retries
from tests.builders import digest

MOVED = MovedError("writing", "somebody else wrote to it first")
BUSY = BusyError("writing", "origin is locked", hint="remove the lock")


@pytest.mark.threat(24)
@pytest.mark.parametrize("error", [MOVED, BUSY])
def test_whoever_loses_to_others_that_write_never_gives_up(error: MovedError) -> None:
    retries = Retries(0)
    for attempt in range(10_000):
        retries.pause(error, digest(f"entry {attempt}"), 60.0 * attempt, cost_s=0.1)
    assert retries.losses == 10_000


@pytest.mark.threat(24)
@pytest.mark.parametrize(
    ("error", "said"), [(MOVED, "others are first, and nothing was written"), (BUSY, "is locked")]
)
def test_whoever_loses_to_nobody_gives_up(error: MovedError, said: str) -> None:
    """After as long as it takes to be sure, by what an attempt costs."""
    for cost_s, patient_until_s in ((0.1, STALL_S), (20.0, 200.0)):
        retries = Retries(0)
        retries.pause(error, digest("first"), 1000, cost_s=cost_s)
        retries.pause(error, digest("still"), 1001, cost_s=cost_s)
        retries.pause(error, digest("still"), 1001 + patient_until_s, cost_s=cost_s)
        with pytest.raises(OutsideError, match=said) as caught:
            retries.pause(error, digest("still"), 1002 + patient_until_s, cost_s=cost_s)
        assert caught.value.hint


def test_the_pause_follows_what_an_attempt_costs() -> None:
    def pauses(cost_s: float) -> list[float]:
        retries = Retries(0)
        heads = map(digest, "abcdefgh")
        return [retries.pause(MOVED, head, 0, cost_s=cost_s) for head in heads]

    quick, slow = pauses(0.05), pauses(3.0)
    assert quick == sorted(quick)
    assert all(a < b for a, b in zip(quick, slow, strict=True))
    assert max(pauses(100.0)) == LONGEST_S
