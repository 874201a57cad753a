"""Where a pointer cannot be written, the ledger has decided all the same, and that is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from assent.errors import AssentError, ExitCode, OutsideError, UsageError
from assent.ports import Pointer
from assent.testing.store import MemoryStore
from assent.verbs.promote import promote
from tests.verbs.place import MODEL, Place


class Refusing(MemoryStore):
    """A store that takes no pointers once `problem` is set."""

    problem: AssentError | None = None

    def point(self, name: str, pointer: Pointer) -> bool:
        """See `Store.point`."""
        if self.problem is not None:
            raise self.problem
        return super().point(name, pointer)


@pytest.mark.parametrize("kind", [OutsideError, UsageError])
def test_that_the_entry_is_written_is_said(tmp_path: Path, kind: type[AssentError]) -> None:
    place = Place(tmp_path / "repository")
    place.store = store = Refusing()
    place.version(1)
    store.problem = kind("writing churn-staging", "no such tag", hint="a shorter name")
    with pytest.raises(
        AssentError, match=r"entry 1 of the ledger is written, and it decides"
    ) as it:
        promote(place.open(), MODEL, "staging")
    assert it.value.exit_code == ExitCode.OUTSIDE
    assert "a shorter name" in str(it.value.hint)
    assert place.log[-1] == "promote v1 to staging"
    store.problem = None
    promote(place.open(), MODEL, "staging")
    assert store.pointer("churn/stages/staging") is not None
