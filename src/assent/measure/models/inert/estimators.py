"""What a scikit-learn model says of itself: classes, hyper-parameters, features, trees.

Read from the values of a walk (`inert`), so from states and never from objects. Everything here
is for people: what is not understood is left out, and nothing here decides about safety.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from typing import Any, Final, cast

import msgspec

from assent.core.scalar import Scalar, scalar
from assent.measure.models.inert.arrays import block_of, items_in
from assent.measure.models.inert.values import (
    MISSING,
    Block,
    Call,
    Global,
    Pairs,
    attributes,
)

COUNTED: Final = "coefficients, centres and the like; not what scalers and encoders learned"
MAX_SETTINGS = 500
MAX_FEATURES = 100_000
_CONTAINERS: Final = (Call, Pairs, Block, list, tuple)
_MAX_DEPTH = 12
_MAX_VISITS = 1_000_000
_MAX_TEXT = 200
_MAX_CLASSES = 50

_COEFFICIENTS: Final = (
    "coef_",
    "intercept_",
    "coefs_",
    "intercepts_",
    "components_",
    "cluster_centers_",
    "theta_",
    "var_",
    "feature_log_prob_",
    "class_log_prior_",
    "support_vectors_",
    "dual_coef_",
    "_support_vectors",
    "_dual_coef_",
)
_PREPARING: Final = ("sklearn.preprocessing.", "sklearn.impute.", "sklearn.feature_selection.")
"""What prepares columns and learns no weights, though it may have an attribute called `var_`."""
_LISTS_OF_STEPS: Final = ("steps", "transformers", "transformer_list", "estimators")
_TREE: Final = "sklearn.tree._tree.Tree"
_PREDICTOR: Final = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
_KEEP_COLUMNS: Final = frozenset(
    {
        "sklearn.preprocessing._data.StandardScaler",
        "sklearn.preprocessing._data.MinMaxScaler",
        "sklearn.preprocessing._data.MaxAbsScaler",
        "sklearn.preprocessing._data.RobustScaler",
        "sklearn.preprocessing._data.PowerTransformer",
        "sklearn.preprocessing._data.QuantileTransformer",
    }
)
"""Steps whose output column is a function of the input column at the same place."""


class Facts(msgspec.Struct, kw_only=True):
    """What is shown of a model; see `core.inspection.Part`."""

    settings: dict[str, Scalar] = {}
    versions: dict[str, str] = {}
    features: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    parameters: int | None = None
    trees: int | None = None


def facts_of(root: Any) -> Facts:
    """The facts of the estimator that a pickle holds, or of the objects in a dictionary or list."""
    facts = Facts()
    name = class_of(root)
    if name:
        facts.settings["class"] = name
    _settings(root, "", facts.settings, 0)
    parameters = trees = 0
    for object_, state in _objects(root):
        if object_.name == _TREE or class_of(object_) == _PREDICTOR:
            trees += 1
        if not class_of(object_).startswith(_PREPARING):
            parameters += sum(_items(state.get(key)) for key in _COEFFICIENTS)
        version = state.get("_sklearn_version")
        if type(version) is str and "scikit-learn" not in facts.versions:
            facts.versions["scikit-learn"] = version[:_MAX_TEXT]
    facts.parameters = parameters or None
    facts.trees = trees or None
    facts.features = _features(root)
    facts.unused = _unused(root, facts.features)
    return facts


def class_of(value: Any) -> str:
    """The full name of the class of an object, empty for what is none."""
    if not isinstance(value, Call):
        return ""
    if value.name == "copyreg._reconstructor" and type(value.args) is tuple and value.args:
        first = value.args[0]
        return first.full if isinstance(first, Global) else ""
    return value.name


def _objects(root: Any) -> Iterator[tuple[Call, dict[str, Any]]]:
    """All objects that can be reached, each once."""
    seen: set[int] = set()
    waiting = [root]
    while waiting and len(seen) < _MAX_VISITS:
        value = waiting.pop()
        if id(value) in seen:
            continue
        if isinstance(value, Call):
            seen.add(id(value))
            yield value, attributes(value)
            parts: list[Any] = [value.args, value.state, value.items]
        elif isinstance(value, Pairs):
            seen.add(id(value))
            parts = value.flat
        elif isinstance(value, Block) and value.items is not None:
            seen.add(id(value))
            parts = value.items
        elif isinstance(value, list | tuple):
            seen.add(id(value))
            parts = list(value)
        else:
            continue
        # Most leaves are numbers and texts, of which there can be millions.
        waiting.extend(part for part in reversed(parts) if isinstance(part, _CONTAINERS))


def _settings(value: Any, prefix: str, settings: dict[str, Scalar], depth: int) -> None:
    """Hyper-parameters: the attributes that scikit-learn's rules say are arguments, so neither
    private nor ending in `_`; with `__` between a step and its arguments, as `get_params` has it.
    """
    if depth > _MAX_DEPTH:
        return
    state = attributes(value)
    for key, argument in state.items():
        if key.startswith("_") or key.endswith("_") or len(settings) >= MAX_SETTINGS:
            continue
        name = f"{prefix}{key}"[:_MAX_TEXT]
        if key in _LISTS_OF_STEPS and _steps(state, key):
            fitted = _steps(state, f"{key}_") or _steps(state, key)
            for step, estimator in fitted:
                _step(f"{prefix}{step}"[:_MAX_TEXT], estimator, settings, depth)
        elif class_of(argument) and isinstance(argument.state, Pairs):
            _step(name, argument, settings, depth)
        else:
            known = _scalar(argument)
            if known is not MISSING:
                settings[name] = known
    if depth == 0:
        number = state.get("n_features_in_")
        if type(number) is int:
            settings["n_features_in_"] = scalar(number)
        classes = _texts(state.get("classes_"))
        if classes:
            shown = ", ".join(classes[:_MAX_CLASSES])
            settings["classes_"] = shown if len(classes) <= _MAX_CLASSES else f"{shown}, …"


def _step(name: str, estimator: Any, settings: dict[str, Scalar], depth: int) -> None:
    if len(settings) >= MAX_SETTINGS:
        return
    if type(estimator) is str:  # "passthrough", "drop"
        settings[name] = estimator[:_MAX_TEXT]
    elif class_of(estimator):
        settings[name] = class_of(estimator)
        _settings(estimator, f"{name}__", settings, depth + 1)


def _steps(state: dict[str, Any], key: str) -> list[tuple[str, Any]]:
    """The named steps of a pipeline or the like."""
    steps = state.get(key)
    if type(steps) is not list:
        return []
    return [
        (step[0], step[1])
        for step in steps[:1000]
        if type(step) is tuple and len(step) >= 2 and type(step[0]) is str
    ]


def _scalar(value: Any) -> Any:
    """A value that a table can show, `MISSING` for others."""
    if isinstance(value, Global):
        return value.full
    if type(value) is str:
        return value[:_MAX_TEXT]
    if value is None or type(value) in (bool, int, float):
        return scalar(value)
    if type(value) is tuple and len(value) <= 8:
        parts = [part for part in value if type(part) in (bool, int, float, str)]
        if len(parts) == len(value):
            return str(tuple(str(part)[:40] if type(part) is str else part for part in parts))
    block = block_of(value)
    if block is not None and items_in(block.shape) == 1:
        numbers = _numbers(block)
        if numbers is not None:
            return scalar(numbers[0])
    return MISSING


def _items(value: Any) -> int:
    """How many numbers an array, or a list of arrays, has."""
    if type(value) is list:
        return sum(_items(part) for part in value[:1000] if type(part) is not list)
    block = block_of(value)
    if block is None or block.dtype.kind not in "biufc":
        return 0
    return items_in(block.shape) or 0


def _texts(value: Any) -> list[str]:
    """The items of a small array as text."""
    block = block_of(value)
    if block is None:
        return []
    if block.items is not None:
        return [str(item)[:_MAX_TEXT] for item in block.items if type(item) in (str, int, bool)]
    if block.dtype.kind == "U" and block.raw is not None and block.dtype.item_bytes:
        size = block.dtype.item_bytes
        encoding = "utf-32-be" if block.dtype.order == ">" else "utf-32-le"
        return [
            str(block.raw[at : at + size], encoding, "replace").rstrip("\0")[:_MAX_TEXT]
            for at in range(0, min(len(block.raw), size * MAX_FEATURES), size)
        ]
    if (items_in(block.shape) or 0) > 10 * _MAX_CLASSES:
        return []
    numbers = _numbers(block)
    return [] if numbers is None else [_shown(number) for number in numbers]


def _shown(value: Any) -> str:
    return f"{value:.6g}" if type(value) is float else str(value)


_FORMATS: Final = {
    ("f", 8): "d",
    ("f", 4): "f",
    ("i", 8): "q",
    ("i", 4): "i",
    ("i", 2): "h",
    ("i", 1): "b",
    ("u", 8): "Q",
    ("u", 4): "I",
    ("u", 2): "H",
    ("u", 1): "B",
    ("b", 1): "?",
}


def _numbers(block: Block) -> memoryview[Any] | None:
    """The numbers of an array in the order of memory, without a copy."""
    dtype = block.dtype
    code = _FORMATS.get((dtype.kind, dtype.item_bytes))
    is_native = dtype.order in ("|", "=") or dtype.order == ("<" if _IS_LITTLE else ">")
    if code is None or block.raw is None or not is_native:
        return None
    return block.raw.cast(cast("Any", code))


_IS_LITTLE: Final = sys.byteorder == "little"


# Features


def _features(root: Any) -> tuple[str, ...]:
    """The input columns: of the model, or of the first step that knows them."""
    for _, state in _chain(root):
        names = _texts(state.get("feature_names_in_"))
        if names:
            return tuple(names[:MAX_FEATURES])
    return ()


def _chain(root: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
    """An estimator and, if it is a pipeline, its steps in order."""
    state = attributes(root)
    yield root, state
    for _, step in _steps(state, "steps"):
        yield step, attributes(step)


def _unused(root: Any, features: tuple[str, ...]) -> tuple[str, ...]:
    """Features that no tree splits on, or that all coefficients are zero for. Nothing where a
    step before the last mixes columns.
    """
    chain = list(_chain(root))
    if len(chain) > 1:
        if not all(class_of(step) in _KEEP_COLUMNS for step, _ in chain[1:-1]):
            return ()
        chain = chain[1:]
    last, state = chain[-1]
    count = state.get("n_features_in_")
    if type(count) is not int or not 0 < count <= MAX_FEATURES:
        return ()
    if features and len(features) != count:
        return ()
    used = _used_by_trees(last)
    if used is None:
        used = _used_by_coefficients(state, count)
    if used is None:
        return ()
    names = features or tuple(f"x{index}" for index in range(count))
    return tuple(name for index, name in enumerate(names) if index not in used)


def _used_by_trees(estimator: Any) -> set[int] | None:
    used: set[int] = set()
    has_trees = False
    for object_, state in _objects(estimator):
        is_tree = object_.name == _TREE
        if not is_tree and class_of(object_) != _PREDICTOR:
            continue
        nodes = block_of(state.get("nodes"))
        if nodes is None or nodes.raw is None or not _split_on(nodes, used):
            return None
        has_trees = True
    return used if has_trees else None


def _split_on(nodes: Block, used: set[int]) -> bool:
    """Add the features of all nodes that have children."""
    places = {name: (offset, dtype) for name, offset, dtype in nodes.dtype.fields}
    raw, size = nodes.raw, nodes.dtype.item_bytes
    if raw is None or not size or not _IS_LITTLE:
        return False
    feature = places.get("feature") or places.get("feature_idx")
    if feature is None or any(dtype.order == ">" for _, dtype in places.values()):
        return False
    offset, dtype = feature
    if (dtype.kind, dtype.item_bytes) not in (("i", 8), ("i", 4), ("u", 4)):
        return False
    if "feature" in places and size % 8 == 0 and offset % 8 == 0 and dtype.item_bytes == 8:
        # scikit-learn writes -2 for a leaf.
        used.update(index for index in set(raw.cast("q")[offset // 8 :: size // 8]) if index >= 0)
        return True
    leaf = places.get("is_leaf")
    if leaf is None or leaf[1].item_bytes != 1:
        return False
    code = {("i", 8): "q", ("i", 4): "i", ("u", 4): "I"}[dtype.kind, dtype.item_bytes]
    features = struct.Struct(f"<{offset}x{code}{size - offset - dtype.item_bytes}x")
    leaves = raw[leaf[0] :: size]
    for (index,), is_leaf in zip(features.iter_unpack(raw), leaves, strict=False):
        if not is_leaf:
            used.add(index)
    return True


def _used_by_coefficients(state: dict[str, Any], count: int) -> set[int] | None:
    block = block_of(state.get("coef_"))
    if block is None or block.dtype.kind != "f" or not block.shape or block.shape[-1] != count:
        return None
    numbers = _numbers(block)
    if numbers is None or len(block.shape) > 2:
        return None
    rows = len(numbers) // count
    if block.is_fortran:
        return {at for at in range(count) if any(numbers[at * rows : (at + 1) * rows])}
    return {at for at in range(count) if any(numbers[at::count])}
