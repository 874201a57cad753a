"""From the steps of a model to what stands in `assent.yaml`, each with its reason."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from assent.core.direction import direction
from assent.core.scalar import number
from assent.measure.metrics import read_metrics
from assent.measure.params import read_params
from assent.measure.patterns import covers as covered
from assent.measure.pointers import stand_in
from assent.setup.advice import advice
from assent.setup.choosing import Chosen, covers, seen_of
from assent.setup.columns import has_names, key_of, predictions_of
from assent.setup.file_kinds import (
    MODEL_ENDINGS,
    PLOT_ENDINGS,
    TABLE_ENDINGS,
    ending,
    kind_of,
    model_score,
    words,
)
from assent.setup.seen import ModelSeen, Seen, Trace
from assent.setup.tree import Tree
from assent.setup.values import HOLE

LOCKS = (
    *("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pixi.lock", "conda-lock.yml"),
    *("requirements.lock", "requirements.txt", "environment.yml", "environment.yaml", "conda.yaml"),
)
_PARAMS = ("params.yaml", "params.yml", "params.json", "params.toml")
_METRICS = frozenset(".json .yaml .yml .toml .csv .tsv .txt".split())
MAX_GATES = 3
MAX_PARAMS = 20


def model_seen(tree: Tree, name: str, chosen: Chosen) -> ModelSeen:
    """Everything about one model."""
    model, refused = _model(tree, chosen)
    writes = [trace for trace in chosen.writes if not any(_is_at(trace, its) for its in refused)]
    outputs = [trace.path for trace in writes]
    params, unnamed = _readable_params(tree, _params(tree, chosen))
    inputs, left_out = _inputs(tree, chosen, outputs)
    inputs += [
        param for param in unnamed if not any(covered(its.value, param.value) for its in inputs)
    ]
    found_metrics, idle = _metrics(tree, chosen, writes)
    metrics, clashing = _without_clashes(tree, found_metrics, writes)
    data = _data(tree, chosen, outputs)
    predictions = predictions_of(tree, [trace for trace in writes if trace.kind == "predictions"])
    others = {
        "train": tuple(seen_of([step]) for step in chosen.other_trains),
        "evaluate": tuple(seen_of([step]) for step in chosen.other_evaluates),
        "model": (*refused, *_other_models(tree, chosen)),
        "metrics": (*clashing, *idle),
    }
    seen = ModelSeen(
        name=name,
        train=seen_of(chosen.train) if chosen.train else None,
        evaluate=seen_of(chosen.evaluate) if chosen.evaluate else None,
        model=model,
        inputs=tuple(inputs),
        left_out=tuple(left_out),
        params=tuple(params),
        metrics=tuple(metrics),
        predictions=predictions,
        data=data,
        keys={key: its for key, table in data.items() if (its := key_of(tree, table))},
        plots=tuple(_plots(writes)),
        gates=tuple(_gates(tree, writes, [metric.value for metric in metrics])),
        is_unread=any(step.is_unread for step in (*chosen.train, *chosen.evaluate)),
        others={key: value for key, value in others.items() if value},
    )
    return _with_advice(seen, chosen)


def _with_advice(model: ModelSeen, chosen: Chosen) -> ModelSeen:
    hints = [hint for step in (*chosen.train, *chosen.evaluate) for hint in step.hints]
    notes = [note for step in (*chosen.train, *chosen.evaluate) for note in step.notes]
    notes_and_advice = (*dict.fromkeys(notes), *advice(model, hints))
    return msgspec.structs.replace(model, advice=notes_and_advice)


def _is_at(trace: Trace, seen: Seen) -> bool:
    return trace.path.replace(HOLE, "…").rstrip("/") == seen.value.rstrip("/")


def _model(tree: Tree, chosen: Chosen) -> tuple[Seen | None, list[Seen]]:
    """The model's path; a source folder, or one that holds an input, is refused and said."""
    trace = chosen.model
    if trace is None:
        return None, []
    path, why = trace.path, trace.why
    if HOLE in path:
        fixed = path.partition(HOLE)[0].rpartition("/")[0]
        why = f"{why}; its name is made when it runs, so the folder is taken"
        path = f"{fixed}/" if fixed else ""
    elif not path.endswith("/") and ending(path) not in MODEL_ENDINGS and not tree.is_file(path):
        path = f"{path}/" if not ending(path) else path
    seen = Seen(value=path, why=why)
    if trace.path.startswith(HOLE):
        shown = trace.path.replace(HOLE, "…")
        return None, [Seen(value=shown, why=f"{trace.why}, where only the run knows")]
    if not path:
        return None, []
    if path.endswith("/") and tree.is_source(path.rstrip("/")):
        return None, [Seen(value=path, why=f"{why}, but that folder holds source code")]
    if path.endswith("/") and any(file.startswith(path) for file in _read_from_git(tree, chosen)):
        return None, [Seen(value=path, why=f"{why}, but that folder holds inputs")]
    return seen, []


