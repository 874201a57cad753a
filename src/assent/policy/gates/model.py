"""The gate on the model's files: what loading them could do, what they promise, their size."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from assent.core.diff import Diff
from assent.core.diff.model import FieldChange, PartChange
from assent.core.evidence import Evidence
from assent.core.inspection import Danger
from assent.core.units import count, fraction, size_bytes
from assent.core.verdict import Finding, Outcome
from assent.policy.gates.findings import Undecided, WithoutBaseline, alone, bounded, undecided
from assent.policy.gates.imports import KNOWN

_NOT_READ = ("unknown", "archive")
_PLAIN_YAML = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*(?::[A-Za-z0-9_./-]+)*")
_RUNS = re.compile(
    r"(?:os|posix|nt|subprocess|pty|commands|sys|socket|shutil|runpy|code|ctypes|importlib|pip"
    r"|webbrowser|asyncio)\."
    r"|(?:builtins|__builtin__)\.(?:eval|exec|compile|open|__import__|getattr|breakpoint)$"
)
_MAX_SHOWN = 50
_MAX_LINE = 200  # of the 300 characters that a finding shows
_ON_BASE = "on the base branch"


class ModelGate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`model: safe` blocks what could run code when the model is loaded: a name to import that
    neither the baseline has, nor `allow`, nor the short list of names that rebuild arrays; code in
    the files; a file that is damaged, or of a format that is not read. `allow` holds exact names.
    `signature` bounds what may change for callers. `max_size` bounds all served files together
    (`500MB`, `2GiB`, bytes), `max_growth` how much larger than the baseline they may be (`10%`, or
    a size). `undecided` says what it means where signatures were not compared; what could not be
    looked at is never safe.
    """

    model: Literal["any", "safe"]
    signature: Literal["same", "compatible"] | None = None
    max_size: str | int | None = None
    max_growth: str | int | None = None
    allow: tuple[Annotated[str, Meta(min_length=1)], ...] = ()
    undecided: Undecided = "block"

    def __post_init__(self) -> None:
        """Refuse a gate that judges nothing, a size that is none, and names that are patterns."""
        bounds = (self.signature, self.max_size, self.max_growth)
        if self.model == "any" and all(bound is None for bound in bounds):
            raise ValueError("`max_size` is missing (or signature, or max_growth, or model: safe)")
        if self.max_size is not None and size_bytes(self.max_size) <= 0:
            raise ValueError("max_size must be more than 0")
        if self.max_growth is not None:
            _growth(self.max_growth, 1)
        if self.allow and self.model != "safe":
            raise ValueError("allow needs model: safe")
        for name in self.allow:
            if "*" in name or name.endswith("."):
                raise ValueError(f"allow takes exact names only, not {name!r}")

    def judge(
        self, diff: Diff, evidence: Evidence, *, without_baseline: WithoutBaseline
    ) -> list[Finding]:
        """Findings on safety, signature and size, as far as the gate asks. What could not be
        looked at blocks.
        """
        del evidence  # the diff has what the files say
        findings: list[Finding] = []
        if self.model == "safe":
            findings.extend(self._safe(diff))
        if self.signature is not None:
            findings.append(_signature(self.signature, diff, without_baseline, self.undecided))
        if self.max_size is not None:
            findings.append(_size(self.max_size, diff))
        if self.max_growth is not None:
            findings.append(_grown(self.max_growth, diff, without_baseline))
        return findings

    def _safe(self, diff: Diff) -> list[Finding]:
        files = diff.model_files
        parts = [part for part in files.parts if part.new_format is not None]
        if not files.is_inspected or not parts:
            return [
                _unsafe(
                    "the model's files could not be looked into",
                    "",
                    "run `assent review` where the files of the model are",
                )
            ]
        approved = {
            name
            for part in files.parts
            for name in (*part.removed_imports, *part.kept_imports)
            if _is_approved(diff)
        }
        allowed = KNOWN | frozenset(self.allow) | approved
        findings = [finding for part in parts for finding in self._judge(part, diff, allowed)]
        if findings:
            return findings
        imports = sum(part.imports for part in parts)
        return [
            Finding(
                rule="model safe",
                outcome=Outcome.PASSED,
                reason="nothing in it could run unknown code",
                evidence=f"{count(len(parts), 'file')}, {count(imports, 'import')}",
            )
        ]

    def _judge(self, part: PartChange, diff: Diff, allowed: frozenset[str]) -> Iterator[Finding]:
        if part.dangers:
            yield _unsafe(
                "what is in it can run code, or hides what it does",
                f"{_code(part.path)}: {_listed([_danger(danger) for danger in part.dangers])}",
                "write the model again from code that you know, or in a format without code",
            )
        imports = (*part.added_imports, *part.kept_imports)
        added = sorted(name for name in imports if name not in allowed)
        for names in _lines(added):
            yield _unsafe(
                "loading it imports what "
                + ("the baseline does not" if _is_approved(diff) else "nobody has approved"),
                f"{_code(part.path)}: {_listed([_code(name) for name in names])}",
                _remedy(names),
            )
        is_same = _is_unchanged(part, diff)
        code = [] if is_same else [name for name in part.code if name not in self.allow]
        for names in _lines(code):
            yield _unsafe(
                "code is in it that could run",
                f"{_code(part.path)}: {_listed([_code(name) for name in names])}",
                f"if it is meant, add to the gate {_ON_BASE}: {_allow(names)}",
            )
        if part.new_format in _NOT_READ or part.not_read is not None:
            why = part.problem or part.not_read
            if not is_same and part.path not in self.allow:
                yield _unsafe(
                    "a file of a format that is not read, so nobody knows what it does",
                    f"{_code(part.path)}{'' if why is None else ': ' + why}",
                    f"leave it out, or add to the gate {_ON_BASE}: {_allow([part.path])}",
                )
        elif part.problem is not None:
            yield _unsafe(
                "a file that cannot be read wholly, so nobody knows what it does",
                f"{_code(part.path)}: {part.problem}",
                "write the model again, or leave the file out",
            )


