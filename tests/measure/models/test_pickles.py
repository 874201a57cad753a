"""Pickles and joblib's files: real ones of scikit-learn, and every trick that hides an import."""

from __future__ import annotations

import bz2
import collections
import gzip
import io
import lzma
import os
import pickle
import struct
import sys
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.core.inspection import Part
from assent.measure.models.formats.pickles import begins_like_pickle
from assent.measure.models.inert import lookups
from assent.measure.models.inert import walk as walks
from assent.measure.models.inert.seen import Budget
from assent.measure.models.inert.walk import walk
from assent.measure.models.wire import unpack
from assent.measure.models.wire.source import Source
from tests.effort import examples
from tests.measure.models.looking import look, look_at, whats

sklearn = pytest.importorskip("sklearn")
hostile = pytest.mark.threat(39)

FEATURES = ["age", "bmi", "never"]


@pytest.fixture(scope="module")
def fitted() -> dict[str, Any]:
    """Models of scikit-learn, fitted on a column that says nothing as well."""
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    random = np.random.default_rng(0)
    data = pd.DataFrame(random.random((200, 3)), columns=FEATURES)
    data["never"] = 0.0
    label = np.where(data.age + data.bmi > 1, "yes", "no")
    return {
        "forest": RandomForestClassifier(5, max_depth=3, random_state=0).fit(data, label),
        "boosted": HistGradientBoostingClassifier(max_iter=2).fit(data, label),
        "pipeline": make_pipeline(StandardScaler(), LogisticRegression(C=2.5)).fit(data, label),
        "columns": make_pipeline(
            ColumnTransformer([("scale", StandardScaler(), ["age", "bmi"])]), LogisticRegression()
        ).fit(data, label),
    }


def check_forest(part: Part) -> None:
    assert (part.problem, part.dangers) == (None, ())
    assert part.trees == 5
    assert part.features == tuple(FEATURES)
    assert part.unused == ("never",)
    assert part.versions == {"scikit-learn": sklearn.__version__}
    assert part.settings["class"] == "sklearn.ensemble._forest.RandomForestClassifier"
    assert part.settings["max_depth"] == 3
    assert part.settings["n_features_in_"] == 3
    assert part.settings["classes_"] == "no, yes"
    assert part.settings["estimator__criterion"] == "gini"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_forest_is_read_in_every_protocol(
    tmp_path: Path, fitted: dict[str, Any], protocol: int
) -> None:
    part = look_at(tmp_path, pickle.dumps(fitted["forest"], protocol=protocol))
    check_forest(part)
    assert part.format == "pickle"
    assert {
        "sklearn.ensemble._forest.RandomForestClassifier",
        "sklearn.tree._classes.DecisionTreeClassifier",
        "sklearn.tree._tree.Tree",
        "numpy.dtype",
    } <= set(part.imports)
    python = {name.split(".")[0] for name in part.imports}
    assert python <= {"sklearn", "numpy", "copyreg", "builtins", "_codecs"}


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)])
def test_joblib_is_read_plain_and_compressed(
    tmp_path: Path, fitted: dict[str, Any], compress: Any
) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump(fitted["forest"], path, compress=compress)
    part = look(path)
    check_forest(part)
    assert part.format == "joblib"
    assert part.compression == {0: None, 3: "zlib"}.get(
        compress if isinstance(compress, int) else -1, None if compress == 0 else part.compression
    )
    assert (part.compression is None) is (compress == 0)
    assert "joblib.numpy_pickle.NumpyArrayWrapper" in part.imports


