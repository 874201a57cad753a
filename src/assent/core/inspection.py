"""An inspection: what a model's files say when they are read without being run."""

from __future__ import annotations

import msgspec

from assent.core.scalar import Scalar

MORE_SETTINGS = "(other settings)"
"""The name of the setting that stands for all those of a part that were too many: those whose names
come last. It says how many they are, and their digest.
"""


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shape of every part of an inspection."""


class Tensor(Struct, frozen=True, kw_only=True):
    """An array of a model. `dtype` in lower case as NumPy names it (`float32`, `bfloat16`,
    `q4_k` for quantised blocks), `shape` outermost first.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]


class Field(Struct, frozen=True, kw_only=True):
    """One input or output of a model. `type` as the format names it; `shape` with None for a
    dimension that is free.
    """

    name: str
    type: str = ""
    shape: tuple[int | None, ...] | None = None
    is_optional: bool = False


class Signature(Struct, frozen=True, kw_only=True):
    """What a model takes and gives, as its file or its MLmodel states it."""

    inputs: tuple[Field, ...] = ()
    outputs: tuple[Field, ...] = ()


class Danger(Struct, frozen=True, kw_only=True):
    """Something in a file that can run code, or that hides what the file holds: `what` in a
    few words that name it (`imports os.system`, `custom code: Lambda layer "scale"`).
    """

    what: str
    detail: str = ""


class Part(Struct, frozen=True, kw_only=True):
    """One file, or one folder that is a unit (SavedModel), of a model.

    `format` is the reader's name (`safetensors`, `pickle`, `unknown`). `parameters` is the number
    of trained values. `settings` are hyper-parameters and other facts that the file holds,
    `versions` of opsets, formats and frameworks. `features` are input columns in order, `unused`
    those without any weight or split. `imports` are the names that loading would look up
    (`module.name`), sorted, each once; `dangers` what is a reason to block whatever was
    approved before; `code` custom code that the file carries. `problem` says why it could not be
    read, or not wholly: it is damaged, or larger than what is read.

    `beside` are other files of the model that hold values of its tensors. `counted` says what
    `parameters` counts. `templates` are chat templates by name (`default`). `notes` are oddities
    that block nothing. Nobody may say of two parts that what is in them is the same unless their
    bytes are: `not_read` says that nothing of the content is looked at, and `left_out` names what
    of it is not, though results depend on it (`the values of its trees`).
    """

    path: str
    format: str
    size_bytes: int
    parameters: int | None = None
    tensors: tuple[Tensor, ...] = ()
    trees: int | None = None
    settings: dict[str, Scalar] = {}
    versions: dict[str, str] = {}
    features: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    signature: Signature | None = None
    imports: tuple[str, ...] = ()
    dangers: tuple[Danger, ...] = ()
    code: tuple[str, ...] = ()
    compression: str | None = None
    problem: str | None = None
    beside: tuple[str, ...] = ()
    counted: str | None = None
    templates: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    not_read: str | None = None
    left_out: str | None = None


class Inspection(Struct, frozen=True, kw_only=True):
    """All parts of a model by path."""

    parts: tuple[Part, ...] = ()

    @property
    def parameters(self) -> int | None:
        """Trained values of all parts together, None if no part knows."""
        known = [part.parameters for part in self.parts if part.parameters is not None]
        return sum(known) if known else None

    @property
    def imports(self) -> frozenset[str]:
        """Every name that loading any part would look up."""
        return frozenset(name for part in self.parts for name in part.imports)

    @property
    def signature(self) -> Signature | None:
        """The first signature that a part states; a model states one."""
        return next((part.signature for part in self.parts if part.signature is not None), None)