def _read_from_git(tree: Tree, chosen: Chosen) -> list[str]:
    """What the training reads, is there already, and is written by none of its steps."""
    written = {trace.path for trace in chosen.writes}
    reads = [trace.path for step in chosen.train for trace in step.reads]
    return [path for path in reads if path not in written and tree.is_there(path)]


def _other_models(tree: Tree, chosen: Chosen) -> list[Seen]:
    models = [
        Seen(value=trace.path, why=trace.why)
        for trace in chosen.other_models
        if not trace.path.startswith(HOLE)
    ]
    if chosen.model is None:
        models += [
            Seen(value=path, why="it is there and looks like a model", certainty="guessed")
            for path in tree.files
            if model_score(path) >= 4 and ending(path) in MODEL_ENDINGS
        ]
    return models[:5]


def _metrics(tree: Tree, chosen: Chosen, writes: Sequence[Trace]) -> _Split:
    """The files that hold figures: what the steps write, else what is there already and a script
    names; and what is there and nothing names.
    """
    metrics: dict[str, Seen] = {}
    for trace in writes:
        is_known = not trace.path.startswith((HOLE, "."))
        is_ours = is_known and trace.kind == "metrics" and ending(trace.path) in _METRICS
        if is_ours and _is_readable(tree, trace):
            metrics.setdefault(trace.path, Seen(value=trace.path, why=trace.why, certainty="read"))
    exact = {path: seen for path, seen in metrics.items() if HOLE not in path}
    if exact:
        return list(exact.values()), []
    if metrics:
        return list(metrics.values()), []
    there = [
        Seen(value=path, why="it is there already", certainty="guessed")
        for path in tree.files
        if kind_of(path) == "metrics"
        and not path.startswith((".", "docs/"))
        and ending(path) in (".json", ".yaml", ".yml")
        and not words(posixpath.dirname(path)) & {"conf", "config", "configs", "tests"}
        and any(map(direction, read_metrics(tree.root, [path]).metrics))
    ][:1]
    steps = (*chosen.train, *chosen.evaluate)
    texts = [tree.text(path) for step in steps for path in step.scripts]
    is_open = not steps or any(step.is_unread for step in steps)
    if is_open or any(posixpath.basename(its.value) in text for its in there for text in texts):
        return there, []
    why = "it is there, but nothing that was read writes it"
    return [], [Seen(value=metric.value, why=why) for metric in there]


def _is_readable(tree: Tree, trace: Trace) -> bool:
    """Whether a review could read it, as far as the file that is there, or the script, shows. Text
    is read for figures only if there are some.
    """
    is_text = ending(trace.path) == ".txt"
    if tree.is_file(trace.path) and stand_in(tree.root / trace.path) is None:
        read = read_metrics(tree.root, [trace.path])
        return not read.problems or (not is_text and bool(trace.names))
    return bool(trace.names) or not is_text


def _without_clashes(tree: Tree, metrics: list[Seen], writes: Sequence[Trace]) -> _Split:
    """The files of figures of which no two give the same name, and the others: a name that two
    files give has no value. Those of the training come last.
    """
    kept: list[Seen] = []
    rest: list[Seen] = []
    owners: dict[str, str] = {}
    for metric in sorted(metrics, key=lambda its: "train" in words(posixpath.basename(its.value))):
        there = read_metrics(tree.root, [metric.value] if tree.is_file(metric.value) else [])
        written = [name for trace in writes if trace.path == metric.value for name in trace.names]
        names = [*there.metrics, *there.series] or written
        clash = next((name for name in names if name in owners), None)
        if clash is None:
            kept.append(metric)
            owners |= dict.fromkeys(names, metric.value)
        else:
            why = f"it gives the name {clash}, as {owners[clash]} does"
            rest.append(Seen(value=metric.value, why=why))
    return [metric for metric in metrics if metric in kept], rest


_Split = tuple[list[Seen], list[Seen]]