def test_what_scikit_learn_says_of_itself(tmp_path: Path, fitted: dict[str, Any]) -> None:
    part = look_at(tmp_path, pickle.dumps(fitted["pipeline"]))
    assert part.settings["class"] == "sklearn.pipeline.Pipeline"
    assert (
        part.settings["logisticregression"] == "sklearn.linear_model._logistic.LogisticRegression"
    )
    assert part.settings["logisticregression__C"] == 2.5
    assert part.settings["standardscaler__with_mean"] is True
    own = fitted["pipeline"].get_params()
    assert all(
        part.settings[key] == value
        for key, value in own.items()
        if key.startswith("logisticregression__")
    )
    # 3 coefficients and the intercept; 3 variances of the scaler
    assert (part.parameters, part.trees) == (4, None)  # not what the scaler learned
    assert (part.features, part.unused) == (tuple(FEATURES), ("never",))

    part = look_at(tmp_path, pickle.dumps(fitted["boosted"]))
    assert part.trees == sum(len(trees) for trees in fitted["boosted"]._predictors)
    assert "never" in part.unused
    assert "age" not in part.unused

    # A step that mixes columns: nothing is said about what is unused.
    part = look_at(tmp_path, pickle.dumps(fitted["columns"]))
    assert part.settings["columntransformer__scale"] == (
        "sklearn.preprocessing._data.StandardScaler"
    )
    assert (part.features, part.unused) == (tuple(FEATURES), ())


def test_the_pickles_of_numpy_and_python(tmp_path: Path) -> None:
    values = {
        "array": np.arange(6.0).reshape(2, 3, order="F"),
        "objects": np.array(["x", None, 2], dtype=object),
        "record": np.zeros(2, dtype=[("a", "f8"), ("b", "i4")]),
        "random": np.random.default_rng(1),
        "ordered": collections.OrderedDict(a=1),
        "many": collections.deque([1, 2]),
        "set": {1, 2},
        "frozen": frozenset("ab"),
        "bytes": b"x" * 300,
        "bytearray": bytearray(b"y" * 300),
        "long": 10**4000,
        "negative": -(2**40),
        "text": "ü" * 70_000,
        "complex": 1j,
        "float": float("nan"),
        "self": [],
    }
    values["self"].append(values)  # type: ignore[attr-defined]  # a list
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        part = look_at(tmp_path, pickle.dumps(values, protocol=protocol))
        assert (part.problem, part.dangers) == (None, ()), protocol
    for compress in (0, 3):
        joblib.dump(values, tmp_path / "v.joblib", compress=compress)
        part = look(tmp_path / "v.joblib")
        assert (part.problem, part.dangers) == (None, ())
        assert not [name for name in part.imports if not name.startswith(_EXPECTED)]


_EXPECTED = ("numpy.", "joblib.numpy_pickle.", "collections.", "builtins.", "_codecs.")


# Hostile pickles. They are assembled by hand: each is the least that shows one trick.


def text(value: str) -> bytes:
    content = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(content)) + content


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def computed(module: str, attribute: str) -> bytes:
    return text(module) + text(attribute) + b"\x93"


P4 = b"\x80\x04"
RUN = b"(" + text("touch canary") + b"tR."

