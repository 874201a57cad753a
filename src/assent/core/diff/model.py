"""What changed in the model's files, and inside them."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from assent.core.diff.sameness import NotCompared, Same, sameness
from assent.core.diff.shape import Struct
from assent.core.diff.values import Values
from assent.core.inspection import Danger, Field, Tensor


class FileChange(Struct, frozen=True, kw_only=True):
    """A file that differs; sizes in bytes, `UNSET` is "not there". `became` says that it may be
    run now, or no more, which is served with its bytes; those may be the same.
    """

    path: str
    old_size_bytes: int | UnsetType = UNSET
    new_size_bytes: int | UnsetType = UNSET
    became: Literal["executable", "not executable"] | None = None
    has_other_bytes: bool = True


class TensorChange(Struct, frozen=True, kw_only=True):
    """A tensor of another shape or type; None is "not there"."""

    name: str
    old: Tensor | None = None
    new: Tensor | None = None


class WeightChange(Struct, frozen=True, kw_only=True):
    """How far a tensor of the same shape has moved: the Euclidean norm of the difference, as a
    fraction of the baseline's norm (0 only if every value is the same; None if that norm is 0, or
    what moved is too little for a number, or no number was before), and the cosine of both (None
    if either is 0). `nonfinite` counts values of the candidate that are no finite number.
    """

    name: str
    distance: float | None
    cosine: float | None
    nonfinite: int = 0


class Weights(Struct, frozen=True, kw_only=True):
    """How far the weights of two models lie apart: the tensors that both have, the most moved
    first, how many were compared, and those whose values nobody could read. `problem` says why
    none was compared.
    """

    changes: tuple[WeightChange, ...] = ()
    compared: int = 0
    not_compared: tuple[NotCompared, ...] = ()
    problem: str | None = None


class TemplateChange(Struct, frozen=True, kw_only=True):
    """A chat template that differs, by its name; None is "not there"."""

    name: str
    path: str
    old_path: str | None = None
    old: str | None = None
    new: str | None = None


class FieldChange(Struct, frozen=True, kw_only=True):
    """An input or output that differs; None is "not there"."""

    side: Literal["input", "output"]
    name: str
    old: Field | None = None
    new: Field | None = None
    is_breaking: bool = False


class SignatureChange(Struct, frozen=True, kw_only=True):
    """What callers must know. `verdict` is `same`, `compatible` (they need not change), `breaking`
    (they must), or `unknown` where one side states none.
    """

    verdict: Literal["same", "compatible", "breaking", "unknown"]
    fields: tuple[FieldChange, ...] = ()


class PartChange(Struct, frozen=True, kw_only=True):
    """A part of the model on both sides, by path; `format` None is "not there". `tensors` are
    those that came, went, or have another shape or type; `same_tensors` counts the others.
    `unused` are features of the candidate without weight or split. `old_path` is the path in the
    baseline of a part that was renamed. `counted` says what the parameters are, `integers` how
    many of them are whole numbers, such as packed ones. `not_read` says why nothing inside the
    candidate's file was looked at.
    """

    path: str
    old_path: str | None = None
    old_format: str | None = None
    new_format: str | None = None
    old_parameters: int | None = None
    new_parameters: int | None = None
    old_trees: int | None = None
    new_trees: int | None = None
    tensors: tuple[TensorChange, ...] = ()
    same_tensors: int = 0
    settings: Values = Values()
    versions: Values = Values()
    added_features: tuple[str, ...] = ()
    removed_features: tuple[str, ...] = ()
    are_features_reordered: bool = False
    unused: tuple[str, ...] = ()
    added_imports: tuple[str, ...] = ()
    removed_imports: tuple[str, ...] = ()
    kept_imports: tuple[str, ...] = ()
    imports: int = 0
    dangers: tuple[Danger, ...] = ()
    code: tuple[str, ...] = ()
    compression: str | None = None
    problem: str | None = None
    counted: str | None = None
    integers: int = 0
    notes: tuple[str, ...] = ()
    not_read: str | None = None
    is_changed: bool = False


class ModelDiff(Struct, frozen=True, kw_only=True):
    """The served files: sizes in bytes (None without a baseline), the files that differ, and what
    is inside. `weights` are the tensors that both sides have, the most moved first;
    `weights_compared` counts all that were compared. `not_compared` are the files and tensors of
    other bytes, or of bytes that nobody knows to be the same, whose content nobody has compared:
    they are never called the same.
    """

    old_size_bytes: int | None = None
    new_size_bytes: int = 0
    files: int = 0
    changes: tuple[FileChange, ...] = ()
    is_inspected: bool = False
    old_parameters: int | None = None
    new_parameters: int | None = None
    parts: tuple[PartChange, ...] = ()
    signature: SignatureChange | None = None
    weights: tuple[WeightChange, ...] = ()
    weights_compared: int = 0
    templates: tuple[TemplateChange, ...] = ()
    not_compared: tuple[NotCompared, ...] = ()

    @property
    def sameness(self) -> Same | None:
        """Whether every served file has the same bytes, and is served in the same way."""
        has_baseline = self.old_size_bytes is not None
        return sameness(self.files, bool(self.changes) or not has_baseline, self.not_compared)
