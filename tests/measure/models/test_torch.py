"""PyTorch's files, written by PyTorch, and zips that two readers would see differently."""

from __future__ import annotations

import io
import pickle
import struct
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assent.core.diff.sameness import NotCompared
from assent.core.inspection import Tensor
from assent.measure.models import compare_weights
from assent.measure.models.formats import torch_legacy, torch_zip
from assent.measure.models.located import Located
from assent.measure.models.reader import ReadError
from assent.measure.models.wire import zips
from assent.measure.models.wire.source import Source
from tests.measure.models.looking import look, look_at, whats
from tests.measure.models.reading import located as read_at
from tests.measure.models.reading import source_of

torch = pytest.importorskip("torch")
hostile = pytest.mark.threat(39)

OS_SYSTEM = b"cos\nsystem\n(X\x04\0\0\0truetR."


@pytest.fixture(scope="module")
def net() -> Any:
    torch.manual_seed(0)
    layers = torch.nn
    return layers.Sequential(layers.Linear(4, 3), layers.BatchNorm1d(3), layers.Linear(3, 1))


def saved(value: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


def expected(state: dict[str, Any], prefix: str = "") -> tuple[Tensor, ...]:
    return tuple(
        Tensor(
            name=prefix + name,
            dtype=str(tensor.dtype).removeprefix("torch."),
            shape=tuple(tensor.shape),
        )
        for name, tensor in state.items()
    )


@pytest.mark.parametrize("is_zip", [True, False])
def test_a_state_dictionary(tmp_path: Path, net: Any, is_zip: bool) -> None:
    content = saved(net.state_dict(), _use_new_zipfile_serialization=is_zip)
    for file in ("model.pt", "pytorch_model.bin", "weights"):
        part = look_at(tmp_path, content, file)
        assert (part.problem, part.dangers, part.code) == (None, (), ())
        assert part.format == ("pytorch" if is_zip else "pytorch-legacy")
        assert part.tensors == expected(net.state_dict())
        assert part.parameters == sum(one.numel() for one in net.state_dict().values())
        assert part.imports == (
            "collections.OrderedDict",
            "torch.FloatStorage",
            "torch.LongStorage",
            "torch._utils._rebuild_tensor_v2",
        )


@pytest.mark.parametrize("is_zip", [True, False])
def test_a_whole_module_names_its_classes(tmp_path: Path, net: Any, is_zip: bool) -> None:
    content = saved(net, _use_new_zipfile_serialization=is_zip)
    part = look_at(tmp_path, content, "model.pth")
    assert (part.problem, part.dangers) == (None, ())
    assert part.tensors == tuple(sorted(expected(net.state_dict()), key=_order(part.tensors)))
    assert part.settings["class"] == "torch.nn.modules.container.Sequential"
    assert "torch.nn.modules.linear.Linear" in part.imports
    if not is_zip:  # PyTorch wrote the source code of the classes beside them
        assert "source code of torch.nn.modules.linear.Linear" in part.code


def _order(tensors: tuple[Tensor, ...]) -> Any:
    names = [tensor.name for tensor in tensors]
    return lambda tensor: names.index(tensor.name)


def test_a_checkpoint(tmp_path: Path, net: Any) -> None:
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.zeros(2, 4)).sum().backward()
    optimizer.step()
    checkpoint = {"epoch": 3, "model": net.state_dict(), "optimizer": optimizer.state_dict()}
    part = look_at(tmp_path, saved(checkpoint), "last.ckpt")
    assert part.problem is None
    assert part.settings["epoch"] == 3
    names = {tensor.name for tensor in part.tensors}
    assert {"model.0.weight", "optimizer.state.0.exp_avg"} <= names


