"""Formats that nobody reads are named, and never called the same."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from assent.verbs.diff_files import diff_files
from tests.measure.models.looking import look_at

KNOWN = [
    ("m.bin", b"\x14\0\0\0ET12" + bytes(20), "executorch", "ExecuTorch is not read"),
    ("program", b"\x14\0\0\0FT01" + bytes(20), "executorch", "ExecuTorch is not read"),
    ("m.pte", b"x", "executorch", "ExecuTorch is not read"),
    ("coremldata.bin", b"x", "coreml", "compiled or incomplete Core ML is not read"),
    ("m.pdiparams", b"\0\0", "paddle", "PaddlePaddle is not read"),
    ("m.pmml", b"x", "pmml", "PMML is not read"),
    (
        "m.xml",
        b'<?xml version="1.0"?>\n<!-- a > b -->\n<PMML version="4.4">',
        "pmml",
        "PMML is not read",
    ),
    ("m.pt2", b"x", "torch.export", "torch.export is not read"),
    ("m.bin", b"\xba\x16\x4f\x2f\x0c\0\0\0", "fasttext", "fastText is not read"),
    ("tagger/model", b"\x84\xa5nodes\x90\xa5attrs", "spacy", "spaCy is not read"),
    ("m.engine", b"ftrt", "tensorrt", "TensorRT is not read"),
    ("m.rknn", b"RKNN", "rknn", "RKNN is not read"),
    ("frozen.pb", b"\x0a\x02", "tensorflow graph", "a graph of TensorFlow outside of a SavedModel"),
    ("m.ort", b"x", "onnx runtime", "ONNX Runtime's own format is not read"),
    ("m.rds", b"RDX3\n", "r", "R's serialization is not read"),
    ("whatever", b"\xfe\xfe\xfe", "unknown", "its format is not known"),
]


@pytest.mark.parametrize(("name", "content", "format_", "why"), KNOWN)
def test_what_nobody_reads_is_named_and_not_compared(
    tmp_path: Path, name: str, content: bytes, format_: str, why: str
) -> None:
    sides = []
    for side, more in (("old", b"1"), ("new", b"2")):
        path = tmp_path / side / name
        path.parent.mkdir(parents=True)
        path.write_bytes(content + more)
        sides.append(str(tmp_path / side))
    found = diff_files(*sides).diff
    assert [(one.new_format, one.not_read) for one in found.parts] == [
        (format_, found.parts[0].not_read)
    ]
    assert why in (found.parts[0].not_read or "")
    assert [one.name for one in found.not_compared] == [name]
    assert why in found.not_compared[0].reason


def test_equal_bytes_are_the_same_whatever_they_are(tmp_path: Path) -> None:
    for side in ("old", "new"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "m.pte").write_bytes(b"anything")
        (tmp_path / side / "other.txt").write_text(side)
    found = diff_files(str(tmp_path / "old"), str(tmp_path / "new")).diff
    assert [one.name for one in found.not_compared] == ["other.txt"]


def test_an_archive_that_is_a_format_by_its_name_is_looked_into_for_pickles(
    tmp_path: Path,
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("m/archive_format", "pt2")
        archive.writestr("m/data/weights/a.pt", b"cos\nsystem\n(X\x04\0\0\0truetR.")
    part = look_at(tmp_path, buffer.getvalue(), "m.pt2")
    assert (part.format, part.not_read) == ("torch.export", "torch.export is not read")
    assert part.imports == ("os.system",) or part.imports == ("posix.system",)


def test_a_name_does_not_make_a_format_of_what_is_read(tmp_path: Path) -> None:
    part = look_at(tmp_path, b"<html>", "m.xml")
    assert (part.format, part.not_read) == ("xml", None)
    assert part.left_out == "its content"
