"""Models of one `assent.yaml` beside each other: what of the one is no file of the other."""

from __future__ import annotations

from collections.abc import Iterable

from assent.config.settings import ModelSettings
from assent.making.outputs import Outputs, declared_by, outputs_of
from assent.measure.patterns import base_of, covers, relates


class Others:
    """The other models of an `assent.yaml`.

    What they write is no input of a model whose patterns happen to cover it (`**`): whether it is
    there depends on what was run before. But a model may read it, so that what it is made from
    counts instead. A pattern that leads into the outputs of another model means them.
    """

    def __init__(self, settings: Iterable[ModelSettings] = ()) -> None:
        self._all = tuple((setting, outputs_of(setting)) for setting in settings)

    def claim(self, pattern: str, name: str) -> bool:
        """Whether a file is an output of another model that `pattern` only happens to cover."""
        return any(
            outputs.cover(name) and not _leads_into(pattern, outputs) for _, outputs in self._all
        )

    def above(self, patterns: Iterable[str]) -> tuple[ModelSettings, ...]:
        """The models whose outputs `patterns` happen to cover, and so on, in their order."""
        waiting = [*patterns]
        above: list[ModelSettings] = []
        while waiting:
            pattern = waiting.pop()
            for settings, outputs in self._all:
                if settings not in above and _may_cover(pattern, outputs):
                    above.append(settings)
                    waiting += declared_by(settings)
        return tuple(setting for setting, _ in self._all if setting in above)


def _may_cover(pattern: str, outputs: Outputs) -> bool:
    if _leads_into(pattern, outputs):
        return False
    return any(relates(pattern, base_of(output) or ".") for output in outputs.own)


def _leads_into(pattern: str, outputs: Outputs) -> bool:
    """Whether a pattern names an output, or begins in one."""
    return any(covers(output, base_of(pattern)) for output in outputs.own if base_of(pattern))