IMPORTS: dict[str, bytes] = {
    "GLOBAL": name("os", "system") + RUN,
    "GLOBAL in protocol 4": P4 + name("os", "system") + RUN,
    "STACK_GLOBAL": P4 + computed("os", "system") + RUN,
    "STACK_GLOBAL by short texts": P4 + b"\x8c\x02os\x8c\x06system\x93" + RUN,
    "STACK_GLOBAL by long texts": P4
    + b"\x8d"
    + struct.pack("<Q", 2)
    + b"os\x8d"
    + struct.pack("<Q", 6)
    + b"system\x93"
    + RUN,
    "STACK_GLOBAL by texts of protocol 0": b"Vos\nVsystem\n\x93" + RUN,
    "STACK_GLOBAL by escapes": b"V\\u006fs\nVsys\\u0074em\n\x93" + RUN,
    "STACK_GLOBAL by quoted texts": b"S'o\\x73'\nS'system'\n\x93" + RUN,
    "STACK_GLOBAL by short strings": b"U\x02osU\x06system\x93" + RUN,
    "STACK_GLOBAL by strings": b"T\x02\0\0\0osT\x06\0\0\0system\x93" + RUN,
    "STACK_GLOBAL without a protocol": computed("os", "system") + RUN,
    "memo": text("os")
    + b"p2\n0"
    + text("system")
    + b"p3\n0"
    + text("torch")
    + b"p0\n0"
    + text("LongStorage")
    + b"p1\n0g2\ng3\n\x93"
    + RUN,
    "memo overwritten": P4
    + text("math")
    + b"q\x000"
    + text("os")
    + b"q\x000"
    + text("system")
    + b"q\x010h\x00h\x01\x93"
    + RUN,
    "memo of MEMOIZE": P4
    + text("os")
    + b"\x940"
    + text("system")
    + b"\x940"
    + b"h\x00h\x01\x93"
    + RUN,
    "memo of LONG_BINPUT": P4
    + text("os")
    + b"r\x00\x01\x00\x000"
    + b"j\x00\x01\x00\x00"
    + text("system")
    + b"\x93"
    + RUN,
    "DUP and POP": P4 + text("os") + b"200" + text("os") + text("system") + b"\x93" + RUN,
    "POP_MARK": P4 + b"(" + text("decoy") + b"1" + text("os") + text("system") + b"\x93" + RUN,
    "POP of a mark": P4 + b"(0" + text("os") + text("system") + b"\x93" + RUN,
    "out of a list that is thrown away": b"](" + name("os", "system") + text("x") + b"\x85Re0N.",
    "as a key": b"}" + name("os", "system") + text("x") + b"\x85RNs.",
    "INST": b"(" + text("touch canary") + b"ios\nsystem\n.",
    "OBJ": b"(" + name("os", "system") + text("touch canary") + b"o.",
    "NEWOBJ": P4 + name("os", "system") + text("x") + b"\x85\x81.",
    "NEWOBJ_EX": P4 + name("os", "system") + text("x") + b"\x85}\x92.",
    "Python 2's name": name("posix", "system") + RUN,
    "REDUCE without STOP": name("os", "system") + text("x") + b"\x85R",
    "REDUCE before an error": name("os", "system") + text("x") + b"\x85R\xff",
    "a lie about the frame": P4 + b"\x95" + struct.pack("<Q", 3) + computed("os", "system") + RUN,
    "PROTO twice": b"\x80\x02\x80\x05\x80\x04" + computed("os", "system") + RUN,
    "second pickle": pickle.dumps({"a": 1}) + name("os", "system") + RUN,
    "pickle in bytes": pickle.dumps(
        {"inner": pickle.dumps(partial(os.system, "touch canary"), protocol=4)}
    ),
}


@hostile
@pytest.mark.parametrize("trick", IMPORTS)
def test_every_way_to_name_an_import_is_seen(tmp_path: Path, trick: str) -> None:
    part = look_at(tmp_path, IMPORTS[trick])
    assert {"os.system", "posix.system"} & set(part.imports), part


@hostile
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (name("__builtin__", "eval") + RUN, "builtins.eval"),
        (name("copy_reg", "_reconstructor") + RUN, "copyreg._reconstructor"),
        (P4 + name("__builtin__", "eval") + RUN, "__builtin__.eval"),
        (P4 + computed("os", "path.join") + b".", "os:path.join"),
        (
            P4 + name("builtins", "getattr") + name("os", "path") + text("join") + b"\x86R.",
            "os:path.join",
        ),
        (
            P4
            + name("builtins", "getattr")
            + name("builtins", "getattr")
            + name("torch", "_utils")
            + text("os")
            + b"\x86R"
            + text("system")
            + b"\x86R.",
            "torch:_utils.os.system",
        ),
    ],
)
def test_a_name_is_the_one_that_is_looked_up(tmp_path: Path, content: bytes, expected: str) -> None:
    assert expected in look_at(tmp_path, content).imports


GETATTR = name("builtins", "getattr")
JOIN = GETATTR + text("") + text("join") + b"\x86R"