def _remedy(names: Sequence[str]) -> str:
    """What to do about names to import. Those that are known to run commands are not for allowing
    first; this only words what blocks anyway.
    """
    if any(_RUNS.match(name) for name in names):
        return "do not load this file: it looks like one that runs commands; find out who made it"
    return f"if it is meant, add to the gate {_ON_BASE}: {_allow(names)}"


def _danger(danger: Danger) -> str:
    return danger.what if not danger.detail else f"{danger.what} ({_code(danger.detail)})"


def _is_approved(diff: Diff) -> bool:
    """Whether somebody has approved the baseline: it has a number. A bundle of the base branch that
    nobody has registered is compared with as well, but proves nothing.
    """
    return diff.baseline is not None and diff.baseline.version is not None


def _is_unchanged(part: PartChange, diff: Diff) -> bool:
    """Whether the approved baseline has the part, byte by byte."""
    if not _is_approved(diff) or part.old_format is None or part.is_changed:
        return False
    return not any(
        change.path == part.path or change.path.startswith(f"{part.path}/")
        for change in diff.model_files.changes
        if change.has_other_bytes
    )


def _signature(
    wanted: Literal["same", "compatible"],
    diff: Diff,
    without_baseline: WithoutBaseline,
    means: Undecided,
) -> Finding:
    rule = f"model signature {wanted}"
    change = diff.model_files.signature
    if diff.baseline is None:
        return alone(rule, "no baseline", without_baseline)
    if change is None or change.verdict == "unknown":
        return undecided(
            rule,
            "one of the two models does not state its inputs and outputs",
            means,
            remedy="save the model with a signature (MLmodel, ONNX, feature names)",
        )
    is_kept = change.verdict == "same" or (
        change.verdict == "compatible" and wanted == "compatible"
    )
    reasons = {
        "same": "inputs and outputs are the same",
        "compatible": "inputs or outputs are other ones; callers need not change",
        "breaking": "callers must change",
    }
    reason = reasons[change.verdict]
    return bounded(
        rule,
        is_kept,
        reason,
        reason,
        _listed([_field(field) for field in change.fields]),
        f"keep inputs and outputs, or change the gate {_ON_BASE}",
    )


def _field(change: FieldChange) -> str:
    what = "added" if change.old is None else "removed" if change.new is None else "changed"
    return f"{change.side} {_code(change.name)} {what}"


def _size(bound: str | int, diff: Diff) -> Finding:
    size = diff.model_files.new_size_bytes
    return bounded(
        f"model max_size {bound}",
        size <= size_bytes(bound),
        "within the bound",
        "too large",
        f"{size:,} bytes",
        f"make it smaller, or change the bound {_ON_BASE}",
    )


def _grown(bound: str | int, diff: Diff, without_baseline: WithoutBaseline) -> Finding:
    rule = f"model max_growth {bound}"
    old, new = diff.model_files.old_size_bytes, diff.model_files.new_size_bytes
    if old is None:
        return alone(rule, "no baseline", without_baseline)
    return bounded(
        rule,
        new - old <= _growth(bound, old),
        "within the bound",
        "it grew by more",
        f"{old:,} → {new:,} bytes",
        f"make it smaller, or change the bound {_ON_BASE}",
    )


def _growth(bound: str | int, old: int) -> float:
    """How many bytes more are allowed. Raises `ValueError`."""
    if isinstance(bound, str) and bound.strip().endswith("%"):
        return fraction(bound) * old
    amount = size_bytes(bound)
    if amount < 0:
        raise ValueError("max_growth must not be less than 0")
    return amount


def _unsafe(reason: str, evidence: str, remedy: str) -> Finding:
    return Finding(
        rule="model safe", outcome=Outcome.FAILED, reason=reason, evidence=evidence, remedy=remedy
    )


def _allow(names: Sequence[str]) -> str:
    """What to write into `assent.yaml` to allow these names."""
    return f"`allow: [{', '.join(_yaml(name) for name in names)}]`"


def _lines(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Names in groups that a sentence of the comment has room for."""
    start, length = 0, 0
    for at, name in enumerate(names):
        if at > start and length + len(name) > _MAX_LINE:
            yield names[start:at]
            start, length = at, 0
        length += len(name) + 2
    if start < len(names):
        yield names[start:]


def _yaml(name: str) -> str:
    return name if _PLAIN_YAML.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _listed(words: Sequence[str]) -> str:
    more = len(words) - _MAX_SHOWN
    return ", ".join(words[:_MAX_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def _code(text: str) -> str:
    return f"`{text}`"