def _plots(writes: Sequence[Trace]) -> list[Seen]:
    plots = {}
    for trace in writes:
        if trace.kind == "plots" and not trace.path.startswith(HOLE):
            path = trace.path
            if not ending(path):
                path = f"{path}/*.png"
            elif ending(path) not in PLOT_ENDINGS and not path.endswith((".vl.json", ".vega.json")):
                continue
            plots[path] = Seen(value=path, why=trace.why)
    return list(plots.values())


def _params(tree: Tree, chosen: Chosen) -> list[Seen]:
    read = {
        trace.path: Seen(value=trace.path, why=trace.why)
        for step in (*chosen.train, *chosen.evaluate)
        for trace in step.reads
        if trace.kind == "params" and tree.is_file(trace.path)
    }
    for name in _PARAMS:
        if tree.is_file(name) and name not in read:
            read[name] = Seen(value=name, why="its name says so", certainty="guessed")
    return list(read.values())


def _readable_params(tree: Tree, params: Sequence[Seen]) -> tuple[list[Seen], list[Seen]]:
    """The files of parameters that can be read together, and the others: what gives a name that
    another gives, or cannot be read, would stand in the way of every review. The first file is the
    main one, and stays.
    """
    read = [read_params(tree.root, [param.value]) for param in params[:MAX_PARAMS]]
    given = Counter(name for params_read in read for name in params_read.params)
    kept: list[Seen] = []
    for n, (param, its) in enumerate(zip(params, read, strict=False)):
        if not its.problems and (n == 0 or all(given[name] == 1 for name in its.params)):
            kept.append(param)
    return kept, [param for param in params if param not in kept]


def _inputs(tree: Tree, chosen: Chosen, outputs: Sequence[str]) -> tuple[list[Seen], list[Seen]]:
    """What the steps start from, without what they write; and what is read but not there."""
    inputs: dict[str, Seen] = {}
    for path, why in _code(tree, chosen, outputs):
        inputs.setdefault(path, Seen(value=path, why=why))
    homes = dict.fromkeys(["", *(posixpath.dirname(path) for path in inputs)])
    locks = [posixpath.join(home, name) for home in homes if "*" not in home for name in LOCKS]
    for name in locks:
        if tree.is_file(name):
            inputs.setdefault(name, Seen(value=name, why="the packages"))
    if not any(name in inputs for name in locks) and tree.is_file("pyproject.toml"):
        inputs.setdefault("pyproject.toml", Seen(value="pyproject.toml", why="the packages"))
    missing: dict[str, Seen] = {}
    for trace in _outside(chosen, outputs):
        if trace.kind == "params" and tree.is_file(trace.path):
            continue
        if trace.path.startswith(HOLE):
            shown = trace.path.replace(HOLE, "…")
            missing[shown] = Seen(value=shown, why=f"{trace.why}, where only the run knows")
            continue
        there = _existing(tree, trace.path)
        if there is None:
            if trace.kind != "model":  # or it is a name in a hub
                where = trace.path.replace("\\", "/")
                is_windows = where != trace.path and tree.is_there(where)
                reason = f"it is {where} but on Windows" if is_windows else "but it is not here"
                missing[trace.path] = Seen(value=trace.path, why=f"{trace.why}, {reason}")
        elif not any(_is_output(there, out) for out in outputs):
            inputs.setdefault(there, Seen(value=there, why=trace.why))
    kept = [seen for path, seen in inputs.items() if not any(path == out for out in outputs)]
    return _without_covered(kept), list(missing.values())


def _without_covered(inputs: Sequence[Seen]) -> list[Seen]:
    """Inputs without those that a folder among them holds already."""
    folders = [seen.value.removesuffix("**") for seen in inputs if seen.value.endswith("/**")]
    return [
        seen
        for seen in inputs
        if not any(seen.value.startswith(its) and seen.value != f"{its}**" for its in folders)
    ]


def _is_output(path: str, output: str) -> bool:
    fixed = path.removesuffix("/**")
    return fixed == output.rstrip("/") or fixed.startswith(f"{output.rstrip('/')}/")


def _outside(chosen: Chosen, outputs: Sequence[str]) -> list[Trace]:
    """What the steps read and none of them writes. Tables that only the evaluation reads are data
    sets, and known by that.
    """
    trained = [trace for step in chosen.train for trace in step.reads]
    evaluated = [
        trace
        for step in chosen.evaluate
        for trace in step.reads
        if ending(trace.path) not in TABLE_ENDINGS
    ]
    return [
        trace
        for trace in (*trained, *evaluated)
        if not any(_is_output(trace.path, out) for out in outputs)
        and trace.kind not in ("metrics", "predictions", "plots")
    ]


