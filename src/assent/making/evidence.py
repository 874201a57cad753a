"""What `evaluate` measures of data and predictions, beside what the team's own files say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from itertools import combinations

import msgspec
from msgspec import UNSET

from assent.compare.predictions import compare_predictions
from assent.config.settings import DataSettings, ModelSettings
from assent.core.digest import Digest
from assent.core.evidence import Attachment, DataReference, Evidence, Predictions, Problem
from assent.core.profile import DataProfile, Overlap, RowChanges
from assent.core.scalar import Scalar
from assent.errors import AssentError, OutsideError, to_install
from assent.making.attachments import attach, read_attachment
from assent.making.bundle_lookup import baseline
from assent.measure import engine
from assent.measure.data import read_data
from assent.measure.dialect import AS_WRITTEN, Reading
from assent.measure.files import declared
from assent.measure.plots import plot_type
from assent.measure.predictions.loading import load_predictions
from assent.measure.predictions.reading import read_predictions
from assent.measure.profiles.databases import is_database
from assent.measure.profiles.encoding import MEDIA_TYPE, decode_profile, encode_profile
from assent.measure.profiles.overlap import overlap
from assent.measure.profiles.profile import profile_data
from assent.measure.profiles.reading import Table, is_table, open_table
from assent.measure.profiles.rows import row_changes
from assent.measure.profiles.spark import overlap_with_spark, profile_with_spark
from assent.measure.redaction import redact_text
from assent.policy.gates.data import DataGate
from assent.policy.rules import Policy
from assent.recording.reading import read_ledger
from assent.workspace import Workspace

PREDICTIONS_TYPE = "application/vnd.apache.parquet"
PLOTS = "plots/"
"""The folder of plots among the attachments."""
MAX_PLOT_BYTES = 2_000_000
MAX_PLOTS = 24


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, and what could not be read."""

    data: tuple[DataReference, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    row_changes: tuple[RowChanges, ...] = ()
    predictions: Predictions | None = None
    metrics: dict[str, Scalar] = {}
    attachments: tuple[Attachment, ...] = ()
    problems: tuple[Problem, ...] = ()


def measure(workspace: Workspace, model: str, *, plots: Collection[str] | None = None) -> Measured:
    """Measure the data sets, the predictions and the plots that `assent.yaml` declares; of plots
    only those called `plots`, if that is given.

    What cannot be read is a problem and never an exception. Where the baseline's profiles can be
    had from here, rows are counted in their bins too, so that the comparison is exact.
    """
    measuring = _Measuring(workspace, model)
    measuring.data()
    measuring.predictions()
    measuring.plots(plots)
    return measuring.measured()


class _Measuring:
    """One evaluation being measured."""

    def __init__(self, workspace: Workspace, model: str) -> None:
        self._workspace = workspace
        self._model = model
        self._settings: ModelSettings = workspace.settings(model)
        self._policy: Policy = workspace.config.policies[model]
        self._data: list[DataReference] = []
        self._overlaps: list[Overlap] = []
        self._rows: list[RowChanges] = []
        self._predictions: Predictions | None = None
        self._metrics: dict[str, Scalar] = {}
        self._attachments: list[Attachment] = []
        self._problems: list[Problem] = []
        self._tables: dict[str, Table] = {}
        self._spark: set[str] = set()

    def measured(self) -> Measured:
        return Measured(
            data=tuple(self._data),
            overlaps=tuple(self._overlaps),
            row_changes=tuple(self._rows),
            predictions=self._predictions,
            metrics=self._metrics,
            attachments=tuple(self._attachments),
            problems=tuple(self._problems),
        )

    def data(self) -> None:
        sets = self._settings.data_sets
        profiled = {
            name for name, data_set in sets.items() if data_set.profile and self._is_table(data_set)
        }
        if profiled and not engine.is_installed():
            self._workspace.say(
                f"evaluating {self._model}: data is not profiled; it takes `{to_install('data')}`"
            )
            profiled = set()
        for name, data_set in sets.items():
            reference, problem = read_data(
                self._workspace.root,
                name,
                data_set.path,
                data_set.snapshot,
                count_rows=name not in profiled,
                hashes=self._workspace.hashes,
                reading=_reading(data_set),
            )
            self._problems += [] if problem is None else [problem]
            if reference is not None:
                self._data.append(msgspec.structs.replace(reference, label=data_set.label))
        wanted = [reference for reference in self._data if reference.name in profiled]
        if not wanted:
            return
        before = self._baseline()
        with ExitStack() as opened:
            for reference in wanted:
                self._profile(reference, sets[reference.name], before, opened)
            self._pairs(sets)

    def _is_table(self, settings: DataSettings) -> bool:
        return settings.engine == "spark" or is_table(self._workspace.root, settings.path)

    def _baseline(self) -> Evidence | None:
        """The evidence of the baseline, if it can be had from here: a job that runs the code of a
        change may reach neither the ledger nor the store.
        """
        workspace = self._workspace
        try:
            view = read_ledger(workspace, self._model)
            bundle = baseline(workspace, view, self._model, list(self._policy.stages))
        except AssentError:
            return None
        return None if bundle is None else bundle.evidence

    def _profile(
        self,
        reference: DataReference,
        settings: DataSettings,
        before: Evidence | None,
        opened: ExitStack,
    ) -> None:
        name = reference.name
        root = self._workspace.root
        self._workspace.say(f"evaluating {self._model}: profiling data {name}")
        known = _Earlier(self._workspace, before, name)
        reading = _reading(settings)
        try:
            if settings.engine == "spark":
                source = self._spark_source(settings)
                has_names = settings.header is True
                profiled = partial(profile_with_spark, source, has_names=has_names)
            else:
                table = opened.enter_context(open_table(root, settings.path, reading=reading))
                self._tables[name] = table
                for note in table.texts.notes:
                    self._workspace.say(f"evaluating {self._model}: data {name}: {note}")
                profiled = partial(profile_data, table)
                if settings.previous is not None:
                    with open_table(root, settings.previous, reading=reading) as earlier:
                        key = settings.key_columns
                        self._rows.append(row_changes(earlier, table, name=name, key=key))
            profile = profiled(
                against=known.profile,
                against_digest=known.digest,
                leave_out=settings.leave_out,
                key=settings.key_columns,
                hash_values=settings.hash_values,
                salt=self._model.encode(),
            )
        except OutsideError as error:  # without a profile, gates on this data block
            self._workspace.say(f"evaluating {self._model}: data {name}: {error.problem}")
            return
        except AssentError as error:
            self._problem(settings.path, f"data {name}: {_said(error)}")
            return
        if settings.engine == "spark":
            self._spark.add(name)
        self._attach(f"profiles/{name}.json.gz", encode_profile(profile), MEDIA_TYPE)
        self._data[self._data.index(reference)] = msgspec.structs.replace(
            reference, profile=self._attachments[-1].digest, rows=profile.rows
        )

    def _pairs(self, sets: Mapping[str, DataSettings]) -> None:
        """What data sets share: those that a gate names, and those for training and testing."""
        named = {
            tuple(gate.between)
            for gate in self._policy.gates
            if isinstance(gate, DataGate) and gate.between
        }
        usual = {
            (first, second)
            for first, second in combinations(sets, 2)
            if first.startswith("train") and not second.startswith("train")
        }
        for first, second in sorted(named | usual):
            if not {first, second} <= self._tables.keys() | self._spark:
                continue
            pair = sets[first], sets[second]
            if not self._spark.isdisjoint((first, second)) and not all(map(_is_for_spark, pair)):
                self._workspace.say(
                    f"evaluating {self._model}: what {first} and {second} share is not counted: "
                    "Spark reads one of them, and not the other"
                )
                continue
            try:
                shared = self._overlap((first, second), pair)(
                    names=(first, second),
                    key=_common_key(*(side.key_columns for side in pair)),
                    without={
                        name for side in pair for name in (*side.key_columns, *side.leave_out)
                    },
                )
            except AssentError as error:
                self._problem(sets[second].path, f"data {first} and {second}: {_said(error)}")
                continue
            self._overlaps.append(shared)

    def _overlap(
        self, names: tuple[str, str], pair: tuple[DataSettings, DataSettings]
    ) -> Callable[..., Overlap]:
        """What counts the rows that two data sets share: Spark, where it has read one of them."""
        if self._spark.isdisjoint(names):
            return partial(overlap, *(self._tables[name] for name in names))
        return partial(overlap_with_spark, *map(self._spark_source, pair))

    def _spark_source(self, settings: DataSettings) -> str:
        path = settings.path
        if "://" in path or path.startswith("spark:"):
            return path
        return str(self._workspace.root / path)

    def predictions(self) -> None:
        settings = self._settings.predictions
        if settings is None:
            return
        try:
            predictions, content = read_predictions(self._workspace.root, settings)
            if settings.keep:
                self._attach("predictions.parquet", content, PREDICTIONS_TYPE)
                self._predictions = predictions
                return
            _, changes = compare_predictions(None, load_predictions(content, predictions))
        except AssentError as error:
            self._problem(settings.path, _said(error))
            return
        self._metrics = {change.name: change.new for change in changes if change.new is not UNSET}

    def plots(self, names: Collection[str] | None) -> None:
        paths, problems = declared(self._workspace.root, self._settings.plots)
        self._problems += problems
        paths = {name: path for name, path in paths.items() if names is None or name in names}
        for source, path in list(paths.items())[:MAX_PLOTS]:
            size = path.stat().st_size
            kind = plot_type(path)
            if kind is None:
                self._problem(source, "it is no PNG, JPEG, SVG or Vega-Lite file")
            elif size > MAX_PLOT_BYTES:
                self._problem(source, f"a plot of {size:,} bytes; at most {MAX_PLOT_BYTES:,}")
            else:
                self._attach(f"{PLOTS}{source}", path.read_bytes(), kind)

    def _attach(self, path: str, content: bytes, kind: str) -> None:
        self._attachments.append(attach(self._workspace, self._model, path, content, kind))

    def _problem(self, source: str, problem: str) -> None:
        self._problems.append(Problem(source=redact_text(source), problem=redact_text(problem)))


def _said(error: AssentError) -> str:
    return error.problem if error.hint is None else f"{error.problem} ({error.hint})"


class _Earlier:
    """The profile of a data set in the baseline, if it can be had from here."""

    def __init__(self, workspace: Workspace, before: Evidence | None, name: str) -> None:
        self.profile: DataProfile | None = None
        self.digest: Digest | None = None
        if before is None:
            return
        digest = next(
            (reference.profile for reference in before.data if reference.name == name), None
        )
        if digest is None:
            return
        with suppress(AssentError):
            self.profile = decode_profile(read_attachment(workspace, before, digest))
            self.digest = digest


def _is_for_spark(settings: DataSettings) -> bool:
    """Whether Spark reads a data set as it was profiled."""
    is_plain = _reading(settings) in (AS_WRITTEN, Reading(header=True))
    return settings.engine == "spark" or (is_plain and not is_database(settings.path))


def _reading(settings: DataSettings) -> Reading:
    return Reading(
        missing=tuple(map(str, settings.missing)),
        decimal=settings.decimal,
        skip_ragged=settings.skip_ragged,
        delimiter=settings.delimiter,
        header=settings.header,
    )


def _common_key(first: Sequence[str], second: Sequence[str]) -> tuple[str, ...]:
    return tuple(first) if tuple(first) == tuple(second) else ()
