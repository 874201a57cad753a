"""Documents of the own format, of later minor ones, and of others."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from assent.core.evidence import FORMAT, Evidence
from assent.core.formats import decode_document, is_minor_of, require_format
from assent.core.profile import FORMAT as PROFILE_FORMAT
from assent.core.profile import DataProfile
from assent.core.scalar import NonFinite
from assent.errors import IntegrityError

DIGEST = "sha256:" + "0" * 64
LATER = FORMAT + ".7"


def written(**fields: Any) -> bytes:
    """A document as a release writes it."""
    return json.dumps({"model": "churn", "inputs_digest": DIGEST, **fields}).encode()


def read(content: bytes) -> Evidence:
    return decode_document(content, Evidence, FORMAT, "reading evidence")


def test_the_own_format_is_read_strictly() -> None:
    assert read(written(format=FORMAT)).format == FORMAT
    for fields in ({"more": 1}, {"code": {"more": 1}}, {"train": {"more": 1}}):
        with pytest.raises(msgspec.ValidationError):
            read(written(format=FORMAT, **fields))


def test_of_a_later_minor_format_what_is_known_is_read() -> None:
    step = {"command": "x", "inputs_digest": DIGEST, "started_at": "", "wall_s": 1, "more": [1]}
    evidence = read(
        written(
            format=LATER,
            more={"model": "fraud"},
            train=step,
            metrics={"more": 0.5, "loss": {"nonfinite": "nan", "more": 1}},
            data=[{"name": "train", "source": "t.csv", "kind": "file", "more": {}}],
            overlaps=[{"first": "a", "second": "b", "of": 1, "rows": 0, "more": None}],
        )
    )
    assert evidence.format == LATER
    assert evidence.model == "churn"
    assert evidence.train is not None
    assert evidence.train.command == "x"
    assert evidence.metrics == {"more": 0.5, "loss": NonFinite("nan")}
    assert [one.name for one in evidence.data] == ["train"]
    assert evidence.overlaps[0].of == 1


def test_a_profile_within_a_profile_is_read_too() -> None:
    inner = {"name": "x", "type": "int64", "kind": "number", "more": 1}
    outer = {"name": "x", "type": "string", "kind": "text", "fits": inner, "more": 1}
    content = json.dumps({"format": PROFILE_FORMAT + ".1", "columns": [outer]}).encode()
    profile = decode_document(content, DataProfile, PROFILE_FORMAT, "reading a profile")
    assert profile.columns[0].fits is not None
    assert profile.columns[0].fits.type == "int64"


def test_a_later_minor_format_that_adds_nothing_here_says_that_it_is_one() -> None:
    assert read(written(format=LATER)).format == LATER


@pytest.mark.parametrize(
    "written_in",
    ["assent/evidence/2", "assent/evidence/1.x", "assent/evidence/10", "assent/entry/1.1"],
)
@pytest.mark.parametrize("fields", [{}, {"more": 1}])
def test_any_other_format_is_refused_with_the_advice_to_upgrade(
    written_in: str, fields: dict[str, int]
) -> None:
    with pytest.raises(IntegrityError, match="unknown format") as caught:
        read(written(format=written_in, **fields))
    assert "upgrade" in (caught.value.hint or "")


def test_what_a_later_format_says_in_other_types_is_damage() -> None:
    with pytest.raises(msgspec.ValidationError):
        read(written(format=LATER, model=7))
    with pytest.raises(msgspec.DecodeError):
        read(written(format=LATER)[:-1])
    with pytest.raises((msgspec.DecodeError, RecursionError)):
        read(written(format=LATER)[:-1] + b', "more": ' + b"[" * 100_000)


def test_no_format_is_none() -> None:
    with pytest.raises(IntegrityError, match="which format"):
        require_format(b"{}", FORMAT, "reading")
    require_format(b"[", FORMAT, "reading")  # what is wrong with it is for the reader to say
    assert not is_minor_of("assent/evidence/1.", FORMAT)
    assert not is_minor_of(FORMAT, FORMAT)
