"""`site`: pages made of what the ledgers and the store say, for people who have neither."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import msgspec

from assent.core.bundle import is_safe_path
from assent.core.clock import doubts
from assent.core.diff.metrics import Better, slice_of
from assent.core.digest import Digest, canonical_json
from assent.core.direction import direction, is_turned
from assent.core.entry import Entry, Kind
from assent.core.evidence import Evidence
from assent.core.registry import TOLERANCE_S, seconds_between
from assent.core.scalar import number as finite
from assent.errors import AssentError, ExitCode, OutsideError, UsageError
from assent.making.bundles import open_bundle, read_bundle
from assent.policy.directions import stated
from assent.policy.rules import Policy
from assent.ports import NoAccessError
from assent.recording.reading import read_entries, read_ledger
from assent.report.site.addresses import folder_of
from assent.report.site.bounds import Bound, bounds_in
from assent.report.site.comparison import comparison_page, version_script
from assent.report.site.history import History, VersionHistory, history_of
from assent.report.site.model import model_pages
from assent.report.site.overview import Overview, overview_page
from assent.report.site.pages import Page, look_pages
from assent.report.site.people import Deed, deeds, people_pages
from assent.report.site.search import search_pages
from assent.report.site.told import Facts, ModelTold, ModelUntold
from assent.report.site.trend import Trend
from assent.report.site.version import VersionTold, ranked, version_page
from assent.threads import each
from assent.workspace import Workspace

LIST = ".assent-site.json"
FORMAT = "assent/site/1"
_MOST_TRENDS = 24
_AT_ONCE = 12


class SiteModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model on the site: how many versions it has there, and of how many the evidence could not
    be read; or why it could not be read at all.
    """

    model: str
    versions: int = 0
    unread: int = 0
    problem: str | None = None
    hint: str | None = None


class SiteResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was written: the folder, its first page, and the paths of the pages that were written,
    left as they were and removed. `code` is that of the first model that cannot be read.
    """

    to: Path
    index: Path
    models: tuple[SiteModel, ...]
    written: tuple[str, ...]
    unchanged: int
    removed: tuple[str, ...]
    code: int = ExitCode.DONE

    @property
    def exit_code(self) -> int:
        """0, or the exit code of what went wrong with one of the models."""
        return self.code


def site(workspace: Workspace, target: Path) -> SiteResult:
    """Write the pages of every model that the configuration or a ledger names to a folder. What
    cannot be read is said on the pages and does not hide the rest.
    """
    folder = SiteFolder.opened(target)
    names = sorted({*workspace.config.models, *workspace.ledger.models()})
    reading = _Reading(workspace)
    models: list[ModelTold | ModelUntold] = []
    told: list[SiteModel] = []
    code: int = ExitCode.DONE
    for name in names:
        try:
            ledger = _ledger(workspace, name)
        except AssentError as error:
            code = code or error.exit_code
            folder.keep_below(folder_of(name))  # what is known of it is old, and not gone
            models.append(ModelUntold(model=name, problem=str(error), hint=error.hint or ""))
            told.append(SiteModel(model=name, problem=str(error), hint=error.hint))
            continue
        model = _model(reading, ledger, folder)
        models.append(model)
        told.append(
            SiteModel(model=name, versions=len(model.history.versions), unread=len(model.unread))
        )
    for page in _shared_pages(workspace, models):
        folder.put(page)
    removed = folder.finish()
    return SiteResult(
        to=target,
        index=target / "index.html",
        models=tuple(told),
        written=tuple(folder.written),
        unchanged=folder.unchanged,
        removed=removed,
        code=code,
    )


def _shared_pages(
    workspace: Workspace, models: Sequence[ModelTold | ModelUntold]
) -> Iterator[Page]:
    read = [model for model in models if isinstance(model, ModelTold)]
    done: list[Deed] = [deed for model in read for deed in deeds(model.history)]
    yield from look_pages()
    yield from people_pages(done)
    yield from search_pages(read, done)
    yield overview_page(Overview(models=tuple(models), made_at=workspace.now))


# --- one model ----------------------------------------------------------------------------------


@dataclass
class _Reading:
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


class _Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger as it was read, and what was said meanwhile."""

    head: Digest
    history: History
    remarks: tuple[str, ...]


def _ledger(workspace: Workspace, model: str) -> _Ledger:
    """The ledger of a model, all of it proven."""
    remarks: list[str] = []
    view = read_ledger(replace(workspace, say=remarks.append), model, alone=True)
    entries = read_entries(view)
    policy = workspace.config.policies.get(model)
    if policy is None:
        remarks.append(f"{model} is not in assent.yaml any more; this is what its ledger holds")
    for remark in remarks:
        workspace.say(remark)
    stages = () if policy is None else list(policy.stages)
    history = history_of(model, entries, stages, _doubts(workspace, entries))
    return _Ledger(head=view.head, history=history, remarks=tuple(remarks))


def _model(reading: _Reading, ledger: _Ledger, folder: SiteFolder) -> ModelTold:
    """Write the pages of a model, those of its versions as each is read."""
    history = ledger.history
    better = _directions(reading.workspace.config.policies.get(history.model))
    gathered = _Gathered(history, _chosen(reading, history), better)
    for version, facts in reading.each(history.model, list(history.versions.values())):
        gathered.take(version, facts)
        told = gathered.told(version, facts)
        folder.put(version_page(told))
        folder.put(version_script(told))
    made = ModelTold(
        model=history.model,
        head=ledger.head,
        history=history,
        trends=gathered.trends(),
        metrics=gathered.metrics,
        unread=gathered.unread,
        remarks=ledger.remarks,
    )
    for page in (*model_pages(made), comparison_page(made)):
        folder.put(page)
    versions, entries = len(history.versions), len(history.entries)
    reading.workspace.say(f"{history.model}: {versions:,} versions, {entries:,} entries")
    return made


