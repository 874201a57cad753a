"""The served files side by side, and what is inside them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Literal

from msgspec import UNSET
from msgspec.structs import replace

from assent.compare.packages import compare_packages
from assent.compare.signature import compare_signature
from assent.compare.templates import compare_templates
from assent.compare.uncompared import uncompared
from assent.compare.values import compare_values
from assent.core.bundle import Bundle, ModelFile
from assent.core.diff.model import FileChange, ModelDiff, PartChange, TensorChange, Weights
from assent.core.digest import Digest
from assent.core.inspection import MORE_SETTINGS, Inspection, Part, Tensor
from assent.core.scalar import Scalar
from assent.core.tensor_names import aligned

_Pair = tuple[Part | None, Part | None]


def compare_model(
    old: Bundle | None,
    new: Bundle,
    *,
    old_inspection: Inspection | None = None,
    new_inspection: Inspection | None = None,
    weights: Weights | None = None,
) -> ModelDiff:
    """Files by path, digest and whether they may be run; parts by path, or by what they are if
    their name changed.
    """
    before = {} if old is None else {file.path: file for file in old.files}
    after = {file.path: file for file in new.files}
    changes: list[FileChange] = []
    for path in sorted(before.keys() | after.keys()):
        left, right = before.get(path), after.get(path)
        became = _became(left, right)
        is_same = left is not None and right is not None and left.digest == right.digest
        if is_same and became is None:
            continue
        changes.append(
            FileChange(
                path=path,
                old_size_bytes=UNSET if left is None else left.size_bytes,
                new_size_bytes=UNSET if right is None else right.size_bytes,
                became=became,
                has_other_bytes=not is_same,
            )
        )
    had = None if old is None else old_inspection or Inspection()
    sides = _Sides(old, new, had or Inspection(), new_inspection or Inspection())
    moved = Weights() if weights is None else weights
    return ModelDiff(
        old_size_bytes=None if old is None else old.size_bytes,
        new_size_bytes=new.size_bytes,
        files=len(new.files),
        changes=tuple(changes),
        is_inspected=new_inspection is not None,
        old_parameters=None if had is None else had.parameters,
        new_parameters=None if new_inspection is None else new_inspection.parameters,
        parts=sides.parts(),
        signature=compare_signature(had, new_inspection),
        weights=moved.changes,
        weights_compared=moved.compared,
        templates=compare_templates(sides.before, sides.after),
        not_compared=uncompared(sides.pairs, sides, weights),
    )


def _became(
    old: ModelFile | None, new: ModelFile | None
) -> Literal["executable", "not executable"] | None:
    if old is None or new is None or old.is_executable == new.is_executable:
        return None
    return "executable" if new.is_executable else "not executable"


class _Sides:
    """Both sides' parts, which of them belong together, and what of them is the same."""

    def __init__(
        self, old: Bundle | None, new: Bundle, before: Inspection, after: Inspection
    ) -> None:
        self._old, self._new = _digests(old), _digests(new)
        names = aligned(_tensor_names(before), _tensor_names(after))
        self.before = tuple(_renamed(part, names) for part in before.parts)
        self.after = after.parts
        self.pairs = _pairs(self.before, self.after, self._old, self._new)

    def are_same(self, old: Part, new: Part) -> bool:
        """Whether all bytes of both parts are the same."""
        return _content(old.path, self._old) == _content(new.path, self._new)

    def have_same_values(self, old: Part, new: Part) -> bool:
        """Whether the values of all tensors of both parts are the same bytes."""
        beside = old.beside == new.beside and all(
            self._old.get(path) == self._new.get(path) for path in new.beside
        )
        return beside and self.are_same(old, new)

    def parts(self) -> tuple[PartChange, ...]:
        tensors = _Tensors(self.pairs)
        had = frozenset(name for part in self.before for name in part.imports)
        has = frozenset(name for part in self.after for name in part.imports)
        changes = [_part(pair, tensors, self, had, has) for pair in self.pairs]
        return tuple(sorted(changes, key=lambda part: (part.path, part.new_format is None)))


def _tensor_names(inspection: Inspection) -> set[str]:
    return {tensor.name for part in inspection.parts for tensor in part.tensors}


def _renamed(part: Part, names: Mapping[str, str]) -> Part:
    if not names:
        return part
    renamed = (replace(tensor, name=names.get(tensor.name, tensor.name)) for tensor in part.tensors)
    return replace(part, tensors=tuple(renamed))


def _digests(bundle: Bundle | None) -> dict[str, Digest]:
    return {} if bundle is None else {file.path: file.digest for file in bundle.files}


def _pairs(
    before: Iterable[Part],
    after: Iterable[Part],
    old_digests: Mapping[str, Digest],
    new_digests: Mapping[str, Digest],
) -> list[_Pair]:
    """Parts that belong together: those of one path; of the rest those of the same bytes; of the
    rest the only one of its format on both sides, if it is a model and not a file beside one; of
    the rest those whose tensors have the same names, whatever the format.
    """
    old = {part.path: part for part in before}
    new = {part.path: part for part in after}
    pairs: list[_Pair] = [(old.pop(path), new.pop(path)) for path in sorted(old.keys() & new)]
    for left_keys, right_keys in (
        ({p: old_digests.get(p) for p in old}, {p: new_digests.get(p) for p in new}),
        (_formats(old), _formats(new)),
        (_tensors(old), _tensors(new)),
    ):
        partners = {key: path for path, key in _unique(right_keys, new).items()}
        for path, key in _unique(left_keys, old).items():
            if key in partners:
                pairs.append((old.pop(path), new.pop(partners[key])))
    return [*pairs, *((part, None) for part in old.values()), *((None, p) for p in new.values())]