def test_types_views_and_shared_tensors(tmp_path: Path) -> None:
    weight = torch.arange(12.0).reshape(3, 4)
    values = {
        "tied": weight,
        "again": weight,
        "view": weight[1:, :2],
        "half": torch.zeros(2, dtype=torch.bfloat16),
        "eight": torch.zeros(2, dtype=torch.float8_e4m3fn),
        "flag": torch.tensor(True),
        "none": torch.zeros(0, 5),
        "parameter": torch.nn.Parameter(torch.zeros(2, dtype=torch.float64)),
    }
    path = tmp_path / "m.pt"
    path.write_bytes(saved(values))
    part = look(path)
    assert part.problem is None
    assert part.tensors == expected(values)
    assert part.parameters == 12 + 4 + 2 + 2 + 1 + 0 + 2
    found = located(path)
    assert set(found) == set(values) - {"view"}  # its numbers do not lie side by side
    assert found["half"].dtype == "bfloat16"
    assert found["tied"].offset == found["again"].offset


def test_where_the_numbers_lie(tmp_path: Path, net: Any) -> None:
    path = tmp_path / "m.pt"
    path.write_bytes(saved(net.state_dict()))
    found = located(path)
    assert list(found) == list(net.state_dict())
    for name, tensor in net.state_dict().items():
        place = found[name]
        stored = np.memmap(place.path, place.dtype, "r", place.offset, place.shape or (1,))
        assert np.array_equal(stored.reshape(place.shape), tensor.numpy())
        assert place.size_bytes == tensor.numel() * tensor.element_size()


def located(path: Path) -> dict[str, Located]:
    return read_at(torch_zip.locate(source_of(path)))


def test_the_code_of_torchscript_is_listed(tmp_path: Path, net: Any) -> None:
    path = tmp_path / "script.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated, and in use
        torch.jit.save(torch.jit.script(net.eval()), str(path))
    part = look(path)
    assert (part.problem, part.dangers, part.format) == (None, (), "torchscript")
    assert part.tensors == expected(net.state_dict())
    assert len(part.code) >= 3
    assert all(one.startswith("code/") and " sha256:" in one for one in part.code)
    assert not [name for name in part.imports if name.startswith("__torch__")]


def test_a_tensor_that_is_pickled_carries_the_old_format(tmp_path: Path) -> None:
    part = look_at(tmp_path, pickle.dumps({"w": torch.zeros(3)}))
    assert (part.problem, part.dangers) == (None, ())
    assert {"torch.storage._load_from_bytes", "torch.FloatStorage"} <= set(part.imports)


# Zips that are not what they seem.


