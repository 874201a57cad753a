"""What `store gc` says of what stays."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from assent.cli.store_gc import show
from assent.keeping.plan import Why
from assent.verbs.store_gc import OldBundle, StoreGcResult
from tests.builders import digest

PURGED = OldBundle(model="churn", bundle=digest("b1"), age_s=60, size_bytes=9, why=Why.PURGED)
RESULT = StoreGcResult(
    older_than_s=86_400, deleted=False, bundles=(PURGED,), kept={}, blobs=0, size_bytes=9
)


def test_what_is_not_counted_yet_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    show(replace(RESULT, bundles=(), uncounted=3))
    said = capsys.readouterr().out
    assert "3 blobs of unknown age: --delete begins to count" in said
    assert "hint: --delete does it" in said
    show(replace(RESULT, bundles=(), uncounted=3, deleted=True))
    assert "3 blobs of unknown age: they are counted from now on" in capsys.readouterr().out


def test_what_stays_is_said_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    expired = replace(PURGED, bundle=digest("b2"), why=Why.EXPIRED)
    show(replace(RESULT, bundles=(PURGED, expired), deleted=True, stuck=(digest("b3"),)))
    said = capsys.readouterr().out
    assert "stays: files of it were used within two hours" in said
    assert "stays: it was used again" in said
    assert "cannot be taken away: 1 blob" in said
