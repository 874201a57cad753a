"""`doctor --fix`: names get the numbers of their accounts, and the rest of the text stays."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from assent.judging.pinning import Pinned, pin_names
from assent.testing.forge import MemoryForge
from assent.testing.ledger import MemoryLedger
from assent.testing.store import MemoryStore

TEXT = """\
models:
  churn:
    model: model/
    metrics: [metrics.json]
    gates:
      - {metric: accuracy, min: 0.5}
    # the experts
    approvals: {count: 1, from: [alice, bob, carol, "@ml"]}
"""


def fixed(folder: Path, forge: MemoryForge) -> tuple[Pinned, str]:
    path = folder / "assent.yaml"
    if not path.exists():
        path.write_text(TEXT)
    workspace: Any = SimpleNamespace(
        root=folder, forge=forge, ledger=MemoryLedger(), store=MemoryStore()
    )
    return pin_names(workspace, ["churn"]), path.read_text()


@pytest.mark.threat(42)
def test_who_may_write_is_bound_and_the_others_are_named(tmp_path: Path) -> None:
    forge = MemoryForge("alice")
    forge.join("bob", "7", role="read")
    found, text = fixed(tmp_path, forge)
    assert text == TEXT.replace("alice", "alice#id-alice")
    assert "-    approvals: {count: 1, from: [alice, bob" in found.diff
    assert "+    approvals: {count: 1, from: [alice#id-alice, bob" in found.diff
    assert [one.partition(":")[0] for one in found.left] == ["bob", "carol"]
    again, unchanged = fixed(tmp_path, forge)
    assert (again.diff, unchanged) == ("", text)