def _formats(parts: Mapping[str, Part]) -> dict[str, str | None]:
    return {path: part.format if _is_model(part) else None for path, part in parts.items()}


def _is_model(part: Part) -> bool:
    """Whether something was found in a part that only a model has."""
    counts = part.parameters is not None or part.trees is not None or part.signature is not None
    return counts or bool(part.tensors or part.features or part.imports)


def _tensors(parts: Mapping[str, Part]) -> dict[str, str | None]:
    return {
        path: "\n".join(sorted(tensor.name for tensor in part.tensors)) or None
        for path, part in parts.items()
    }


def _unique(keys: Mapping[str, str | None], left: Mapping[str, Part]) -> dict[str, str]:
    """Paths that nobody took yet with their key, where no other has the same one."""
    open_keys = {path: key for path, key in keys.items() if path in left and key is not None}
    counts = Counter(open_keys.values())
    return {path: key for path, key in sorted(open_keys.items()) if counts[key] == 1}


class _Tensors:
    """Tensors that moved from one file to another: a model may be cut into other shards."""

    def __init__(self, pairs: Iterable[_Pair]) -> None:
        left: Counter[str] = Counter()
        came: Counter[str] = Counter()
        self._left: dict[str, Tensor] = {}
        for old, new in pairs:
            before, after = _named(old), _named(new)
            gone = before.keys() - after.keys()
            left.update(gone)
            came.update(after.keys() - before.keys())
            self._left.update((name, before[name]) for name in gone)
        self._moved = {name for name in left if left[name] == came[name] == 1}

    def changes(self, old: Part | None, new: Part | None) -> Iterator[TensorChange | None]:
        """What became of each tensor; None for one that is the same. One that moved is told
        where it went.
        """
        before, after = _named(old), _named(new)
        for name in sorted(before.keys() | after.keys()):
            left, right = before.get(name), after.get(name)
            if name in self._moved and right is None:
                continue
            if name in self._moved and left is None:
                left = self._left[name]
            yield None if left == right else TensorChange(name=name, old=left, new=right)


def _named(part: Part | None) -> dict[str, Tensor]:
    return {} if part is None else {tensor.name: tensor for tensor in part.tensors}


def _part(
    pair: _Pair, tensors: _Tensors, sides: _Sides, had_imports: Set[str], has_imports: Set[str]
) -> PartChange:
    """One part. A name that another part of the baseline imports has only moved."""
    old, new = pair
    either = new or old
    assert either is not None  # a pair has one side at least
    left, right = old or _nothing(either), new or _nothing(either)
    changes = list(tensors.changes(old, new))
    had, has = set(left.features), set(right.features)
    is_same = (
        old is not None
        and new is not None
        and _named(old) == _named(new)
        and replace(old, tensors=()) == replace(new, tensors=())
        and sides.are_same(old, new)
    )
    return PartChange(
        path=either.path,
        old_path=None if old is None or old.path == either.path else old.path,
        old_format=None if old is None else old.format,
        new_format=None if new is None else new.format,
        old_parameters=left.parameters,
        new_parameters=right.parameters,
        old_trees=left.trees,
        new_trees=right.trees,
        tensors=tuple(change for change in changes if change is not None),
        same_tensors=sum(change is None for change in changes),
        settings=compare_values(*_listed(left.settings, right.settings)),
        versions=compare_packages(left.versions, right.versions),
        added_features=tuple(name for name in right.features if name not in had),
        removed_features=tuple(name for name in left.features if name not in has),
        are_features_reordered=_is_reordered(left.features, right.features, had & has),
        unused=right.unused,
        added_imports=tuple(sorted(set(right.imports) - had_imports)),
        removed_imports=tuple(sorted(set(left.imports) - has_imports)),
        kept_imports=tuple(sorted(set(right.imports) & had_imports)),
        imports=len(right.imports),
        dangers=right.dangers,
        code=right.code,
        compression=right.compression,
        problem=right.problem,
        counted=right.counted,
        integers=sum(_integers(tensor) for tensor in right.tensors),
        notes=right.notes,
        not_read=right.not_read,
        is_changed=not is_same,
    )


def _listed(
    old: Mapping[str, Scalar], new: Mapping[str, Scalar]
) -> tuple[Mapping[str, Scalar], Mapping[str, Scalar]]:
    """The settings of both sides without those that one side has only in the digest of what was too
    much: they are neither new nor gone.
    """
    ends = [
        max(side.keys() - {MORE_SETTINGS}, default="")
        for side in (old, new)
        if MORE_SETTINGS in side
    ]
    if not ends:
        return old, new
    before, after = (
        {name: side[name] for name in side if name == MORE_SETTINGS or name <= min(ends)}
        for side in (old, new)
    )
    return before, after


def _integers(tensor: Tensor) -> int:
    is_whole = tensor.dtype.startswith(("int", "uint"))
    return math.prod(tensor.shape) if is_whole else 0


def _nothing(part: Part) -> Part:
    return Part(path=part.path, format=part.format, size_bytes=0)


def _content(path: str, digests: Mapping[str, Digest]) -> list[tuple[str, Digest]]:
    """The bytes of a part: of a file, or of every file of a folder that is a unit."""
    if path in digests:
        return [("", digests[path])]
    start = f"{path}/" if path not in ("", ".") else ""
    return sorted((name, digest) for name, digest in digests.items() if name.startswith(start))


def _is_reordered(old: Iterable[str], new: Iterable[str], both: set[str]) -> bool:
    """Whether the features of both sides stand in another order."""
    return [name for name in old if name in both] != [name for name in new if name in both]
