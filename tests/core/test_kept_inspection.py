from __future__ import annotations

import pytest

from assent.core import kept_inspection
from assent.core.digest import digest_of
from assent.core.inspection import Danger, Inspection, Part, Tensor
from assent.core.kept_inspection import (
    KeptInspection,
    decode,
    encode,
    is_complete,
    layer_of,
    manifest_of,
)
from tests.builders import digest

PART = Part(
    path="model.safetensors",
    format="safetensors",
    size_bytes=8,
    tensors=(Tensor(name="w", dtype="float32", shape=(2,)),),
    settings={"epochs": 3, "rate": 0.1},
    dangers=(Danger(what="imports os.system"),),
)
SEEN = Inspection(parts=(PART,))
KEPT = KeptInspection(by=digest("code"), model_digest=digest("model"), inspection=SEEN)


def test_what_was_kept_is_found_by_its_digest() -> None:
    content = encode(KEPT)
    assert layer_of(manifest_of(content)) == digest_of(content)
    assert decode(content, by=digest("code"), model_digest=digest("model")) == SEEN


@pytest.mark.threat(44)
def test_what_other_code_has_said_or_of_another_model_is_not_taken() -> None:
    content = encode(KEPT)
    assert decode(content, by=digest("later code"), model_digest=digest("model")) is None
    assert decode(content, by=digest("code"), model_digest=digest("another model")) is None


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "content", [b"", b"{", b"{}", b"[" * 100_000, b"\xff", b'{"format":"assent/inspection/2"}']
)
def test_what_is_none_is_none(content: bytes) -> None:
    assert decode(content, by=digest("code"), model_digest=digest("model")) is None
    assert layer_of(content) is None


@pytest.mark.threat(39)
def test_what_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = manifest_of(encode(KEPT))
    monkeypatch.setattr(kept_inspection, "MAX_BYTES", len(encode(KEPT)) - 1)
    assert layer_of(manifest) is None


def test_only_what_is_the_same_at_any_time_is_kept() -> None:
    late = Part(path="b", format="unknown", size_bytes=1, problem="not looked at")
    assert is_complete(SEEN)
    assert not is_complete(Inspection(parts=(PART, late)))
    assert not is_complete(Inspection())
