from __future__ import annotations

import hashlib
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import (
    GGML_QUANT_SIZES,
    GGMLQuantizationType,
    GGUFEndian,
    GGUFReader,
    GGUFWriter,
    quants,
)
from safetensors.numpy import save_file

from assent.core.diff.sameness import NotCompared
from assent.core.inspection import Part, Tensor
from assent.measure.models import compare_weights, inspect
from assent.measure.models.formats import gguf
from assent.measure.models.reader import ModelSource
from tests.measure.models.reading import located as read_at
from tests.measure.models.reading import unread


def inspected(path: Path) -> Part:
    (part,) = inspect({path.name: path}).parts
    return part


def written(path: Path, *, order: GGUFEndian = GGUFEndian.LITTLE) -> dict[str, Any]:
    """A file of the library, with the values of its tensors."""
    arrays: dict[str, Any] = {
        "token_embd.weight": np.arange(64, dtype=np.float32).reshape(2, 32),
        "half": np.ones((3, 5), dtype=np.float16),
        "output_norm.weight": np.ones(7, dtype=np.float32),
    }
    writer = GGUFWriter(path, "llama", endianess=order)
    writer.add_block_count(2)
    writer.add_float32("llama.rope.freq_base", 10000.0)
    writer.add_bool("tokenizer.ggml.add_bos_token", True)
    writer.add_int64("big", -(2**40))
    writer.add_string("general.name", "small | <b>")
    writer.add_chat_template("{{ messages }}")
    writer.add_token_list(["a", "bc", "é"])
    writer.add_token_scores([0.5, 0.25, 0.125])
    for name, values in arrays.items():
        writer.add_tensor(name, values)
    if order == GGUFEndian.LITTLE:
        packed = quants.quantize(np.ones((4, 64), dtype=np.float32), GGMLQuantizationType.Q8_0)
        writer.add_tensor("blk.0.attn_q.weight", packed, raw_dtype=GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return arrays


def source(path: Path) -> ModelSource:
    return ModelSource(
        name=path.name,
        path=path,
        size_bytes=path.stat().st_size,
        head=path.read_bytes()[:4096],
        files={path.name: path},
    )


def digest_of_list(content: bytes) -> str:
    """Of the items of a list as they lie in the file."""
    return f"sha256:{hashlib.sha256(content).hexdigest()[:16]}"


def test_a_file_of_the_library(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    written(path)
    part = inspected(path)
    assert part.problem is None
    assert part.format == "gguf"
    assert part.versions == {"gguf": "3"}
    assert part.settings == {
        "general.architecture": "llama",
        "llama.block_count": 2,
        "llama.rope.freq_base": 10000.0,
        "tokenizer.ggml.add_bos_token": True,
        "big": -(2**40),
        "general.name": "small | <b>",
        "tokenizer.chat_template": "{{ messages }}",
        "tokenizer.ggml.tokens": "3 texts, "
        + digest_of_list(b"".join(map(text, ("a", "bc", "é")))),
        "tokenizer.ggml.scores": "3 numbers, "
        + digest_of_list(struct.pack("<3f", 0.5, 0.25, 0.125)),
    }
    assert part.tensors == (
        Tensor(name="blk.0.attn_q.weight", dtype="q8_0", shape=(4, 64)),
        Tensor(name="half", dtype="float16", shape=(3, 5)),
        Tensor(name="output_norm.weight", dtype="float32", shape=(7,)),
        Tensor(name="token_embd.weight", dtype="float32", shape=(2, 32)),
    )
    assert part.parameters == 4 * 64 + 15 + 7 + 64
    assert part.dangers == ()


def test_the_library_finds_the_values_in_the_same_places(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    written(path)
    located = read_at(gguf.locate(source(path)))
    for tensor in GGUFReader(path).tensors:
        if tensor.name in located:
            assert located[tensor.name].offset == tensor.data_offset
            assert located[tensor.name].size_bytes == tensor.n_bytes
    assert len(located) == 4


def test_the_highest_byte_first(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    written(path, order=GGUFEndian.BIG)
    part = inspected(path)
    assert part.problem is None
    assert part.settings["llama.rope.freq_base"] == 10000.0
    assert part.parameters == 86
    assert set(unread(gguf.locate(source(path))).values()) == {
        "its values have the highest byte first"
    }


def test_a_template_that_reaches_into_python_is_a_danger(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    writer = GGUFWriter(path, "llama")
    template = "{% for x in ().__class__.__subclasses__() %}{% endfor %}" + "x" * 1000
    writer.add_chat_template(template)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    part = inspected(path)
    assert [danger.what for danger in part.dangers] == [
        "the chat template tokenizer.chat_template reaches into Python"
    ]
    assert len(str(part.settings["tokenizer.chat_template"])) < 400


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def header(
    pairs: list[bytes] | None = None,
    tensors: list[bytes] | None = None,
    *,
    version: int = 3,
    counts: tuple[int, int] | None = None,
) -> bytes:
    pairs, tensors = pairs or [], tensors or []
    said = counts or (len(tensors), len(pairs))
    return b"GGUF" + struct.pack("<IQQ", version, *said) + b"".join(pairs) + b"".join(tensors)


def tensor(name: str, dimensions: list[int], kind: int, offset: int) -> bytes:
    shape = struct.pack(f"<I{len(dimensions)}Q", len(dimensions), *dimensions)
    return text(name) + shape + struct.pack("<IQ", kind, offset)


HOSTILE: dict[str, tuple[bytes, str]] = {
    "another beginning": (b"GGML" + bytes(100), "does not begin"),
    "a version to come": (header(version=9), "version 9"),
    "2^60 tensors": (header(counts=(2**60, 0)), "more than 100,000"),
    "2^60 settings": (header(counts=(0, 2**60)), "more than 100,000"),
    "fewer than it says": (header(counts=(5, 0)), "too early"),
    "a long text": (header([struct.pack("<Q", 2**62)]), "a text of"),
    "a text beyond the end": (header([struct.pack("<Q", 1000) + b"a"]), "too early"),
    "a list beyond the end": (
        header([text("a") + struct.pack("<IIQ", 9, 0, 2**63)]),
        "too early",
    ),
    "endless texts": (header([text("a") + struct.pack("<IIQ", 9, 8, 2**63)]), "texts"),
    "a list of lists": (header([text("a") + struct.pack("<IIQ", 9, 9, 1)]), "lists"),
    "an unknown type": (header([text("a") + struct.pack("<I", 77)]), "unknown type"),
    "a setting twice": (
        header([text("a") + struct.pack("<II", 4, 1)] * 2),
        "given twice",
    ),
    "a name that is no text": (header([text(b"\xff") + struct.pack("<II", 4, 1)]), "UTF-8"),
    "an alignment of 3": (
        header([text("general.alignment") + struct.pack("<II", 4, 3)]),
        "alignment",
    ),
    "an alignment of 0": (
        header([text("general.alignment") + struct.pack("<II", 4, 0)]),
        "alignment",
    ),
    "a tensor twice": (header(tensors=[tensor("a", [1], 0, 0)] * 2) + bytes(99), "twice"),
    "an overlap": (
        header(tensors=[tensor("a", [16], 0, 0), tensor("b", [16], 0, 32)]) + bytes(200),
        "overlaps",
    ),
    "beyond the end": (header(tensors=[tensor("a", [2**40], 0, 0)]), "beyond the end"),
    "an impossible shape": (header(tensors=[tensor("a", [2**60] * 4, 0, 0)]), "shape"),
    "many dimensions": (header(tensors=[tensor("a", [1] * 99, 0, 0)]), "99 dimensions"),
    "not aligned": (header(tensors=[tensor("a", [1], 0, 5)]) + bytes(99), "may begin"),
    "half a block": (header(tensors=[tensor("a", [33], 2, 0)]) + bytes(99), "blocks"),
}


@pytest.mark.threat(39)
@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_header_is_a_problem(tmp_path: Path, case: str) -> None:
    content, problem = HOSTILE[case]
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    part = inspected(path)
    assert part.problem is not None
    assert problem in part.problem


@pytest.mark.threat(39)
def test_a_hundred_thousand_and_one_words_are_stepped_over(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    count = 100_001
    words = text("w") + struct.pack("<IIQ", 9, 8, count) + text("word") * count
    path.write_bytes(header([words]))
    assert inspected(path).settings == {
        "w": "100,001 texts, " + digest_of_list(text("word") * count)
    }


def test_a_type_that_is_not_known_is_named_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(header(tensors=[tensor("a", [32], 999, 0)]) + bytes(100))
    part = inspected(path)
    assert part.problem is None
    assert part.tensors == (Tensor(name="a", dtype="type_999", shape=(32,)),)


@pytest.mark.threat(39)
def test_every_truncation_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    written(path)
    content = path.read_bytes()
    end = max(
        place.offset + place.size_bytes for place in read_at(gguf.locate(source(path))).values()
    )
    for size in range(0, end, 7):
        path.write_bytes(content[:size])
        assert inspected(path).problem is not None or size == 0, size


def quantised(path: Path, values: Any, kind: Any) -> None:
    writer = GGUFWriter(path, "llama")
    writer.add_tensor("w", quants.quantize(values, kind), raw_dtype=kind)
    writer.add_tensor("norm", np.ones(4, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "BF16", "TQ2_0"])
def test_quantised_weights_are_compared(tmp_path: Path, kind: str) -> None:
    kind_ = getattr(GGMLQuantizationType, kind)
    values = np.random.default_rng(0).normal(size=(6, 256)).astype(np.float32)
    quantised(tmp_path / "old", values, kind_)
    quantised(tmp_path / "new", values * 3, kind_)
    found = compare_weights({"m.gguf": tmp_path / "old"}, {"m.gguf": tmp_path / "new"})
    assert found.not_compared == ()
    changes = {one.name: one for one in found.changes}
    sides = [
        quants.dequantize(quants.quantize(values * factor, kind_), kind_).astype(np.float64)
        for factor in (1, 3)
    ]
    expected = np.linalg.norm(sides[1] - sides[0]) / np.linalg.norm(sides[0])
    assert changes["w"].distance == pytest.approx(expected, rel=1e-4)
    assert changes["norm"].distance == 0


@pytest.mark.parametrize("kind", ["Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_XS"])
def test_kinds_that_only_llama_cpp_writes_are_compared(tmp_path: Path, kind: str) -> None:
    kind_ = getattr(GGMLQuantizationType, kind)
    block, width = GGML_QUANT_SIZES[kind_]
    chance = np.random.default_rng(1)
    for name in ("old", "new"):
        raw = chance.integers(0, 60, (3, 2 * width), dtype=np.uint8)  # no infinite scales
        writer = GGUFWriter(tmp_path / name, "llama")
        writer.add_tensor("w", raw, raw_dtype=kind_)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    found = compare_weights({"m.gguf": tmp_path / "old"}, {"m.gguf": tmp_path / "new"})
    assert (found.compared, found.not_compared) == (1, ())
    assert found.changes[0].distance != 0
    part = inspected(tmp_path / "old")
    assert part.tensors[0].shape == (3, 2 * block)


def test_a_quantised_model_is_compared_with_the_one_it_was_made_of(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(4, 64)).astype(np.float32)
    save_file({"w": values}, tmp_path / "m.safetensors")
    quantised(tmp_path / "m.gguf", values, GGMLQuantizationType.Q8_0)
    found = compare_weights(
        {"m.safetensors": tmp_path / "m.safetensors"}, {"m.gguf": tmp_path / "m.gguf"}
    )
    (change,) = found.changes
    assert change.name == "w"
    assert change.distance is not None
    assert 0 < change.distance < 0.01


def test_kinds_that_nobody_reads_are_not_compared(tmp_path: Path) -> None:
    for name, byte in (("old", 1), ("new", 2)):
        content = header([], [tensor("w", [32], 9, 0)])  # q8_1
        content += bytes(-len(content) % 32) + bytes([byte]) * 40
        (tmp_path / name).write_bytes(content)
    found = compare_weights({"m.gguf": tmp_path / "old"}, {"m.gguf": tmp_path / "new"})
    why = "values of the type q8_1 are not read"
    assert (found.changes, found.not_compared) == ((), (NotCompared(name="w", reason=why),))


def test_two_texts_that_are_no_utf_8_are_two(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    written(path)
    content = path.read_bytes()
    found = []
    for other in (b"\xff", b"\xfe"):
        path.write_bytes(content.replace(b"small | <b>", b"small | <b" + other))
        found.append(inspected(path).settings["general.name"])
    assert found == ["small | <b\\xff", "small | <b\\xfe"]
