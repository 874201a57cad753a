"""Files that are no model."""

from __future__ import annotations

from pathlib import Path

import pytest

from assent.measure.models import inspect
from assent.measure.models.registry import FORMATS
from tests.measure.models.reading import written


@pytest.mark.parametrize(
    ("name", "content", "kind", "is_code"),
    [
        ("labels.json", '["a"]', "json", False),
        ("params.yaml", "a: 1", "yaml", False),
        ("notes.txt", "ü" * 5000, "text", False),
        ("LICENSE", "MIT", "text", False),
        ("train.csv", "a,b", "csv", False),
        ("code/x.py", "import os", "python", True),
        ("run.SH", "#!/bin/sh", "shell script", True),
        ("libmodel.so", b"\x7fELF\x02", "native library", True),
        ("picture", b"\x89PNG\r\n\x1a\n", "picture", False),
        ("noise.txt", b"\xff\xfe\x00", "unknown", False),
        ("nul.json", b'{"a": "\0"}', "unknown", False),
        ("weights", "text without a suffix", "unknown", False),
        ("empty.txt", "", "text", False),
        ("empty", "", "unknown", False),
    ],
)
def test_kinds(tmp_path: Path, name: str, content: str | bytes, kind: str, is_code: bool) -> None:
    (tmp_path / "code").mkdir()
    part = written(tmp_path, name, content)
    assert part.format == kind
    assert bool(part.code) is is_code
    assert part.problem is None


def test_it_is_asked_last() -> None:
    assert FORMATS[-1] == "plain"


@pytest.mark.threat(39)
@pytest.mark.parametrize("name", ["model.xml", "model.json"])
def test_machine_code_that_a_model_calls_its_weights_is_code(tmp_path: Path, name: str) -> None:
    said = {
        "model.xml": '<net name="g" version="11"><layers/></net>',
        "model.json": '{"weightsManifest": [{"paths": ["model.bin"], "weights": []}]}',
    }
    (tmp_path / name).write_text(said[name])
    (tmp_path / "model.bin").write_bytes(b"\x7fELF" + bytes(60))
    files = {one: tmp_path / one for one in (name, "model.bin")}
    parts = {part.path: part for part in inspect(files).parts}
    assert parts["model.bin"].settings == {"weights of": name}
    assert parts["model.bin"].code == ("model.bin",)