DANGERS: dict[str, tuple[bytes, str]] = {
    "a name that is computed": (
        P4 + JOIN + b"]" + text("o") + b"a" + text("s") + b"a\x85R" + text("system") + b"\x93.",
        "imports a name that is only known when it is loaded",
    ),
    "a name out of a module": (
        P4 + name("os", "name") + text("system") + b"\x93.",
        "imports a name that is only known when it is loaded",
    ),
    "an attribute that is computed": (
        P4 + GETATTR + name("os", "path") + name("os", "name") + b"\x86R.",
        "looks up an attribute that is only known when it is loaded",
    ),
    "an attribute of a result": (
        P4 + GETATTR + GETATTR + text("x") + text("y") + b"\x86R" + text("z") + b"\x86R.",
        "looks up an attribute that is only known when it is loaded",
    ),
    "a call of a result": (
        P4
        + name("operator", "methodcaller")
        + text("system")
        + text("echo")
        + b"\x86R"
        + name("pydoc", "locate")
        + text("os")
        + b"\x85R\x85R.",
        "calls what is only known when it is loaded",
    ),
    "a class that is a result": (
        P4 + name("builtins", "type") + b"]\x85R)\x81.",
        "calls what is only known when it is loaded",
    ),
    "BUILD on a class": (
        P4 + name("builtins", "object") + b"}" + text("__init__") + b"Nsb.",
        "sets attributes of what it imports",
    ),
    "BUILD on what getattr gives": (
        P4 + GETATTR + name("os", "path") + text("join") + b"\x86R}b.",
        "sets attributes of what it imports",
    ),
    "BUILD on what an identity gives back": (
        P4 + name("torch.jit._pickle", "build_intlist") + name("os", "path") + b"\x85R}b.",
        "sets attributes of what it imports",
    ),
    "SETITEM on a dictionary of a module": (
        P4 + name("sys", "modules") + text("os") + b"Ns.",
        "changes what it imports",
    ),
    "SETITEMS": (P4 + name("os", "environ") + b"(" + text("a") + b"Nu.", "changes what it imports"),
    "APPEND on a list of a module": (
        P4 + name("sys", "path") + text("/tmp") + b"a.",
        "changes what it imports",
    ),
    "APPENDS": (P4 + name("sys", "path") + b"(" + text("/") + b"e.", "changes what it imports"),
    "ADDITEMS": (P4 + name("x", "y") + b"(" + text("/") + b"\x90.", "changes what it imports"),
    "EXT1": (P4 + b"\x82\x01.", "imports by a number of the extension registry"),
    "EXT2": (P4 + b"\x83\x01\x02.", "imports by a number of the extension registry"),
    "EXT4": (P4 + b"\x84\x01\0\0\0.", "imports by a number of the extension registry"),
    "PERSID": (b"Pabc\n.", "an object outside of the file, by a persistent id"),
    "BINPERSID": (b"K\x01Q.", "an object outside of the file, by a persistent id"),
    "a name with a line in it": (
        P4 + computed("os\nx", "system") + b".",
        "imports a name that is none",
    ),
    "an empty name": (P4 + computed("", "system") + b".", "imports a name that is none"),
    "garbage behind the end": (
        pickle.dumps(1) + b"\xff" * 7,
        "7 bytes behind the end of the pickle",
    ),
    "a zip behind the end": (
        pickle.dumps(1) + b"PK\x05\x06" + b"\0" * 18,
        "22 bytes behind the end of the pickle",
    ),
    "an array of old joblib": (
        P4 + name("joblib.numpy_pickle_compat", "NDArrayWrapper") + b")\x81}b.",
        "an array in another file, as joblib before 0.10 wrote it",
    ),
}


@hostile
@pytest.mark.parametrize("trick", DANGERS)
def test_what_hides_or_changes_is_a_danger(tmp_path: Path, trick: str) -> None:
    content, expected = DANGERS[trick]
    assert expected in whats(look_at(tmp_path, content))


BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "no end": pickle.dumps({"a": [1, 2]})[:-1],
    "no such opcode": P4 + b"\xff.",
    "an empty stack": P4 + b"R.",
    "no mark": P4 + b"t.",
    "nothing to stop with": P4 + b".",
    "nothing in the memo": P4 + b"h\x07.",
    "a memo of exabytes": P4 + b"Nr\xff\xff\xff\xff.",
    "a negative place": b"Np-1\n.",
    "bytes that are not there": P4 + b"\x8e" + b"\xff" * 7 + b"\x0f.",
    "text that is not there": P4 + b"\x8d" + b"\xff" * 8 + b".",
    "a negative length": b"T\xff\xff\xff\xff.",
    "a negative number of bytes": b"\x80\x02\x8b\xff\xff\xff\xff.",
    "a frame that is not there": P4 + b"\x95" + b"\xff" * 8 + b"N.",
    "protocol 6": b"\x80\x06N.",
    "a line without an end": b"I12",
    "a text without quotes": b"Sabc\n.",
    "a number that is none": b"Iabc\n.",
    "text that is not UTF-8": P4 + b"\x8c\x01\xff.",
    "a name that is not UTF-8": b"cmod\n\xf8\n.",
    "BUILD on a list": P4 + b"]}b.",
    "SETITEM on a list": P4 + b"]NNs.",
    "a key without a value": P4 + b"}(Nu.",
    "bytes out of band": P4 + b"\x97.",
    "read-only bytes out of band": P4 + b"N\x98.",
}


@hostile
@pytest.mark.parametrize("trick", BROKEN)
def test_a_broken_pickle_is_a_problem(tmp_path: Path, trick: str) -> None:
    part = look_at(tmp_path, BROKEN[trick])
    assert part.problem is not None
    assert part.format == "pickle"


CANARY = "assent_canary_of_the_tests"


@hostile
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "call",
    [
        "builtins.eval builtins.exec os.system os.popen subprocess.run subprocess.Popen",
        "pip.main pydoc.pipepager runpy.run_path code.InteractiveInterpreter timeit.timeit",
        "importlib.import_module ctypes.CDLL pty.spawn marshal.loads numpy.load torch.load",
        "socket.create_connection http.client.HTTPSConnection asyncio.unix_events.x sys.exit",
        "cProfile.run bdb.Bdb.run venv.create ensurepip._run_pip doctest.debug_script",
        "io.FileIO shutil.rmtree webbrowser.open distutils.file_util.write_file idlelib.run.x",
        "numpy.testing._private.utils.runstring numpy.f2py.crackfortran.getlincoef",
        "torch.utils.collect_env.run torch.storage._load_from_bytes joblib.load dill.loads",
        f"{CANARY}.touch",
    ],
)
def test_no_list_of_dangers_is_needed_and_nothing_is_imported(
    tmp_path: Path, protocol: int, call: str
) -> None:
    canary = tmp_path / "canary"
    before = set(sys.modules)
    for full in call.split():
        module, _, attribute = full.rpartition(".")
        start = b"\x80" + bytes([protocol]) if protocol > 1 else b""
        named = computed(module, attribute) if protocol > 3 else name(module, attribute)
        part = look_at(tmp_path, start + named + b"(" + text(f"touch {canary}") + b"tR.")
        assert part.imports
        shown = part.imports[0]
        assert shown.endswith(attribute)
        assert shown == full or protocol < 3  # Python 3's name for a name of Python 2
    assert not canary.exists()
    assert CANARY not in sys.modules
    assert {one for one in set(sys.modules) - before if not one.startswith("assent.")} == set()


@hostile
@pytest.mark.parametrize(
    ("protocol", "shown"), [(2, "builtins.eval"), (3, "__builtin__.eval"), (5, "__builtin__.eval")]
)
def test_names_of_python_2_are_mapped_where_the_unpickler_maps_them(
    tmp_path: Path, protocol: int, shown: str
) -> None:
    """`pickle.Unpickler.find_class` does below protocol 3 alone."""
    content = b"\x80" + bytes([protocol]) + name("__builtin__", "eval") + text("1") + b"\x85R."
    assert look_at(tmp_path, content).imports == (shown,)


@hostile
def test_what_reduce_gives_is_seen_and_not_done(tmp_path: Path) -> None:
    canary = tmp_path / "canary"

    class Hostile:
        def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
            return os.system, (f"touch {canary}",)

    content = pickle.dumps({"weights": np.zeros(3), "model": [Hostile()]})
    part = look_at(tmp_path, content)
    assert f"{os.system.__module__}.system" in part.imports
    assert not canary.exists()
    pickle.loads(content)
    assert canary.exists()  # it would have been done