def _doubts(workspace: Workspace, entries: Sequence[Entry]) -> dict[int, str]:
    """Why dates cannot be right, by the number of the entry."""
    doubtful = doubts([entry.dated for entry in entries], workspace.machine_now)
    now = workspace.machine_now
    return {
        # The time of this run would make each run's pages others.
        seq: _AHEAD if seconds_between(now, doubt.at) > TOLERANCE_S else doubt.why
        for seq, doubt in doubtful.items()
    }


_AHEAD = "it was in the future when this page was made"


def _chosen(reading: _Reading, history: History) -> tuple[tuple[str, ...], tuple[str, ...]]:
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


def _directions(policy: Policy | None) -> Directions:
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
class _Gathered:
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


# --- the folder ---------------------------------------------------------------------------------


class _Listed(msgspec.Struct, frozen=True, kw_only=True):
    """What a folder holds of an earlier run: its pages, and the digest of what each is made of."""

    pages: dict[str, str]
    format: str = FORMAT


@dataclass
class SiteFolder:
    """The folder that pages are written to. It remembers what each was made of, so that those of
    which nothing has changed are left alone, and those that are no page any more are removed.
    Nothing else in it is touched.
    """

    target: Path
    listed: dict[str, str]
    kept: dict[str, Digest] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    unchanged: int = 0
    _folders: set[Path] = field(default_factory=set)

    @classmethod
    def opened(cls, target: Path) -> SiteFolder:
        """The folder as it is. Raises `UsageError` for one that holds something else: a site is
        published with all that lies beside it.
        """
        doing = f"writing the site to {target}"
        if target.is_symlink() or (target.exists() and not target.is_dir()):
            raise UsageError(doing, "it is no folder", hint="name a new folder with --to")
        listed = target / LIST
        if not listed.exists():
            if target.exists() and any(target.iterdir()):
                raise UsageError(
                    doing,
                    "the folder holds something else",
                    hint="name a new or empty folder: what lies there would be published too",
                )
            folder = cls(target, {})
            folder._remember({})  # so that one that is not finished is known again
            return folder
        with suppress(msgspec.DecodeError, UnicodeDecodeError, OSError):
            known = msgspec.json.decode(listed.read_bytes(), type=_Listed)
            if known.format == FORMAT:
                safe = {path: made for path, made in known.pages.items() if is_safe_path(path)}
                return cls(target, safe)
        raise UsageError(
            doing,
            f"its list of pages, {LIST}, cannot be read, so that nobody knows which are old",
            hint="name a new folder, or remove this one",
        )

    def put(self, page: Page) -> None:
        """Write a page unless it stands there as it would be written."""
        made = page.digest
        self.kept[page.path] = made
        path = self.target / page.path
        if self.listed.get(page.path) == made and path.is_file() and not path.is_symlink():
            self.unchanged += 1
            return
        content = page.content()
        if not self.written:
            # Until this run has ended nobody knows what each page is made of: were it to end here,
            # one that is the same as before the run would be taken for it.
            self._remember(dict.fromkeys(self.listed, ""))
        self._write(path, content)
        self.written.append(page.path)

    def keep_below(self, folder: str) -> None:
        """Leave the pages of a folder as they are, which cannot be made now."""
        self.kept |= {
            path: Digest(made) for path, made in self.listed.items() if path.startswith(folder)
        }

    def finish(self) -> tuple[str, ...]:
        """Remove what is no page any more, and remember what is; the paths that were removed."""
        removed = sorted(self.listed.keys() - self.kept.keys())
        for name in removed:
            path = self.target / name
            if not any(parent.is_symlink() for parent in self._between(path)):
                path.unlink(missing_ok=True)
        self._remember(self.kept)
        return tuple(removed)

    def _remember(self, pages: Mapping[str, str]) -> None:
        self._write(self.target / LIST, canonical_json(_Listed(pages=dict(pages))))

    def _between(self, path: Path) -> list[Path]:
        return [parent for parent in path.parents if parent.is_relative_to(self.target)]

    def _write(self, path: Path, content: bytes) -> None:
        """A file that is there whole or not at all. Whoever builds again overwrites what was left
        half-written.
        """
        doing = f"writing {path}"
        try:
            if path.parent not in self._folders:
                self._make_folder(path.parent)
            draft = path.with_name(f".{path.name}.tmp")
            with suppress(FileNotFoundError):
                draft.unlink()
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with os.fdopen(os.open(draft, flags, 0o666), "wb") as file:
                file.write(content)
            draft.replace(path)
        except OSError as error:
            raise OutsideError(
                doing,
                error.strerror or str(error),
                hint="make room, or make the folder writable, and run the verb again",
            ) from None

    def _make_folder(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for parent in [folder, *self._between(folder)]:
            if parent.is_symlink():
                raise UsageError(
                    f"writing the site to {self.target}",
                    f"{parent} is a link to somewhere else",
                    hint="remove it, or name another folder",
                )
        self._folders.add(folder)
