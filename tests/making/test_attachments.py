"""Attachments are read as large and as many as they may be, and no more."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from assent.core.evidence import Attachment, Evidence
from assent.errors import IntegrityError, UsageError
from assent.making.attachments import attach, attached, attachment_file, read_attachment
from assent.ports import Source
from assent.stores import directory
from assent.stores.directory import DirectoryStore
from tests.builders import digest

CONTENT = b"profile " * 10


def placed(folder: Path, size: int = len(CONTENT)) -> tuple[Any, Evidence, Attachment]:
    store = DirectoryStore(folder / "store")
    [stored] = store.add([Source(content=CONTENT)])
    one = Attachment(path="a", digest=stored.digest, size_bytes=size, media_type="b")
    evidence = Evidence(model="churn", inputs_digest=digest("inputs"), attachments=(one,))
    return SimpleNamespace(store=store, work=folder / "work"), evidence, one


def test_an_attachment_is_read(tmp_path: Path) -> None:
    workspace, evidence, one = placed(tmp_path)
    assert read_attachment(workspace, evidence, one.digest) == CONTENT
    with attachment_file(workspace, evidence, one.digest) as place:
        assert place.read_bytes() == CONTENT
    assert not place.exists()


def test_predictions_may_be_larger_than_what_is_read_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, evidence, one = placed(tmp_path)
    monkeypatch.setattr(directory, "_MAX_READ_BYTES", 10)
    with attachment_file(workspace, evidence, one.digest) as place:
        assert place.read_bytes() == CONTENT


@pytest.mark.threat(39)
def test_another_size_than_the_evidence_says_is_refused(tmp_path: Path) -> None:
    workspace, evidence, one = placed(tmp_path, size=1)
    with pytest.raises(IntegrityError):
        read_attachment(workspace, evidence, one.digest)
    with pytest.raises(IntegrityError), attachment_file(workspace, evidence, one.digest):
        pass


@pytest.mark.threat(39)
def test_what_the_evidence_does_not_name_or_is_too_large_is_refused(tmp_path: Path) -> None:
    workspace, evidence, one = placed(tmp_path)
    with pytest.raises(IntegrityError, match="does not name"):
        read_attachment(workspace, evidence, digest("another"))
    with pytest.raises(IntegrityError, match="more than 10 bytes"):
        read_attachment(workspace, evidence, one.digest, most=10)


def test_what_evaluate_left_is_bundled_as_it_was(tmp_path: Path) -> None:
    workspace = SimpleNamespace(store=DirectoryStore(tmp_path / "store"), work=tmp_path / "work")
    any_workspace: Any = workspace
    one = attach(any_workspace, "churn", "a", CONTENT, "b")
    evidence = Evidence(model="churn", inputs_digest=digest("inputs"), attachments=(one,))
    [source] = attached(any_workspace, "churn", evidence)
    assert source.path is not None
    assert source.path.read_bytes() == CONTENT
    source.path.write_bytes(b"another")
    with pytest.raises(UsageError, match="is gone, or was changed"):
        attached(any_workspace, "churn", evidence)


def test_evidence_that_was_taken_over_brings_its_attachments_however_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, evidence, _ = placed(tmp_path)
    monkeypatch.setattr(directory, "_MAX_READ_BYTES", 10)
    [source] = attached(workspace, "churn", evidence)
    assert source.path is not None
    assert source.path.read_bytes() == CONTENT
