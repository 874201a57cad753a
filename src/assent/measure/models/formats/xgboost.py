"""XGBoost: JSON and UBJSON, which share one structure.

Source: "Introduction to Model IO" of XGBoost's documentation and its schema of the JSON format
(doc/model.schema in dmlc/xgboost). The binary format before them is recognised, not read: it is a
copy of structures in memory, and XGBoost has stopped reading it itself.
"""

from __future__ import annotations

import re

from assent.core.inspection import Part
from assent.core.scalar import Scalar
from assent.measure.models import facts
from assent.measure.models.reader import MAX_NAMES, ModelSource, Reader, ReadError
from assent.measure.models.wire.json_walk import JsonWalk
from assent.measure.models.wire.ubjson import UbjWalk
from assent.measure.models.wire.walk import Walk, mapped

FORMAT = "xgboost"
MAX_TREES = 100_000
"""The most trees that are looked at: a bound on time."""

_JSON = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"(?:learner|Config|version)"\s*:\s*[\[{]')
_JSON_SIGNS = re.compile(rb'"(?:gradient_booster|learner_train_param|attributes|feature_names)"')
_UBJ = re.compile(rb"\{(?:L.{8}|l.{4}|I.{2}|[iU].)(?:learner|Config)\{", re.DOTALL)
_OLD_MAGIC = (b"binf", b"bs64")
# The old format is 136 bytes of parameters, then the objective's name after its length (64 bits).
_OLD = re.compile(rb".{136}[\x04-\x40]\x00{7}(?:binary|reg|multi|rank|count|survival):", re.DOTALL)


def recognizes(source: ModelSource) -> bool:
    """By the first key, or by the name of an objective where the old format has it."""
    head = source.head
    return bool((_JSON.match(head) and _JSON_SIGNS.search(head)) or _UBJ.match(head)) or _is_old(
        head
    )


def read(source: ModelSource) -> Part:
    """Trees, features, objective and parameters of training that the file keeps."""
    if _is_old(source.head):
        problem = "XGBoost's old binary format, which XGBoost no longer reads; save as JSON or UBJ"
        return Part(path=source.name, format=FORMAT, size_bytes=source.size_bytes, problem=problem)
    model = _Model()
    with mapped(source) as content:
        is_binary = _UBJ.match(source.head) is not None
        model.read(UbjWalk(content) if is_binary else JsonWalk(content))
    return model.part(source, "ubj" if is_binary else "json")


def _is_old(head: bytes) -> bool:
    return head.startswith(_OLD_MAGIC) or _OLD.match(head) is not None


class _TooManyTreesError(Exception):
    """The rest of the file is not looked at."""


class _Model:
    """What has been found so far."""

    def __init__(self) -> None:
        self._settings: dict[str, Scalar] = {}
        self._version: str | None = None
        self._names: list[str] = []
        self._trees: int | None = None
        self._nodes = 0
        self._gains: dict[int, float] = {}
        self._weights: list[float] = []
        self._problem: str | None = None
        self._has_learner = False

    def read(self, walk: Walk) -> None:
        try:
            self._top(walk)
        except _TooManyTreesError:
            stated = self._settings.get("num_trees")
            self._problem = f"only the first {MAX_TREES:,} trees were looked at"
            self._trees = stated if isinstance(stated, int) else None
        if not self._has_learner:
            raise ReadError("it has no `learner`, so it is no model of XGBoost")

    def part(self, source: ModelSource, encoding: str) -> Part:
        count = self._settings.pop("num_trees", None)
        problem = self._problem
        if problem is None and isinstance(count, int) and count != self._trees:
            problem = f"it states {count:,} trees and holds {self._trees or 0:,}"
        versions = {"encoding": encoding}
        if self._version is not None:
            versions["xgboost"] = self._version
        known = [*self._names] or self._numbered()
        return Part(
            path=source.name,
            format=FORMAT,
            size_bytes=source.size_bytes,
            parameters=None if self._problem else self._nodes + len(self._weights),
            trees=self._trees,
            settings=facts.settings(self._settings),
            versions=versions,
            features=tuple(self._names),
            unused=() if self._problem else facts.unused(known, self._used()),
            problem=problem,
            counted="nodes of its trees, or weights of a linear model",
            left_out="where its trees split, their values and weights, which output each is of, "
            "weights of a linear model, and what else it says of its features",
        )

    def _numbered(self) -> list[str]:
        """XGBoost's own names of features that have none."""
        count = self._settings.get("num_feature")
        is_few = isinstance(count, int) and 0 < count <= MAX_NAMES
        return [f"f{at}" for at in range(count)] if is_few and isinstance(count, int) else []

    def _used(self) -> set[int]:
        """Features with a split of positive gain, or with a weight; where no split states a
        gain, those with a split.
        """
        groups = self._groups()
        weighted = {at // groups for at, weight in enumerate(self._weights) if weight}
        gained = {at for at, gain in self._gains.items() if gain > 0}
        return weighted | (gained or set(self._gains))

    def _groups(self) -> int:
        """Outputs of a linear model: one weight each for every feature, and one for the bias."""
        features = self._settings.get("num_feature")
        if not isinstance(features, int) or features < 0:
            return 1
        return max(1, len(self._weights) // (features + 1))

    def _top(self, walk: Walk) -> None:
        for key in walk.members():
            if key == "learner":
                self._learner(walk)
            elif key == "Model":  # the form in memory keeps the model beside its configuration
                self._top(walk)
            elif key == "version":
                self._version = ".".join(str(int(number)) for number in walk.numbers()[:4])

    def _learner(self, walk: Walk) -> None:
        self._has_learner = True
        for key in walk.members():
            if key == "feature_names":
                self._names = [str(walk.scalar()) for at in walk.items() if _is_few(at)]
            elif key == "attributes":
                self._scalars(walk, "attributes.")
            elif key == "learner_model_param":
                self._scalars(walk, "")
            elif key == "objective":
                self._objective(walk)
            elif key == "gradient_booster":
                self._booster(walk)

    def _scalars(self, walk: Walk, prefix: str) -> None:
        for key in walk.members():
            if len(self._settings) < facts.MAX_SETTINGS:
                value = walk.scalar()
                scalar = facts.literal(value) if isinstance(value, str) else value
                self._settings[prefix + key] = scalar

    def _objective(self, walk: Walk) -> None:
        for key in walk.members():
            if key == "name":
                self._settings["objective"] = facts.setting(walk.scalar())
            elif key.endswith("_param"):
                self._scalars(walk, "objective.")

    def _booster(self, walk: Walk) -> None:
        for key in walk.members():
            if key == "name":
                name = facts.setting(walk.scalar())
                self._settings["booster"] = name
            elif key == "gbtree":  # inside of DART
                self._booster(walk)
            elif key == "model":
                self._model(walk)

    def _model(self, walk: Walk) -> None:
        for key in walk.members():
            if key == "gbtree_model_param":
                self._scalars(walk, "")
            elif key == "weights":
                self._weights = walk.numbers()
            elif key == "boosted_rounds":
                self._settings["rounds"] = walk.scalar()
            elif key == "iteration_indptr":
                self._settings["rounds"] = max(0, len(walk.numbers()) - 1)
            elif key == "trees":
                self._trees = 0
                for at in walk.items():
                    if at >= MAX_TREES:
                        raise _TooManyTreesError
                    self._tree(walk)
                    self._trees += 1

    def _tree(self, walk: Walk) -> None:
        left: list[float] = []
        features: list[float] = []
        gains: list[float] = []
        for key in walk.members():
            if key == "left_children":
                left = walk.numbers()
            elif key == "split_indices":
                features = walk.numbers()
            elif key == "loss_changes":
                gains = walk.numbers()
        self._nodes += len(left)
        if len(features) != len(left) or len(gains) != len(left):
            raise ReadError("a tree whose arrays differ in length")
        for child, feature, gain in zip(left, features, gains, strict=True):
            if child != -1 and (feature in self._gains or _is_few(len(self._gains))):
                at = int(feature)
                self._gains[at] = self._gains.get(at, 0.0) + gain


def _is_few(at: int) -> bool:
    if at >= MAX_NAMES:
        raise ReadError(f"more than {MAX_NAMES:,} features")
    return True


READER = Reader(format=FORMAT, recognizes=recognizes, read=read)
