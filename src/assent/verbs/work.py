"""What `train` and `evaluate` leave for the next verb, below `.assent/work/`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

import msgspec

from assent.core.digest import Digest
from assent.core.evidence import Environment, Evidence, Step
from assent.errors import OutsideError, UsageError

T = TypeVar("T")


class Trained(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`train` has finished: its step, the digest of the model it left, and where it ran."""

    step: Step
    model_digest: Digest
    environment: Environment | None = None


class Evaluated(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`evaluate` has finished: the evidence, and the digest of the model it is about."""

    evidence: Evidence
    model_digest: Digest


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all. Raises `OutsideError`."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            draft.write_bytes(content)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise OutsideError(
            f"writing {path}",
            error.strerror or str(error),
            hint="make room, or make the folder writable, and run the verb again",
        ) from None


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
