"""`site`: pages made of what the ledgers and the store say, for people who have neither."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from assent.core.clock import doubts
from assent.core.digest import Digest
from assent.core.entry import Entry
from assent.core.registry import TOLERANCE_S, seconds_between
from assent.errors import AssentError, ExitCode
from assent.publishing.folder import SiteFolder
from assent.publishing.versions import Gathered, Reading, chosen_metrics, directions
from assent.recording.reading import read_entries, read_ledger
from assent.report.site.addresses import folder_of
from assent.report.site.comparison import comparison_page, version_script
from assent.report.site.history import History, history_of
from assent.report.site.model import model_pages
from assent.report.site.overview import Overview, overview_page
from assent.report.site.pages import Page, look_pages
from assent.report.site.people import Deed, deeds, people_pages
from assent.report.site.search import search_pages
from assent.report.site.told import ModelTold, ModelUntold
from assent.report.site.version import version_page
from assent.workspace import Workspace


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
    reading = Reading(workspace)
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


def _model(reading: Reading, ledger: _Ledger, folder: SiteFolder) -> ModelTold:
    """Write the pages of a model, those of its versions as each is read."""
    history = ledger.history
    better = directions(reading.workspace.config.policies.get(history.model))
    gathered = Gathered(history, chosen_metrics(reading, history), better)
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