@hostile
@pytest.mark.parametrize("compress", [0, 3, ("bz2", 3)])
def test_an_import_behind_the_arrays_of_joblib_is_seen(tmp_path: Path, compress: Any) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
            return os.system, ("true",)

    path = tmp_path / "model.joblib"
    arrays = [np.zeros(1000), np.array([{}, None], dtype=object), np.zeros((0, 3), order="F")]
    joblib.dump([*arrays, Hostile()], path, compress=compress)
    assert f"{os.system.__module__}.system" in look(path).imports
    joblib.dump([np.array([Hostile()], dtype=object)], path, compress=compress)
    assert f"{os.system.__module__}.system" in look(path).imports


def wrapper(shape: bytes, dtype: bytes = b"U\x02u1", alignment: bytes = b"") -> bytes:
    """joblib's wrapper of an array that follows."""
    return (
        name("joblib.numpy_pickle", "NumpyArrayWrapper")
        + b")\x81}("
        + text("subclass")
        + name("numpy", "ndarray")
        + text("shape")
        + shape
        + text("order")
        + text("C")
        + text("dtype")
        + name("numpy", "dtype")
        + b"("
        + dtype
        + b"tR"
        + alignment
        + b"ub"
    )


@hostile
def test_an_array_cannot_hide_a_danger_from_another_reader(tmp_path: Path) -> None:
    payload = b"}" + text("touch canary") + b"\x85R."
    content = b"\x80\x02" + wrapper(b"K" + bytes([len(payload)]) + b"\x85") + payload + b"."
    alone = look_at(tmp_path, b"\x80\x02" + payload, "plain.pkl").dangers
    assert alone
    assert {*alone} <= {*look_at(tmp_path, content, "model.joblib").dangers}


@hostile
def test_an_array_cannot_hide_opcodes_from_another_reader(tmp_path: Path) -> None:
    """`joblib.load` takes the bytes for an array; `pickle.load` goes on with them."""
    payload = name("os", "system") + text("touch canary") + b"\x85R."
    size = bytes([len(payload)])
    content = b"\x80\x02" + wrapper(b"K" + size + b"\x85") + payload + b"."
    assert "os.system" in look_at(tmp_path, content, "model.joblib").imports

    # With a padding that pickle would go on with as well.
    aligned = text("numpy_array_alignment_bytes") + b"K\x10"
    content = b"\x80\x02" + wrapper(b"K\x01\x85", alignment=aligned) + b"N" + payload
    part = look_at(tmp_path, content, "model.joblib")
    assert part.problem is not None
    assert "os.system" in part.imports


@hostile
@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        (b"\x8a\x07" + b"\xff" * 6 + b"\x0f" + b"\x85", b"U\x02f8"),  # exabytes
        (b"J\xff\xff\xff\xff\x85", b"U\x02f8"),
        (b"N", b"U\x02f8"),
        (b"K\x01\x85", b"U\x02??"),
        (b"K\x01\x85", name("os", "name")),
        (b"(" + b"K\x01" * 70 + b"t", b"U\x02f8"),
    ],
)
def test_an_array_of_no_size_ends_the_walk(tmp_path: Path, shape: bytes, dtype: bytes) -> None:
    content = b"\x80\x02" + wrapper(shape, dtype) + b"\0" * 64 + b"."
    assert look_at(tmp_path, content, "model.joblib").problem is not None


@hostile
def test_compression_is_bounded_and_nothing_follows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = zlib.compress(pickle.dumps([1]))
    assert look_at(tmp_path, packed, "model.joblib").problem is None
    part = look_at(tmp_path, packed + b"rest", "model.joblib")
    assert whats(part) == ["4 bytes behind the end of the compressed data"]
    assert look_at(tmp_path, packed[:-6], "model.joblib").problem is not None
    assert look_at(tmp_path, gzip.compress(b"no pickle"), "model.pkl.gz").problem is not None

    monkeypatch.setattr(unpack, "MAX_UNPACKED", 1024**2)
    monkeypatch.setattr(unpack.store, "__defaults__", (1024**2,))
    bomb = b"\x80\x04C" + b"\0" * (16 * 1024**2)
    for pack in (zlib.compress, gzip.compress, bz2.compress, lzma.compress):
        part = look_at(tmp_path, pack(bomb), "model.joblib")
        assert part.problem is not None
        assert "larger than" in part.problem


