"""LightGBM: the text that `save_model` writes.

Source: `GBDT::SaveModelToString` and `Tree::ToString` of LightGBM (src/boosting, src/io in
microsoft/LightGBM): `key=value` lines, one block for each tree, then importances and parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from mmap import mmap

from assent.core.inspection import Part
from assent.core.scalar import Scalar
from assent.measure.models import facts
from assent.measure.models.reader import MAX_NAMES, ModelSource, Reader, ReadError
from assent.measure.models.wire.walk import MAX_ARRAY_BYTES, MAX_STEPS, mapped

FORMAT = "lightgbm"

_START = re.compile(rb"tree\r?\nversion=(\w+)\r?\n")
_LINE = re.compile(
    rb"^(Tree|num_leaves|split_feature|split_gain|leaf_features|leaf_coeff|end of trees)"
    rb"(?:=([^\r\n]*))?\r?$",
    re.MULTILINE,
)
_HEADER = re.compile(rb"^([a-z_]{1,60})=([^\r\n]*)\r?$", re.MULTILINE)
_PARAMETER = re.compile(rb"^\[(\w{1,100}): ?([^\r\n]*)\]\r?$", re.MULTILINE)
_HEADER_END = re.compile(rb"^Tree=0\r?$|^end of trees\r?$", re.MULTILINE)
_FACTS = {"objective", "num_class", "num_tree_per_iteration", "average_output"}
# Where training ran, and on which files: no hyper-parameters, and other paths are no change.
_LEFT_OUT = {"data", "valid", "machines", "machine_list_filename", "num_threads"}


def recognizes(source: ModelSource) -> bool:
    """By its first two lines."""
    return _START.match(source.head) is not None


def read(source: ModelSource) -> Part:
    """Trees, features and all parameters of training."""
    with mapped(source) as content:
        return _read(source, content)


def _read(source: ModelSource, content: mmap) -> Part:
    start = _START.match(content)
    end = _HEADER_END.search(content)
    if start is None or end is None:
        raise ReadError("its trees have no end")
    header = {
        match[1].decode(): _text(_value(match))
        for match in _HEADER.finditer(content, start.end(), end.start())
    }
    names = header.get("feature_names", "").split()
    facts.require_few(len(names), "features")
    trees = _Trees()
    after = trees.read(content, end.start())
    settings: dict[str, Scalar] = {
        key: facts.literal(value) for key, value in header.items() if key in _FACTS
    }
    for count, match in enumerate(_PARAMETER.finditer(content, after)):
        if count >= facts.MAX_SETTINGS:
            break
        key = match[1].decode()
        if key not in _LEFT_OUT:
            settings.setdefault(key, facts.literal(_text(_value(match))))
    return Part(
        path=source.name,
        format=FORMAT,
        size_bytes=source.size_bytes,
        parameters=trees.parameters,
        trees=trees.count,
        settings=dict(sorted(settings.items())),
        versions={"format": start[1].decode()},
        features=tuple(names),
        unused=facts.unused(names, trees.used),
        counted="values of leaves and thresholds of its trees",
        left_out="where its trees split, their values, and what else it says of its features",
    )


class _Trees:
    """The trees, one line at a time."""

    def __init__(self) -> None:
        self.count = 0
        self.parameters = 0
        self._gains: dict[int, float] = {}
        self._in_leaves: set[int] = set()
        self._splits: list[int] = []

    @property
    def used(self) -> set[int]:
        """Features with a split of positive gain, or with a coefficient in a leaf; where no
        split states a gain, those with a split.
        """
        gained = {at for at, gain in self._gains.items() if gain > 0}
        return self._in_leaves | (gained or set(self._gains))

    def read(self, content: mmap, start: int) -> int:
        """Read the trees from `start`; gives where they end."""
        for steps, match in enumerate(_LINE.finditer(content, start)):
            if steps > MAX_STEPS:
                raise ReadError(f"it holds more than {MAX_STEPS:,} lines of trees")
            if match[1] == b"end of trees":
                return match.end()
            self._line(match[1], _value(match))
        raise ReadError("its trees have no end")

    def _line(self, key: bytes, value: bytes) -> None:
        if key == b"Tree":
            self.count += 1
            self._splits = []
        elif key == b"num_leaves":
            leaves = int(_numbers(value)[0])
            self.parameters += max(0, 2 * leaves - 1)  # the leaves' values and the thresholds
        elif key == b"split_feature":
            self._splits = [int(at) for at in _numbers(value)]
        elif key == b"split_gain":
            self._note(zip(self._splits, _numbers(value), strict=False))
        elif key == b"leaf_features":
            self._in_leaves.update(int(at) for at in _numbers(value))
            facts.require_few(len(self._in_leaves), "features")
        elif key == b"leaf_coeff":
            self.parameters += len(_numbers(value))

    def _note(self, gains: Iterable[tuple[int, float]]) -> None:
        for feature, gain in gains:
            self._gains[feature] = self._gains.get(feature, 0.0) + gain
        if len(self._gains) > MAX_NAMES:
            raise ReadError(f"more than {MAX_NAMES:,} features")


def _value(match: re.Match[bytes]) -> bytes:
    """What stands behind a key: looked at before it is copied."""
    start, end = match.span(2)
    if end - start > MAX_ARRAY_BYTES:
        raise ReadError(f"a line of more than {MAX_ARRAY_BYTES >> 20} MiB")
    return match[2] or b""


def _numbers(value: bytes) -> list[float]:
    try:
        return [float(number) for number in value.split()]
    except ValueError:
        raise ReadError("a line of a tree that holds no numbers") from None


def _text(value: bytes) -> str:
    return value.decode(errors="backslashreplace")


READER = Reader(format=FORMAT, recognizes=recognizes, read=read)
