"""What `train` and `evaluate` leave for the next verb, below `.assent/work/`."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from assent.core.digest import Digest
from assent.core.evidence import Code, Environment, Evidence, Step
from assent.errors import OutsideError, UsageError
from assent.files import write_atomically

T = TypeVar("T")


class Trained(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`train` has finished: its step, and the digest of the model it left. `inputs` are the files
    that it started from, `code` the revision as it was before, `environment` is where it ran.
    `written` are the files of evidence that it wrote, `touched` the tracked files that differ from
    the commit only since, `unproven` the outputs that it may not have written, `products` the files
    among the inputs that came while it ran, `leftovers` those that an earlier run had left;
    `reused` says where a model was made that was taken over.
    """

    step: Step
    model_digest: Digest
    inputs: dict[str, Digest] = {}
    code: Code | None = None
    environment: Environment | None = None
    written: dict[str, Digest] = {}
    touched: tuple[str, ...] = ()
    reused: str = ""
    unproven: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    leftovers: tuple[str, ...] = ()


class Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What runs of Assent have left in the working tree: `outputs` by path, so that a later run
    may replace them, and `products`, which stand among the inputs and are none.
    """

    outputs: dict[str, Digest] = {}
    products: dict[str, Digest] = {}


class Evaluated(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`evaluate` has finished: the evidence, and the digest of the model it is about."""

    evidence: Evidence
    model_digest: Digest


def keep(work: Path, model: str, name: str, value: msgspec.Struct) -> None:
    """Leave `value` for the next verb."""
    write_atomically(work / "work" / model / f"{name}.json", msgspec.json.encode(value))


def kept(work: Path, model: str, name: str, kind: type[T]) -> T | None:
    """What the verb `name` left, or None."""
    path = work / "work" / model / f"{name}.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OutsideError(f"reading {path}", error.strerror or str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"reading {path}", f"it is damaged ({error})", hint=f"run `assent {name} --force`"
        ) from None


def forget(work: Path, model: str, name: str) -> None:
    """Take away what an earlier run left. Raises `OutsideError`."""
    path = work / "work" / model / f"{name}.json"
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise OutsideError(
            f"removing {path}",
            error.strerror or str(error),
            hint="make the folder writable and run the verb again",
        ) from None