@hostile
def test_what_is_compressed_otherwise_is_refused_by_name(tmp_path: Path) -> None:
    part = look_at(tmp_path, b"\x28\xb5\x2f\xfd" + b"\0" * 20, "model.pkl")
    assert part.problem == "it is compressed with Zstandard, which is not read"
    part = look_at(tmp_path, b"\x04\x22\x4d\x18" + b"\0" * 20, "model.joblib")
    assert part.problem is not None
    assert "LZ4" in part.problem or "lz4" in part.problem


@hostile
def test_a_pickle_of_another_name_is_known_by_its_bytes(tmp_path: Path) -> None:
    for content in (pickle.dumps({"a": 1}), IMPORTS["GLOBAL"], IMPORTS["REDUCE before an error"]):
        for file in ("weights.bin", "notes.txt", "model", "config.yaml", "x.json"):
            assert look_at(tmp_path, content, file).format == "pickle"
    assert look_at(tmp_path, gzip.compress(IMPORTS["GLOBAL"]), "data.bin").imports == ("os.system",)


@pytest.mark.parametrize(
    "content",
    [
        b"config\nfoo\nbar\n",
        b"(see below)",
        b"id,name\n1,2\n3,4\n",
        b"channels:\n- defaults\ndependencies:\n- python\n",
        b"",
        b"]",
        b"}",
        b'\x80\x02\x00\x00\x00\x00\x00\x00{"a"',
        b"PK\x03\x04",
        b"compiled\nby\nhand (R)",
    ],
)
def test_text_is_no_pickle(content: bytes) -> None:
    assert not begins_like_pickle(content, is_whole=True)


@hostile
def test_a_walk_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def problem(content: bytes, budget: Budget) -> str:
        return walk(Source(content), budget).problem or ""

    assert "opcodes" in problem(b"N0" * 2000 + b"N.", Budget(opcodes=1000))
    assert "objects" in problem(b"]" * 2000 + b".", Budget(objects=1000))
    assert "text" in problem(b"\x8c\xff" + b"x" * 255 + b".", Budget(text=10))
    assert "nested" in problem(b"(" * 200_000, Budget())
    monkeypatch.setattr(walks, "_CHECK_TIME", 1)
    assert "too long" in problem(b"N0" * 20 + b"N.", Budget(seconds=-1))
    monkeypatch.setattr(lookups, "MAX_IMPORTS", 10)
    names = b"".join(name("m", f"n{number}") for number in range(20))
    assert "imports" in problem(names + b".", Budget())


@hostile
def test_a_value_that_names_itself_without_end_costs_nothing(tmp_path: Path) -> None:
    """100 tuples of twice the tuple before: 2^100 leaves, and a hash that never ends."""
    doubled = b"N" + b"2\x86" * 100
    assert look_at(tmp_path, P4 + doubled + b".").problem is None
    assert look_at(tmp_path, P4 + b"}" + doubled + b"Ns.").problem is None
    assert look_at(tmp_path, P4 + b"\x8f(" + doubled + b"\x90.").problem is None
    state = text("steps") + doubled + text("nodes") + doubled
    built = P4 + name("sklearn.pipeline", "Pipeline") + b")\x81}(" + state + b"ub."
    assert look_at(tmp_path, built).problem is None
    deep = P4 + b"N" + b"\x85" * 100_000 + b"."
    assert look_at(tmp_path, deep).problem is None


@hostile
@given(st.binary(max_size=200))
@settings(max_examples=examples(300))
def test_any_bytes_are_walked_without_an_exception(content: bytes) -> None:
    for start in (b"", P4):
        seen = walk(Source(start + content), Budget(), joblib=True)
        assert seen.problem is None or seen.problem.startswith("the pickle")