def _existing(tree: Tree, path: str) -> str | None:
    """A path as an input: a file, a folder with all below it, what a pointer brings, or a glob."""
    if HOLE in path:
        pattern = re.compile(re.escape(path).replace(re.escape(HOLE), "[^/]*"))
        if any(pattern.fullmatch(file) for file in tree.files):
            return path
        path = path.partition(HOLE)[0].rpartition("/")[0]
    if not path or path == ".":
        return None
    if tree.is_folder(path):
        is_full = any((tree.root / path).iterdir())
        return f"{path}/**" if is_full else _pointed(tree, path)
    return path if tree.exists(path) else _pointed(tree, path)


def _pointed(tree: Tree, path: str) -> str | None:
    """What a pointer that is here stands for, though its bytes are not: the path itself, or the
    folder with all that belongs into it.
    """
    if not tree.brings(path):
        return None
    is_above = any(pointer.startswith(f"{path}/") for pointer in tree.pointers)
    return f"{path}/**" if is_above else path


def _code(tree: Tree, chosen: Chosen, outputs: Sequence[str]) -> Iterable[tuple[str, str]]:
    """The team's own files that are run and imported; of packages, all that is in them."""
    for step in (*chosen.train, *chosen.evaluate):
        for path in step.scripts:
            if not tree.exists(path):
                continue
            package = _package(tree, path) if path.endswith(".py") else None
            if tree.is_folder(path):
                yield _all_of(path.rstrip("/"), outputs), step.why
            elif package is None or path == step.scripts[0]:
                yield path, step.why
            if package is not None:
                yield _all_of(package, outputs), f"{step.name} imports it"


def _all_of(folder: str, outputs: Sequence[str]) -> str:
    """Everything in a folder, or only its Python where outputs or data lie in it too."""
    holds_outputs = any(out.startswith(f"{folder}/") for out in outputs)
    return f"{folder}/**/*.py" if holds_outputs else f"{folder}/**"


def _package(tree: Tree, path: str) -> str | None:
    """The topmost folder with an `__init__.py` that a file is in."""
    package: str | None = None
    here = posixpath.dirname(path)
    while here:
        if tree.is_file(f"{here}/__init__.py"):
            package = here
        here = posixpath.dirname(here)
    return package


def _data(tree: Tree, chosen: Chosen, outputs: Sequence[str]) -> dict[str, Seen]:
    """The tables that are read and not made, by a name of their own."""
    tables: dict[str, Seen] = {}
    reads = [trace for step in (*chosen.train, *chosen.evaluate) for trace in step.reads]
    for trace in reads:
        is_made = any(covers(trace.path, out) for out in outputs)
        if is_made or ending(trace.path) not in TABLE_ENDINGS or HOLE in trace.path:
            continue
        if not tree.is_there(trace.path) or any(its.value == trace.path for its in tables.values()):
            continue
        if not has_names(tree, trace.path):
            continue
        tables[_data_name(trace.path, tables)] = Seen(value=trace.path, why=trace.why)
    return dict(list(tables.items())[:6])


def _data_name(path: str, taken: Iterable[str]) -> str:
    """`train`, `test` or `validation` where the name says so, else the file's own."""
    stem = posixpath.splitext(posixpath.basename(path))[0]
    named = words(stem)
    for name, signs in _SPLITS.items():
        if named & signs and name not in taken:
            return name
    name = re.sub(r"[^a-z0-9_]+", "_", stem.lower()).strip("_") or "data"
    number_of = 2
    unique = name
    while unique in taken:
        unique, number_of = f"{name}_{number_of}", number_of + 1
    return unique


_SPLITS = {
    "train": frozenset({"train", "training"}),
    "test": frozenset({"test", "testing", "holdout"}),
    "validation": frozenset({"valid", "validation", "val", "dev"}),
}


def _gates(tree: Tree, writes: Sequence[Trace], metrics: Sequence[str]) -> list[str]:
    """The figures whose direction is known, those of tests before those of the training."""
    there = read_metrics(tree.root, [path for path in metrics if tree.is_file(path)]).metrics
    names = [name for name, value in there.items() if number(value) is not None]
    names += [name for trace in writes if trace.path in metrics for name in trace.names]
    known = [
        name
        for name in dict.fromkeys(names)
        if direction(name) and HOLE not in name and not name.startswith("best.")
    ]
    known.sort(key=lambda name: (words(name) >= {"train"}, name.count(".") > 1))
    return known[:MAX_GATES]
