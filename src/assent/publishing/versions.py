"""What pages need of the versions of a model, gathered while each is read once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from assent.core.diff.metrics import Better, slice_of
from assent.core.direction import direction, is_turned
from assent.core.entry import Kind
from assent.core.evidence import Evidence
from assent.core.scalar import number as finite
from assent.errors import AssentError
from assent.making.bundles import open_bundle, read_bundle
from assent.policy.directions import stated
from assent.policy.rules import Policy
from assent.ports import NoAccessError
from assent.report.site.bounds import Bound, bounds_in
from assent.report.site.history import History, VersionHistory
from assent.report.site.told import Facts
from assent.report.site.trend import Trend
from assent.report.site.version import VersionTold, ranked
from assent.threads import each
from assent.workspace import Workspace

_MOST_TRENDS = 24
_AT_ONCE = 12


@dataclass
class Reading:
    """What reads evidence. A store that does not let us in is asked once."""

    workspace: Workspace
    closed: str = ""

    def each(
        self, model: str, versions: Sequence[VersionHistory]
    ) -> Iterator[tuple[VersionHistory, Facts]]:
        """The versions in their order, each with its facts. Over a network a few are read at once:
        there waiting takes longer than all else.
        """
        if not self.workspace.store.is_elsewhere:
            yield from ((version, self.facts(model, version)) for version in versions)
            return

        def read(version: VersionHistory) -> Facts:
            return self.facts(model, version)

        for at in range(0, len(versions), _AT_ONCE):
            few = versions[at : at + _AT_ONCE]
            yield from zip(few, each(read, few, _AT_ONCE), strict=True)

    def facts(self, model: str, version: VersionHistory) -> Facts:
        """The bundle of a version with its evidence, or why there is none."""
        purged = version.last(Kind.PURGED)
        if purged is not None:
            return Facts(problem=f"it was purged by entry {purged.seq} of the ledger")
        if self.closed:
            return Facts(problem=self.closed)
        try:
            bundle = read_bundle(self.workspace, model, version.bundle)
            loaded = open_bundle(self.workspace, bundle, version.number)
        except NoAccessError as error:
            self.closed = str(error)
            return Facts(problem=self.closed)
        except AssentError as error:
            return Facts(problem=str(error))
        return Facts(bundle=loaded.bundle, evidence=loaded.evidence)


def chosen_metrics(reading: Reading, history: History) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The metrics of the newest version that can be read: those that are drawn, then all."""
    for version in reversed(list(history.versions.values())):
        evidence = reading.facts(history.model, version).evidence
        if evidence is None:
            continue
        gated = {bound.metric: bound for bound in _bounds(version)}
        names = ranked(evidence.metrics, gated)
        numbers = [name for name in names if finite(evidence.metrics[name]) is not None]
        whole = [name for name in numbers if name in gated or slice_of(name) is None]
        return tuple((whole or numbers)[:_MOST_TRENDS]), tuple(names)
    return (), ()


def _bounds(version: VersionHistory) -> tuple[Bound, ...]:
    verdict = version.registered.verdict
    return () if verdict is None else bounds_in(verdict.findings)


Directions = Callable[[str, Iterable[object]], Better | None]


def directions(policy: Policy | None) -> Directions:
    """Which way is better of a metric with these values, as a review has it: what the policy says,
    else what the name says, unless somebody has turned the metric round.
    """
    of_policy = cache(lambda _: None) if policy is None else cache(stated(policy))
    named = cache(direction)

    def better(name: str, values: Iterable[object]) -> Better | None:
        its = of_policy(name)
        if its is None and not any(is_turned(name, value) for value in values):
            its = named(name)
        return its

    return better


@dataclass
class Gathered:
    """What is kept of each version while all are read: few numbers, not the evidence."""

    history: History
    chosen: tuple[tuple[str, ...], tuple[str, ...]]
    better: Directions
    unread: dict[int, str] = field(default_factory=dict)
    values: dict[str, dict[int, float]] = field(default_factory=dict)
    bounds: dict[str, dict[int, tuple[Bound, ...]]] = field(default_factory=dict)
    data: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def metrics(self) -> tuple[str, ...]:
        """All metrics of the newest version."""
        return self.chosen[1]

    def take(self, version: VersionHistory, facts: Facts) -> None:
        """Keep what later pages need of a version; the oldest comes first."""
        bounds = _bounds(version)
        for name in self.chosen[0]:
            of_metric = tuple(bound for bound in bounds if bound.metric == name)
            if of_metric:
                self.bounds.setdefault(name, {})[version.number] = of_metric
        if facts.evidence is None:
            self.unread[version.number] = facts.problem
            self.data = {}  # nobody knows what this one was made of
            return
        for name in self.chosen[0]:
            value = finite(facts.evidence.metrics.get(name))
            if value is not None:
                self.values.setdefault(name, {})[version.number] = value
        # In the versions just before, without a gap: what is no longer there has begun anew.
        contents = _contents(facts.evidence)
        self.data = {key: self.data.get(key, version.number) for key in contents}

    def told(self, version: VersionHistory, facts: Facts) -> VersionTold:
        """A version with what is known of those before it. That data is new is said only where all
        of those were read.
        """
        history, number = self.history, version.number
        since = {
            key[0]: self.data[key]
            for key in (() if facts.evidence is None else _contents(facts.evidence))
            if self.data[key] != number or not self.unread
        }
        return VersionTold(
            model=history.model,
            history=version,
            facts=facts,
            doubts={
                entry.seq: history.doubts[entry.seq]
                for entry in version.entries
                if entry.seq in history.doubts
            },
            earlier=number - 1 if number - 1 in history.versions else None,
            later=number + 1 if number + 1 in history.versions else None,
            data_since=since,
            better=self._better(facts),
        )

    def _better(self, facts: Facts) -> dict[str, Better]:
        metrics = {} if facts.evidence is None else facts.evidence.metrics
        ways = ((name, self.better(name, [value])) for name, value in metrics.items())
        return {name: way for name, way in ways if way is not None}

    def trends(self) -> tuple[Trend, ...]:
        """The chosen metrics over all versions."""
        held = self.history.holding(self.history.last_stage)
        return tuple(
            Trend(
                metric=name,
                better=self.better(name, self.values.get(name, {}).values()),
                values=self.values.get(name, {}),
                bounds=self.bounds.get(name, {}),
                unread=len(self.unread),
                standing=None if held is None else held.version,
            )
            for name in self.chosen[0]
        )


def _contents(evidence: Evidence) -> list[tuple[str, str]]:
    """The data sets of a version with what says which content they had."""
    return [
        (reference.name, content)
        for reference in evidence.data
        if (content := reference.digest or reference.snapshot) is not None
    ]