@hostile
@given(
    st.lists(
        st.sampled_from(
            [bytes([code]) for code in range(256) if walks.is_opcode(code)]
            + [text("os"), text("system"), name("a", "b"), b"K\x01", b"h\x00", b"q\x00", b"\x86"]
        ),
        max_size=60,
    )
)
@settings(max_examples=examples(500))
def test_any_opcodes_are_walked_without_an_exception(steps: list[bytes]) -> None:
    seen = walk(Source(b"".join(steps)), Budget(), joblib=True, persistent=True)
    assert seen.end <= len(b"".join(steps))


class _Recorder(pickle._Unpickler):
    """What Python itself looks up."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))
        self.found: set[str] = set()

    def find_class(self, module: str, name: str) -> Any:
        self.found.add(f"{module}{':' if '.' in name else '.'}{name}")
        return collections.OrderedDict  # harmless whatever is done with it


@hostile
@given(
    st.lists(
        st.sampled_from(
            [
                text("os"),
                text("system"),
                b"\x93",
                name("a", "b"),
                b"h\x00",
                b"h\x01",
                b"q\x00",
                b"q\x01",
                b"\x94",
                b"2",
                b"0",
                b"1",
                b"(",
                b"t",
                b")",
                b"]",
                b"}",
                b"a",
                b"e",
                b"N",
                b"l",
                b"d",
                b"o",
                b"i" + b"c\nd\n",
                b"\x80\x04",
            ]
        ),
        max_size=40,
    )
)
@settings(max_examples=examples(500))
def test_no_import_of_python_is_missed(steps: list[bytes]) -> None:
    """Whatever the opcodes are, the walk sees what Python's unpickler looks up before it fails."""
    content = b"".join(steps) + b"."
    recorder = _Recorder(content)
    try:
        recorder.load()
    except Exception:
        recorder.found = set(recorder.found)
    seen = walk(Source(content), Budget())
    assert recorder.found <= {*seen.imports} or seen.dangers


@hostile
def test_code_that_travels_in_the_file_has_a_digest(tmp_path: Path) -> None:
    cloudpickle = pytest.importorskip("cloudpickle")

    def model(source: str) -> Part:
        functions: dict[str, Any] = {}
        exec(source, functions)
        functions["f"].__module__ = "__main__"
        return look_at(tmp_path, cloudpickle.dumps(functions["f"]))

    first = model("def f(x): return x + 1")
    assert (first.problem, first.dangers) == (None, ())
    assert "cloudpickle.cloudpickle._make_function" in first.imports
    assert "types.CodeType" in first.imports
    (code,) = first.code
    assert code.startswith("code of f sha256:")
    assert model("def f(x): return x + 1").code == (code,)
    assert model("def f(x): return x + 2").code != (code,)
    inner = "def f(x):\n    def g(y): return y + {}\n    return g(x)"
    assert len(model(inner.format(1)).code) == 2
    assert not set(model(inner.format(1)).code) & set(model(inner.format(2)).code)
    deep = "def f(x): return x == " + "(" * 20 + "1," + "),".join([""] * 20) + ")"
    assert "code that cannot be told from other code" in whats(model(deep))
    other = model("import os\ndef f(x): return os.system(x)")
    assert other.code != (code,)
    assert set(other.imports) - set(first.imports) == {"cloudpickle.cloudpickle.subimport", "os"}


@hostile
@pytest.mark.parametrize(
    "finder",
    ["builtins.__import__", "importlib.import_module", "cloudpickle.cloudpickle.subimport"],
)
def test_a_module_that_is_looked_up_by_a_text_is_an_import(tmp_path: Path, finder: str) -> None:
    module, _, function = finder.rpartition(".")
    found = (
        P4 + GETATTR + name(module, function) + text("os") + b"\x85R" + text("system") + b"\x86R"
    )
    assert {finder, "os", "os.system"} <= set(look_at(tmp_path, found + RUN).imports)
    hidden = P4 + name(module, function) + name("os", "name") + b"\x85R."
    assert whats(look_at(tmp_path, hidden)) == [
        "imports a name that is only known when it is loaded"
    ]


def test_several_pickles_in_a_file_are_said(tmp_path: Path) -> None:
    part = look_at(tmp_path, pickle.dumps({"a": 1}) + pickle.dumps([2]))
    assert (part.problem, part.dangers) == (None, ())
    assert part.settings["pickles in the file"] == 2
