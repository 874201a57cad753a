"""DVC's stages as steps, and what the whole pipeline takes from outside."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import Any

import msgspec

from assent.config.dvc import Pipeline, Stage, read_pipeline, variable_files
from assent.parsing import ParseError
from assent.setup.file_kinds import (
    DATA_ENDINGS,
    ending,
    evaluates,
    is_setting,
    kind_of,
    model_score,
    trains,
)
from assent.setup.seen import Kind, Step, Trace
from assent.setup.steps import Reader
from assent.setup.tree import Tree

FILE = "dvc.yaml"


class Pipelines(msgspec.Struct, frozen=True, kw_only=True):
    """The stages of every `dvc.yaml` of a tree by file, with what stands beside them, and why a
    file could not be read.
    """

    files: dict[str, Pipeline] = {}
    problems: tuple[str, ...] = ()

    @property
    def stages(self) -> list[tuple[str, Stage]]:
        """Every stage with its file."""
        return [(file, stage) for file, pipeline in self.files.items() for stage in pipeline.stages]

    @property
    def outs(self) -> dict[str, Stage]:
        """What each path is made by."""
        return {
            path: stage
            for _, stage in self.stages
            for path in (*stage.outs, *stage.metrics, *stage.plots)
        }


def read_pipelines(tree: Tree) -> Pipelines:
    """The pipelines of a tree."""
    pipelines: dict[str, Pipeline] = {}
    problems = []
    for file in tree.files:
        if posixpath.basename(file) != FILE:
            continue
        text, folder = tree.read(file) or b"", posixpath.dirname(file)
        try:
            known: dict[str, Any] = {}
            for name in variable_files(text, folder):
                known |= tree.mapping(name)
            pipelines[file] = read_pipeline(text, folder, known)
        except ParseError as error:
            problems.append(f"{file} could not be read: {error}")
    return Pipelines(files=pipelines, problems=tuple(problems))


def model_stages(pipelines: Pipelines) -> list[tuple[str, Stage, str, str]]:
    """The stages that make a model, each with its file, the model's path and why. A stage that
    another such stage depends on is none: it made a part.
    """
    candidates = []
    for file, stage in pipelines.stages:
        best = _best_out(stage, pipelines.files[file], pipelines)
        if best is not None:
            candidates.append((file, stage, *best))
    most = max((score for *_, score in candidates), default=0)
    strong = [candidate for candidate in candidates if candidate[4] >= min(most, 5)]
    paths = {path for _, _, path, _, _ in strong}
    return [
        (file, stage, path, why)
        for file, stage, path, why, _ in strong
        if not (paths - {path}) & _downstream_models(stage, path, pipelines)
    ]


def training_stages(pipelines: Pipelines, reader: Reader) -> list[tuple[str, Stage, list[Trace]]]:
    """The stages that train though none of their outs looks like a model, each with its file and
    the models that its scripts write.
    """
    training = []
    for file, stage in pipelines.stages:
        step = _script_of(stage, reader)
        models = [trace for trace in step.written("model") if model_score(trace.path) >= 0]
        named = [stage.name, *(posixpath.basename(path) for path in step.scripts)]
        if models or any(map(trains, named)):
            training.append((file, stage, models))
    return training


def home_of(file: str, tree: Tree) -> str:
    """The folder that a `dvc.yaml` is about: its own, or one above it that its stages run in."""
    own = posixpath.dirname(file)
    try:
        stages = read_pipeline(tree.read(file) or b"", own).stages
    except ParseError:
        return own
    folders = [own.split("/"), *(stage.folder.split("/") for stage in stages)]
    common = []
    for parts in zip(*folders, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return "/".join(common)


def _downstream_models(stage: Stage, path: str, pipelines: Pipelines) -> set[str]:
    """The outs of what is trained with the out of this stage."""
    after = [other for _, other in pipelines.stages if path in other.deps and other is not stage]
    return {out for other in after for out in other.outs if trains(other.name)}


def _best_out(stage: Stage, file: Pipeline, pipelines: Pipelines) -> tuple[str, str, int] | None:
    scored = []
    for path in stage.outs:
        score = model_score(path) + 2 * trains(stage.name)
        why = f"out of the stage {stage.name}"
        if file.artifacts.get(path) == "model":
            score, why = score + 10, "named there as a model"
        elif any(_judges(other, path) for _, other in pipelines.stages):
            score, why = score + 2, f"{why}, which the evaluation depends on"
        if is_setting(path):
            continue
        if score > 0 and (ending(path) not in DATA_ENDINGS or score >= 5):
            scored.append((path, why, score))
    return max(scored, key=lambda out: out[2], default=None)


def _judges(stage: Stage, path: str) -> bool:
    return path in stage.deps and (bool(stage.metrics) or evaluates(stage.name))


def upstream(stage: Stage, pipelines: Pipelines) -> list[Stage]:
    """A stage and all that it needs, directly or not."""
    outs = pipelines.outs
    needed: dict[str, Stage] = {stage.name: stage}
    waiting = [stage]
    while waiting:
        for path in waiting.pop().deps:
            maker = next((its for out, its in outs.items() if _covers(out, path)), None)
            if maker is not None and maker.name not in needed:
                needed[maker.name] = maker
                waiting.append(maker)
    return list(needed.values())


def downstream(stage: Stage, pipelines: Pipelines) -> list[Stage]:
    """All that needs a stage, directly or not, in the order of the file."""
    needing: dict[str, Stage] = {}
    known = [stage]
    while known:
        outs = [*(current := known.pop()).outs, *current.metrics, *current.plots]
        for _, other in pipelines.stages:
            is_after = any(_covers(out, path) for out in outs for path in other.deps)
            if is_after and other.name not in needing and other.name != stage.name:
                needing[other.name] = other
                known.append(other)
    return [other for _, other in pipelines.stages if other.name in needing]


def _covers(out: str, path: str) -> bool:
    return path == out or path.startswith(f"{out}/") or out.startswith(f"{path}/")


def step_of(
    name: str, command: str, why: str, stages: Sequence[Stage], files: Sequence[str], reader: Reader
) -> Step:
    """Several stages, reproduced together, as one step."""
    outs = {path for stage in stages for path in (*stage.outs, *stage.metrics, *stage.plots)}
    deps = list(dict.fromkeys(path for stage in stages for path in stage.deps))
    outside = [path for path in deps if not any(_covers(out, path) for out in outs)]
    named = names_in(stages, reader)
    params = dict.fromkeys(path for stage in stages for path in stage.params)
    return Step(
        name=name,
        command=command,
        why=why,
        certainty="stated",
        scripts=(*files, *(path for path in outside if _is_code(path, reader.tree))),
        reads=(
            *(Trace(path=path, kind="params", why=f"{FILE} names it") for path in params),
            *(
                Trace(path=path, kind="data", why=f"{FILE}: dep that no stage makes")
                for path in outside
                if not _is_code(path, reader.tree)
            ),
        ),
        writes=tuple(_writes(stages, named)),
        hints=tuple(hint for stage in stages for hint in _script_of(stage, reader).hints),
    )


def _is_code(path: str, tree: Tree) -> bool:
    return path.endswith((".py", ".sh", ".R", ".ipynb")) or tree.is_source(path)


def _writes(stages: Sequence[Stage], named: dict[str, tuple[str, ...]]) -> list[Trace]:
    traces: list[Trace] = []
    for stage in stages:
        kinds: list[tuple[Kind, tuple[str, ...]]] = [
            ("metrics", stage.metrics),
            ("plots", stage.plots),
        ]
        for kind, paths in kinds:
            why = f"{FILE}: {kind} of the stage {stage.name}"
            traces += [
                Trace(path=path, kind=kind, why=why, names=named.get(path, ())) for path in paths
            ]
        for path in stage.outs:
            kind = kind_of(path)
            why = f"{FILE}: out of the stage {stage.name}"
            traces.append(Trace(path=path, kind=kind, why=why, names=named.get(path, ())))
    return traces


def names_in(stages: Sequence[Stage], reader: Reader) -> dict[str, tuple[str, ...]]:
    """What the scripts of stages say about what is in their files."""
    return {
        trace.path: trace.names
        for stage in stages
        for trace in _script_of(stage, reader).writes
        if trace.names
    }


def _script_of(stage: Stage, reader: Reader) -> Step:
    """What the command of a stage runs."""
    parts = list(reader.of_lines([stage.command], {}, set(), stage.folder))
    return Step(
        name=stage.name,
        command=stage.command,
        why=FILE,
        scripts=tuple(path for part in parts for path in part.scripts),
        writes=tuple(trace for part in parts for trace in part.writes),
        hints=tuple(hint for part in parts for hint in part.hints),
    )
