"""CatBoost: its binary format `.cbm`, and its JSON export.

Only CatBoost itself has a complete reader of `.cbm`, and that is native code, which is not given
files that nobody has approved. So the tables of the file are read here, in place and with every
offset checked: `CBM1`, a size of 32 bits, and a FlatBuffer.
Source: catboost/libs/model/flatbuffers (model.fbs, features.fbs) and model.cpp in
catboost/catboost: the numbers of the fields below, and that splits count the borders of the
number features first. What trees give is multiplied by `scale`, and `bias` is added. Dictionaries
of category statistics behind the table are not looked at.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, NamedTuple

from assent import parsing
from assent.core.inspection import Part
from assent.core.scalar import Scalar
from assent.measure import flatbuffer
from assent.measure.flatbuffer import Table
from assent.measure.models import facts
from assent.measure.models.reader import MAX_NAMES, ModelSource, Reader, ReadError
from assent.measure.models.wire.json_walk import JsonWalk
from assent.measure.models.wire.walk import Walk, mapped
from assent.parsing import ParseError

FORMAT = "catboost"
MAX_TREES = 100_000

_MAGIC = b"CBM1"
_JSON = re.compile(rb'\s*\{\s*"(?:ctr_data|features_info|model_info|oblivious_trees)"\s*:\s*[\[{]')
_VERSION = re.compile(r"tags/v(\d[\w.]*)|CatBoost release (\d[\w.]*)")
# Where and how the run was done, and the parameters as they were typed beside the ones in effect.
_LEFT_OUT = {"system_options", "flat_params", "metadata", "logging_level", "detailed_profile"}

_CORE_TREES, _CORE_INFO = 1, 2
_DIMENSION, _SPLITS, _SIZES = 0, 1, 2
_CATEGORIES, _NUMBERS, _LEAVES, _STEPS, _TEXTS, _EMBEDDINGS = 4, 5, 8, 10, 12, 18
_SCALE, _BIAS, _BIASES = 14, 15, 16
_FLAT_INDEX, _FEATURE_ID = 1, 2
_BORDERS, _NUMBER_INDEX, _NUMBER_ID = 3, 2, 4


class _Feature(NamedTuple):
    """A feature by its place among all columns."""

    at: int
    name: str
    is_used: bool


def recognizes(source: ModelSource) -> bool:
    """By its magic, or by the first key of the export."""
    return source.head.startswith(_MAGIC) or _JSON.match(source.head) is not None


def read(source: ModelSource) -> Part:
    """Trees, features and parameters of training."""
    with mapped(source) as content:
        if not source.head.startswith(_MAGIC):
            export = _Export()
            export.read(JsonWalk(content))
            return export.part(source)
        size = int.from_bytes(content[4:8], "little")
        core = flatbuffer.root(content, 8, 8 + size)
        trees = core.table(_CORE_TREES)
        if trees is None:
            raise ReadError("it holds no trees")
        information = {pair.text(0) or "": pair.text(1) or "" for pair in core.tables(_CORE_INFO)}
        return _binary_part(source, trees, information)


def _binary_part(source: ModelSource, trees: Table, information: dict[str, str]) -> Part:
    splits = _taken_splits(trees)
    features = sorted(_features(trees, sorted(set(splits))))
    settings = _parameters(_parsed(information.get("params", "{}")))
    settings["outputs"] = trees.integer(_DIMENSION, 1)
    biases = [float(bias) for bias in trees.numbers(_BIASES, "d")]
    biases = biases or [trees.double(_BIAS, 0.0)]
    settings |= _moved(trees.double(_SCALE, 1.0), biases)
    return _part(
        source,
        encoding="cbm",
        trees=trees.length(_SIZES, 4),
        parameters=trees.length(_LEAVES, 8) + len(splits),
        settings=settings | _classes(_parsed(information.get("class_params", "{}"))),
        version=information.get("catboost_version_info", ""),
        features=features,
    )


def _part(
    source: ModelSource,
    *,
    encoding: str,
    trees: int,
    parameters: int | None,
    settings: dict[str, Scalar],
    version: str,
    features: list[_Feature],
    problem: str | None = None,
) -> Part:
    facts.require_few(len(features), "features")
    versions = {"encoding": encoding}
    if match := _VERSION.search(version):
        versions["catboost"] = match[1] or match[2]
    unused = () if problem else tuple(feature.name for feature in features if not feature.is_used)
    return Part(
        path=source.name,
        format=FORMAT,
        size_bytes=source.size_bytes,
        parameters=parameters,
        counted=None if parameters is None else "values of leaves and splits of its trees",
        trees=trees,
        settings=dict(sorted(settings.items())),
        versions=versions,
        features=tuple(feature.name for feature in features),
        unused=unused,
        problem=problem,
        left_out="where its trees split, their values, and what else it says of its features and "
        "their categories",
    )


def _taken_splits(trees: Table) -> list[int]:
    """The splits of all trees. Trees that are not symmetric list their leaves among them: a leaf
    is a step that leads nowhere.
    """
    splits = trees.numbers(_SPLITS, "i")
    steps = trees.numbers(_STEPS, "I")  # two distances of 16 bits
    if not steps:
        return list(splits)
    return [split for split, step in zip(splits, steps, strict=False) if step]


def _features(trees: Table, used: list[int]) -> Iterator[_Feature]:
    border = 0
    for feature in trees.tables(_NUMBERS):
        borders = feature.length(_BORDERS, 4)
        at = feature.integer(_NUMBER_INDEX - 1, -1)
        is_used = bisect_left(used, border) < bisect_left(used, border + borders)
        border += borders
        yield _Feature(at, feature.text(_NUMBER_ID) or str(at), is_used)
    for field, flag in ((_CATEGORIES, 3), (_TEXTS, 3), (_EMBEDDINGS, 4)):
        for feature in trees.tables(field):
            at = feature.integer(_FLAT_INDEX, -1)
            name = feature.text(_FEATURE_ID) or str(at)
            yield _Feature(at, name, feature.flag(flag, True))


def _parsed(text: str) -> dict[str, Any]:
    try:
        values = parsing.parse_json(text.encode())
    except ParseError as error:
        raise ReadError(f"its parameters: {error}") from None
    return values if isinstance(values, dict) else {}


def _parameters(params: dict[str, Any]) -> dict[str, Scalar]:
    return facts.settings({key: value for key, value in params.items() if key not in _LEFT_OUT})


def _classes(params: dict[str, Any]) -> dict[str, Scalar]:
    """The names of the classes, and which output stands for which."""
    return {key: facts.setting(params[key]) for key in _OF_CLASSES if params.get(key)}


_OF_CLASSES = ("class_names", "class_to_label", "class_label_type")


def _moved(scale: Any, biases: Any) -> dict[str, Scalar]:
    """What the sum of the trees is multiplied by, and what is added to each output."""
    several = [
        float(bias) if isinstance(bias, int) and abs(bias) < 2**53 else bias
        for bias in (biases if isinstance(biases, list) else [biases])
    ]
    bias = several[0] if len(several) == 1 else several
    return {"scale": facts.setting(scale), "bias": facts.setting(bias)}


class _Export:
    """What has been found in the JSON export."""

    def __init__(self) -> None:
        self._settings: dict[str, Scalar] = {}
        self._version = ""
        self._numbers: dict[int, tuple[int, str]] = {}
        self._categories: dict[int, tuple[int, str]] = {}
        self._used_numbers: set[int] = set()
        self._used_categories: set[int] = set()
        self._trees = 0
        self._parameters = 0
        self._problem: str | None = None

    def read(self, walk: Walk) -> None:
        for key in walk.members():
            if key == "model_info":
                self._information(walk)
            elif key == "features_info":
                self._described(walk)
            elif key == "scale_and_bias":
                match walk.value():
                    case [scale, biases]:
                        self._settings |= _moved(scale, biases)
            elif key in ("oblivious_trees", "trees"):
                for at in walk.items():
                    self._trees = at + 1
                    if at >= MAX_TREES:
                        self._problem = f"only the first {MAX_TREES:,} trees were looked at"
                    elif key == "trees":
                        self._node(walk)
                    else:
                        self._tree(walk)

    def part(self, source: ModelSource) -> Part:
        sides = (
            (self._numbers, self._used_numbers),
            (self._categories, self._used_categories),
        )
        features = [
            _Feature(place, name, index in used)
            for known, used in sides
            for index, (place, name) in known.items()
        ]
        return _part(
            source,
            encoding="json",
            trees=self._trees,
            parameters=None if self._problem else self._parameters,
            settings=self._settings,
            version=self._version,
            features=sorted(features),
            problem=self._problem,
        )

    def _information(self, walk: Walk) -> None:
        for key in walk.members():
            if key == "catboost_version_info":
                self._version = str(walk.scalar())
            elif key == "params":
                params = {name: walk.value() for name in walk.members() if name not in _LEFT_OUT}
                self._settings |= _parameters(params)
            elif key == "class_params":
                self._settings |= _classes({name: walk.value() for name in walk.members()})

    def _described(self, walk: Walk) -> None:
        for key in walk.members():
            if key == "float_features":
                self._numbers = _named(walk)
            elif key == "categorical_features":
                self._categories = _named(walk)
            elif key == "ctrs":
                for _ in walk.items():
                    for name in walk.members():
                        if name == "elements":
                            self._elements(walk)

    def _elements(self, walk: Walk) -> None:
        """A category's statistics, combined with other categories or splits."""
        for _ in walk.items():
            self._split(walk)

    def _tree(self, walk: Walk) -> None:
        for key in walk.members():
            if key == "leaf_values":
                self._parameters += len(walk.numbers())
            elif key == "splits":
                for _ in walk.items():
                    self._parameters += 1
                    self._split(walk)

    def _node(self, walk: Walk) -> None:
        for key in walk.members():
            if key in ("left", "right"):
                self._node(walk)
            elif key == "split":
                self._parameters += 1
                self._split(walk)
            elif key == "value":
                self._parameters += 1

    def _split(self, walk: Walk) -> None:
        for key in walk.members():
            if key in ("float_feature_index", "cat_feature_index"):
                index = walk.scalar()
                used = self._used_numbers if key[0] == "f" else self._used_categories
                if isinstance(index, int) and len(used) < MAX_NAMES:
                    used.add(index)


def _named(walk: Walk) -> dict[int, tuple[int, str]]:
    """The place and the name of each feature, by its index among those of its kind."""
    names: dict[int, tuple[int, str]] = {}
    for at in walk.items():
        facts.require_few(at, "features")
        fields = {
            key: walk.scalar()
            for key in walk.members()
            if key in ("feature_index", "flat_feature_index", "feature_name", "feature_id")
        }
        index, place = fields.get("feature_index"), fields.get("flat_feature_index")
        if isinstance(index, int) and isinstance(place, int):
            name = fields.get("feature_name") or fields.get("feature_id")
            names[index] = (place, str(place) if name in (None, "") else str(name))
    return names


READER = Reader(format=FORMAT, recognizes=recognizes, read=read)