def zipped(members: dict[str, bytes], **options: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


HARMLESS = pickle.dumps({"a": 1}, protocol=2)


@hostile
def test_every_member_that_begins_like_a_pickle_is_walked(tmp_path: Path) -> None:
    for name in ("archive/constants.pkl", "archive/data/0", "archive/x.txt", "other.pkl"):
        content = zipped({"archive/data.pkl": HARMLESS, name: OS_SYSTEM})
        part = look_at(tmp_path, content, "m.pt")
        assert "os.system" in part.imports, name
        if not name.endswith(".pkl"):
            assert "a pickle where there should be none" in whats(part)
    content = zipped({"archive/data.pkl": HARMLESS + OS_SYSTEM})
    assert any("behind the end" in what for what in whats(look_at(tmp_path, content, "m.pt")))
    content = zipped({"archive/data.pkl": HARMLESS, "x/data.pkl": OS_SYSTEM})
    part = look_at(tmp_path, content, "m.pt")
    assert "two pickles of PyTorch in one zip" in whats(part)
    assert "os.system" in part.imports


@hostile
def test_a_zip_that_two_readers_see_differently(tmp_path: Path) -> None:
    plain = zipped({"a/data.pkl": OS_SYSTEM, "a/version": b"3"})

    def danger(content: bytes) -> list[str]:
        part = look_at(tmp_path, content, "m.pt")
        assert "os.system" in part.imports
        return whats(part)

    assert danger(plain) == []
    # The name in front of the member is another one than in the directory.
    other = plain.replace(b"a/data.pkl", b"a/datap.kl", 1)
    assert "a zip whose directory and members disagree" in danger(other)
    # A checksum that does not fit: zipfile stops, PyTorch does not.
    wrong = plain.replace(b"truetR", b"TRUEtR", 1)
    assert "a checksum that does not fit" in danger(wrong)
    # The flag of encryption in the directory only, or in both.
    directory = plain.index(b"PK\x01\x02")
    flagged = bytearray(plain)
    flagged[directory + 8] |= 1
    assert "an encrypted member in a zip" in danger(bytes(flagged))
    assert "a zip whose directory and members disagree" in danger(bytes(flagged))
    flagged[6] |= 1
    assert "an encrypted member in a zip" in danger(bytes(flagged))
    # Two members of one name.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("a/data.pkl", HARMLESS)
            archive.writestr("a/data.pkl", OS_SYSTEM)
    assert "two members of one name in a zip" in danger(buffer.getvalue())
    # Bytes between the members and the directory.
    with_gap = _moved(plain, b"x" * 50)
    assert "bytes in a zip that belong to no member" in danger(with_gap)
    # A second directory, in a comment.
    buffer = io.BytesIO(plain)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = b"PK\x05\x06" + b"\0" * 17
    assert look_at(tmp_path, buffer.getvalue(), "m.pt").problem is not None
    # A member that leads out, and a link.
    assert "a path that leads out of the zip" in danger(
        zipped({"a/data.pkl": OS_SYSTEM, "../../x": b""})
    )
    buffer = io.BytesIO(plain)
    with zipfile.ZipFile(buffer, "a") as archive:
        info = zipfile.ZipInfo("a/link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    assert "a link or a device in a zip" in danger(buffer.getvalue())
    assert not (tmp_path.parent / "x").exists()


def _moved(content: bytes, gap: bytes) -> bytes:
    """The zip with bytes in front of its directory, which says so."""
    directory, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    record = bytearray(content[end:])
    record[16:20] = struct.pack("<I", directory + len(gap))
    return content[:directory] + gap + content[directory:end] + bytes(record)


@hostile
def test_a_zip_behind_something_else_is_no_zip(tmp_path: Path) -> None:
    part = look_at(tmp_path, HARMLESS + zipped({"a/data.pkl": OS_SYSTEM}), "m.pt")
    assert part.format == "pickle"
    assert any("behind the end" in what for what in whats(part))
    content = zipped({"a/data.pkl": OS_SYSTEM})
    part = look_at(tmp_path, b"PK\x03\x04" + b"\0" * 60 + content, "m.pt")
    assert part.problem is not None or part.dangers


@hostile
def test_sizes_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = saved({"w": torch.arange(100.0)})

    def problem(content: bytes) -> str:
        return look_at(tmp_path, content, "m.pt").problem or ""

    assert problem(good) == ""
    assert problem(good[: len(good) // 2])
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    main = next(name for name in members if name.endswith("data.pkl"))
    for old, new in (
        (b"Kdtq", b"\x8a\x07" + b"\xff" * 6 + b"\x0ftq"),  # a storage of exabytes
        (b"QK\x00Kd\x85", b"QK\x00\x8a\x07" + b"\xff" * 6 + b"\x0f\x85"),  # a tensor of them
        (b"QK\x00Kd\x85", b"QK\x01Kd\x85"),  # one item too far
        (b"QK\x00Kd\x85", b"QK\x00J\xff\xff\xff\xff\x85"),
    ):
        assert old in members[main]
        other = {**members, main: members[main].replace(old, new, 1)}
        assert problem(zipped(other)), old
        (tmp_path / "other.pt").write_bytes(zipped(other))
        if old.startswith(b"Q"):  # a tensor; a storage that lies may hold tensors that do not
            with pytest.raises(ReadError):
                located(tmp_path / "other.pt")
    without = {name: content for name, content in members.items() if "/data/" not in name}
    assert "is not in the file" in problem(zipped(without))

    bomb = {"a/data.pkl": b"\x80\x02C" + b"\0" * 10_000_000}
    packed = zipped(bomb, compression=zipfile.ZIP_DEFLATED)
    shrunk = packed.replace(struct.pack("<I", 10_000_003), struct.pack("<I", 1000))
    assert "larger than it says" in problem(shrunk)
    many = zipped({f"{number}": b"" for number in range(50)} | {"a/data.pkl": HARMLESS})
    monkeypatch.setattr(zips, "MAX_MEMBERS", 50)
    assert "members" in problem(many)
    monkeypatch.setattr(zips, "MAX_DIRECTORY", 100)
    assert "directory" in problem(many)


@hostile
def test_members_that_overlap(tmp_path: Path) -> None:
    content = zipped({"a/data.pkl": HARMLESS, "a/b": b"1" * 50})
    second = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 4)
    lie = bytearray(content)
    lie[second + 42 : second + 46] = struct.pack("<I", 0)
    assert look_at(tmp_path, bytes(lie), "m.pt").problem is not None


@hostile
def test_machine_code_in_the_archive(tmp_path: Path) -> None:
    content = zipped({"a/data.pkl": HARMLESS, "a/x.so": b"\x7fELF"})
    assert "machine code in the archive" in whats(look_at(tmp_path, content, "m.pt"))


@hostile
def test_the_old_format_does_not_hide_anything(tmp_path: Path) -> None:
    old = saved({"w": torch.arange(4.0)}, _use_new_zipfile_serialization=False)
    assert look_at(tmp_path, old, "m.pt").dangers == ()
    part = look_at(tmp_path, old + OS_SYSTEM, "m.pt")
    assert any("behind the end of the tensors" in what for what in whats(part))
    assert look_at(tmp_path, old[:-4], "m.pt").problem is not None
    count = struct.pack("<q", 4)
    assert old.count(count) == 1
    part = look_at(tmp_path, old.replace(count, struct.pack("<q", 2**60)), "m.pt")
    assert "not in the file" in (part.problem or "")
    system = saved({"w": torch.arange(4.0)}, _use_new_zipfile_serialization=False)
    hidden = system.replace(b"protocol_version", b"protocol_versioN")
    assert look_at(tmp_path, hidden, "m.pt").problem is None
    magic = old[: old.index(b"\x80\x02M")]
    assert "os.system" in look_at(tmp_path, magic + OS_SYSTEM, "m.pt").imports


@hostile
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.tar", b"m" + b"\0" * 256 + b"ustar\x0000" + b"\0" * 300),
        ("m.pt", b"storages" + b"\0" * 249 + b"ustar  \0" + b"\0" * 300),
        ("m.pt.7z", b"7z\xbc\xaf\x27\x1c" + b"\0" * 40),
        ("m.rar", b"Rar!\x1a\x07\x00" + b"\0" * 40),
        ("m.zip", zipped({"x/model.pkl": OS_SYSTEM})),
        ("m.dat", zipped({"x/model.pkl": OS_SYSTEM})),
        ("m.tar.gz", b"\x1f\x8b\x08" + b"\0" * 40),
    ],
)
def test_other_archives_are_refused_by_name(tmp_path: Path, name: str, content: bytes) -> None:
    part = look_at(tmp_path, content, name)
    assert part.format == "archive"
    assert part.problem is not None
    if content.startswith(b"PK"):
        assert "os.system" in part.imports


def test_what_is_no_file_of_pytorch(tmp_path: Path) -> None:
    assert look_at(tmp_path, zipped({"a": b"b"}), "m.pt").problem is not None
    (tmp_path / "m.zip").write_bytes(zipped({"a": b"b"}))
    assert located(tmp_path / "m.zip") == {}


@hostile
def test_deflated_members_are_looked_into_up_to_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = b"\x00\x00\x00\xff\xff" * 30_000  # blocks of nothing, then the pickle
    members = {"a/data.pkl": HARMLESS, "a/data/0": b"N" * 2_000_000 + OS_SYSTEM}
    packed = zipped(members, compression=zipfile.ZIP_DEFLATED)
    path = tmp_path / "m.pt"
    path.write_bytes(packed)
    archive = zips.open_archive(path)
    member = archive.members["a/data/0"]
    assert archive.head(member, 10) == b"N" * 10
    source = Source(late + zlib_raw(OS_SYSTEM))
    hidden = zips.Member(
        name="x",
        start=0,
        packed_bytes=source.size_bytes,
        size_bytes=len(OS_SYSTEM),
        is_deflated=True,
        crc=0,
    )
    assert zips.Archive(source, {}, []).head(hidden, 100) == OS_SYSTEM
    monkeypatch.setattr(zips, "MAX_UNPACKED", 1_000_000)
    with pytest.raises(ReadError, match="too large"):
        archive.read(member)


def zlib_raw(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush()


@hostile
def test_a_file_for_two_readers_says_so(tmp_path: Path) -> None:
    """Keras would read this one, and run what its `config.json` says."""
    both = zipped({"a/data.pkl": HARMLESS, "config.json": b"{}", "model.weights.h5": b""})
    part = look_at(tmp_path, both, "model.bin")
    assert "a member that PyTorch does not write" in whats(part)


# Files of before 1.6


def legacy(storages: dict[str, Any], tensors: dict[str, tuple[str, int, tuple[int, ...]]]) -> bytes:
    """A file as PyTorch wrote it under Python 2: protocol 2, texts of bytes, an ordered dictionary
    made of a list of pairs, tensors rebuilt by the older function.
    """

    def text(value: str) -> bytes:
        return b"U" + bytes([len(value)]) + value.encode()

    def integer(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    def sizes(*values: int) -> bytes:
        return b"(" + b"".join(map(integer, values)) + b"t"

    def stored(key: str) -> bytes:
        kind = b"ctorch\nFloatStorage\n"
        place = text(key) + text("cuda:0") + integer(storages[key].size)
        return b"(" + text("storage") + kind + place + b"NtQ"

    model = b"\x80\x02ccollections\nOrderedDict\n]("
    for name, (key, first, shape) in tensors.items():
        strides = tuple(int(np.prod(shape[at + 1 :])) for at in range(len(shape)))
        rebuilt = b"ctorch._utils\n_rebuild_tensor\n(" + stored(key) + integer(first)
        rebuilt += sizes(*shape) + sizes(*strides) + b"tR"
        model += b"](" + text(name) + rebuilt + b"e"
    model += b"e\x85R."
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}
    head = b"".join(pickle.dumps(one, 2) for one in (0x1950A86A20F9469CFC6C, 1001, system))
    keys = b"\x80\x02](" + b"".join(map(text, storages)) + b"e."
    numbers = b"".join(
        struct.pack("<q", one.size) + one.astype("<f4").tobytes() for one in storages.values()
    )
    return head + model + keys + numbers


STORED = {"100": np.arange(6.0), "200": np.array([7.0, 8.0, 9.0])}
NAMED = {"conv.weight": ("100", 0, (2, 3)), "conv.bias": ("200", 1, (2,))}


def test_a_file_that_python_2_wrote(tmp_path: Path) -> None:
    content = legacy(STORED, NAMED)
    part = look_at(tmp_path, content, "net.pth")
    assert (part.problem, part.left_out, part.dangers) == (None, None, ())
    assert part.tensors == (
        Tensor(name="conv.weight", dtype="float32", shape=(2, 3)),
        Tensor(name="conv.bias", dtype="float32", shape=(2,)),
    )
    assert part.parameters == 8
    loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=False)
    assert {name: tuple(one.shape) for name, one in loaded.items()} == {
        one.name: one.shape for one in part.tensors
    }
    places = read_at(torch_legacy.locate(source_of(tmp_path / "net.pth")))
    for name, tensor in loaded.items():
        place = places[name]
        values = np.frombuffer(content, "<f4", tensor.numel(), place.offset)
        assert np.array_equal(values.reshape(place.shape), tensor.numpy())


def test_storages_in_no_tensor_are_said_to_be_left_out(tmp_path: Path) -> None:
    part = look_at(tmp_path, legacy(STORED, NAMED), "net.pth")
    assert part.left_out is None
    odd = legacy(STORED, NAMED).replace(b"_rebuild_tensor\n", b"_rebuild_strange\n")
    part = look_at(tmp_path, odd, "odd.pth")
    assert (part.tensors, part.parameters) == ((), None)
    assert part.left_out == "2 of its 2 storages, which are in no tensor that is understood"


@pytest.mark.parametrize("is_zip", [True, False])
def test_values_in_another_order_of_dimensions(tmp_path: Path, is_zip: bool) -> None:
    """A convolution that was laid out for a GPU is compared with another that was."""
    turned = torch.arange(6.0).reshape(2, 3).t()
    sides = []
    for number, value in enumerate((turned, turned * 2, turned.contiguous())):
        path = tmp_path / f"{number}.pt"
        path.write_bytes(saved({"w": value}, _use_new_zipfile_serialization=is_zip))
        sides.append({"m.pt": path})
    found = compare_weights(sides[0], sides[1])
    assert [(one.name, one.distance) for one in found.changes] == [("w", 1.0)]
    other = compare_weights(sides[0], sides[2])
    why = "its values lie in another order than those of the other side"
    assert other.not_compared == (NotCompared(name="w", reason=why),)


def test_the_same_tensors_in_all_formats_of_pytorch_and_in_safetensors(
    tmp_path: Path, net: Any
) -> None:
    from safetensors.torch import save_file

    state = net.state_dict()
    old = {"_use_new_zipfile_serialization": False}
    (tmp_path / "a.bin").write_bytes(saved(state))
    (tmp_path / "b.bin").write_bytes(saved(state, **old))
    (tmp_path / "c.ckpt").write_bytes(saved({"epoch": 3, "state_dict": state}))
    (tmp_path / "d.ckpt").write_bytes(
        saved({"model": {f"module.{key}": value for key, value in state.items()}}, **old)
    )
    save_file(state, tmp_path / "e.safetensors")
    for path in sorted(tmp_path.iterdir()):
        found = compare_weights({path.name: path}, {"e.safetensors": tmp_path / "e.safetensors"})
        assert {one.name for one in found.changes} == set(state), path.name
        assert all(one.distance == 0 for one in found.changes)
        assert found.not_compared == ()


OTHERS: dict[str, tuple[Any, Any]] = {
    "a list": ({"classes": ["cat", "dog"]}, {"classes": ["dog", "cat"]}),
    "inside of others": ({"hyper": {"a": {"b": 1}}}, {"hyper": {"a": {"b": 2}}}),
    "an array": ({"mean": np.zeros(2)}, {"mean": np.ones(2)}),
    "the optimizer": (
        {"optimizer": {"param_groups": [{"lr": 0.1}]}},
        {"optimizer": {"param_groups": [{"lr": 0.2}]}},
    ),
    "long text": ({"text": "x" * 300 + "a"}, {"text": "x" * 300 + "b"}),
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("is_new", [True, False])
def test_what_is_no_tensor_is_compared_or_said_to_be_left_out(
    tmp_path: Path, name: str, is_new: bool
) -> None:
    parts = []
    for at, more in enumerate(OTHERS[name]):
        path = tmp_path / f"{at}.pt"
        values = {"w": torch.ones(2), **more}
        torch.save(values, path, _use_new_zipfile_serialization=is_new)
        parts.append(look(path))
    assert parts[0].settings != parts[1].settings or all(part.left_out for part in parts)


def trained(rate: float = 0.1, weight: float = 1.0, **more: Any) -> Any:
    """A module whose layers are in others, as it is after some training."""
    net = torch.nn.Sequential(
        torch.nn.Linear(3, 2), torch.nn.Sequential(torch.nn.Dropout(rate), torch.nn.BatchNorm1d(2))
    )
    torch.nn.init.constant_(net[0].weight, weight)
    torch.nn.init.constant_(net[0].bias, 0.5)
    for name, value in more.items():
        setattr(net, name, value)
    return net


def with_state(weight: float, **more: Any) -> dict[str, Any]:
    return {"w": torch.full((2,), weight), **more}


BESIDE: dict[str, tuple[Any, Any]] = {
    "a rate in a layer": (trained(), trained(0.2, 3.0)),
    "an attribute of its own": (trained(_gain=1), trained(weight=3.0, _gain=2)),
    "whether it trains": (trained(), trained(weight=3.0).eval()),
    "a name with a line": (with_state(1, _conf={"d": 0.1}), with_state(3, _conf={"d": 0.2})),
    "a line alone": (with_state(1, _conf=1), with_state(3, _conf=2)),
    "what it was trained by": (with_state(1, training={"e": 1}), with_state(3, training={"e": 2})),
    "a list": (with_state(1, words=["a", "b"]), with_state(3, words=["b", "a"])),
    "another type": (with_state(1, a=[1]), with_state(3, a=[True])),
    "an empty one": (with_state(1), with_state(3, more={})),
}


@pytest.mark.parametrize("name", BESIDE)
@pytest.mark.parametrize("is_zip", [True, False])
def test_what_is_no_tensor_is_compared_though_weights_moved(
    tmp_path: Path, name: str, is_zip: bool
) -> None:
    parts = []
    for at, value in enumerate(BESIDE[name]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whole modules are not what PyTorch recommends
            content = saved(value, _use_new_zipfile_serialization=is_zip)
        parts.append(look_at(tmp_path, content, f"{at}.pt"))
    assert {part.left_out for part in parts} == {None}
    assert parts[0].settings != parts[1].settings


SAME: dict[str, tuple[Any, Any]] = {
    "only weights moved": (trained(), trained(weight=3.0)),
    "a state in another order": (with_state(1, b=torch.ones(1)), {"b": torch.ones(1), "w": 0}),
    "shared and repeated": ([words := ["a"], words], [["a"], ["a"]]),
    "a set": (with_state(1, s={"a", "bc", "def"}), with_state(1, s={"def", "bc", "a"})),
}
SAME["a state in another order"][1]["w"] = torch.zeros(2)


@pytest.mark.parametrize("name", SAME)
def test_what_is_no_tensor_is_the_same_however_it_was_written(tmp_path: Path, name: str) -> None:
    first, second = (
        look_at(tmp_path, saved(value), f"{at}.pt") for at, value in enumerate(SAME[name])
    )
    assert first.settings == second.settings


def test_a_value_that_holds_itself_or_is_too_deep_ends(tmp_path: Path) -> None:
    around: list[Any] = [1]
    around.append(around)
    assert look_at(tmp_path, saved(around), "a.pt").left_out is None
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    part = look_at(tmp_path, saved(deep), "d.pt")
    assert (part.problem, part.left_out) == (None, "values in it that could not be followed")


def test_nothing_is_left_out_of_a_state_dictionary(tmp_path: Path) -> None:
    layers = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    torch.save({"state_dict": layers.state_dict(), "epoch": 3}, tmp_path / "m.pt")
    assert look(tmp_path / "m.pt").left_out is None


def test_other_code_of_torchscript_is_a_change(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(torch.nn.ReLU()).save(tmp_path / "a.pt")
    with zipfile.ZipFile(tmp_path / "a.pt") as old, zipfile.ZipFile(tmp_path / "b.pt", "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith(".py"):
                content += b"# other code\n"
            new.writestr(name, content)
    before, after = (look(tmp_path / name) for name in ("a.pt", "b.pt"))
    assert before.settings["code and constants"] != after.settings["code and constants"]
