"""Which step trains, which prepares and which evaluates: pure decisions on steps that were read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from assent.setup.file_kinds import evaluates, model_score, predicts, trains, words
from assent.setup.seen import Seen, Step, Trace
from assent.setup.values import HOLE

MAX_MODELS = 12
_CHORES = frozenset(
    """
    lint clean format docs deploy serve install setup publish release docker build app api
    dashboard tune sweep search optuna hyperopt benchmark profile
    """.split()
)
_USES = frozenset(
    """
    demo serve server serving sync deploy deployment app api dashboard streamlit gradio publish
    release push upload
    """.split()
)
"""What uses a model or sends something away: nothing that a training needs before it."""
_CONVERTS = frozenset("convert conversion export quantize quantise compress".split())
"""What makes another file of a model that there is."""
_CALLED_TRAINING = frozenset("train training model fit run".split())
_EVALUATION = frozenset("evaluate evaluation eval validation".split())
"""Words for the evaluation of a model alone: `test` and `metrics` are said of much else."""
_TRAINS_FOR_SURE, _IS_CLOSE, _EVALUATES_FOR_SURE = 6, 6, 8

Provided = Callable[[str], bool]
"""Whether a path is there before anything runs: Git has it, or DVC can bring it."""


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """The steps of one model, in the order in which they run, and what else could have been."""

    train: tuple[Step, ...]
    model: Trace | None
    evaluate: tuple[Step, ...] = ()
    other_trains: tuple[Step, ...] = ()
    other_models: tuple[Trace, ...] = ()
    other_evaluates: tuple[Step, ...] = ()

    @property
    def writes(self) -> list[Trace]:
        """Everything that its steps write."""
        return [trace for step in (*self.train, *self.evaluate) for trace in step.writes]


def candidates(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps that may train, where none looks like it: something is fitted there, or what they
    import is called after a training.
    """
    by_command: dict[str, Step] = {}
    for step in steps:
        imported = any(trains(path.rpartition("/")[2]) for path in step.scripts[1:])
        fitted = any(hint.fitted is not None for hint in step.hints)
        if step.command and (step.learns or imported or fitted) and not _uses(step):
            by_command.setdefault(step.command, step)
    return tuple(by_command.values())[:5]


def choose(steps: Sequence[Step], is_provided: Provided) -> list[Chosen]:
    """The models that these steps make. The first of several steps that do the same is the one
    that people are meant to run.
    """
    groups = _groups([step for step in steps if train_score(step) >= _TRAINS_FOR_SURE])
    best = max((train_score(group[0]) for group in groups), default=0)
    close = [group for group in groups if train_score(group[0]) > best - _IS_CLOSE]
    rest = [group[0] for group in groups if group not in close]
    if close and not close[0][0].written("model"):
        close, rest = close[:1], [*rest, *(group[0] for group in close[1:])]
    return [
        _complete(group, [] if n else rest, steps, is_provided, len(close) > 1)
        for n, group in enumerate(close[:MAX_MODELS])
    ]


def train_score(step: Step) -> int:
    """How much a step looks like the training."""
    models = [trace for trace in step.written("model") if model_score(trace.path) >= 0]
    name = words(step.name)
    scripts = [path.rpartition("/")[2] for path in step.scripts[:1]]
    is_other = any(evaluates(script) or predicts(script) for script in scripts)
    is_named = any(map(trains, scripts)) or (trains(step.name) and not is_other)
    score = 10 + min(5, max(model_score(trace.path) for trace in models)) if models else 0
    score += 6 * is_named
    score -= 6 * ((evaluates(step.name) or predicts(step.name)) and not is_named)
    score -= 8 * bool(name & _CHORES)
    score -= 12 * bool(name & _CONVERTS and not is_named)
    score += 10 * (name <= _CALLED_TRAINING and is_named and _standing(step) == 2)
    score -= 8 * any(path.endswith(".ipynb") for path in step.scripts)
    return score + (_standing(step) if score > 0 else 0)


def _standing(step: Step) -> int:
    """Entry points and targets before what CI runs, and that before a script as such."""
    if step.certainty != "stated":
        return 0
    return 1 if step.is_of_ci else 2


def _groups(candidates: Sequence[Step]) -> list[list[Step]]:
    """Candidates that make the same model together, the best first, in the order of the best."""
    groups: dict[str, list[Step]] = {}
    stated = [step for step in candidates if step.certainty == "stated" and not step.is_of_ci]
    others = [step for step in candidates if step not in stated]
    for step in [*stated, *sorted(others, key=lambda step: not step.is_of_ci)]:
        key = _key(step)
        if step not in stated:
            writer = _writer(step)
            key = next(
                (known for known, group in groups.items() if writer in map(_writer, group)), key
            )
        groups.setdefault(key, []).append(step)
    ranked = [sorted(group, key=train_score, reverse=True) for group in groups.values()]
    return sorted(ranked, key=lambda group: train_score(group[0]), reverse=True)


def _key(step: Step) -> str:
    best = best_model(step)
    return _writer(step) if best is None else best.path


def _writer(step: Step) -> str:
    """The script that writes the model, or the first that runs."""
    best = best_model(step)
    if best is not None:
        return best.by or best.path
    return step.scripts[0] if step.scripts else step.command


def best_model(step: Step) -> Trace | None:
    """What looks most like a model among what a step writes."""
    models = [trace for trace in step.written("model") if model_score(trace.path) >= 0]
    models = [trace for trace in models if not trace.path.startswith(HOLE)] or models
    return max(models, key=lambda trace: model_score(trace.path), default=None)


def _complete(
    group: list[Step],
    rest: Sequence[Step],
    steps: Sequence[Step],
    is_provided: Provided,
    is_one_of_many: bool,
) -> Chosen:
    train = group[0]
    model, others = _model(train)
    before = _before(train, [step for step in steps if _may_precede(step, train)], is_provided)
    before = [step for step in before if step not in group]
    made = [trace.path for step in (*before, train) for trace in step.writes]
    pool = [
        step for step in steps if step not in (*group, *before) and not _covers_any(step, model)
    ]
    ranked = sorted(
        (step for step in pool if _evaluation_score(step, train, model) >= _EVALUATES_FOR_SURE),
        key=lambda step: _evaluation_score(step, train, model),
        reverse=True,
    )
    if is_one_of_many:  # with several models only what reads this one is about this one
        ranked = [step for step in ranked if model is not None and _reads(step, model.path)]
    evaluate = ranked[:1]
    is_made = _either(is_provided, made)
    useful = [step for step in pool if not _uses(step)]
    chain = [*_before(evaluate[0], useful, is_made), *evaluate] if evaluate else []
    return Chosen(
        train=(*before, train),
        model=model,
        evaluate=tuple(chain),
        other_trains=tuple(_differing([*group[1:], *rest], train)),
        other_models=tuple(others),
        other_evaluates=tuple(_differing(ranked[1:], evaluate[0])) if evaluate else (),
    )


def _may_precede(step: Step, train: Step) -> bool:
    """Whether a step could make what a training needs: what loads the model that it makes comes
    after it, and so does what predicts, serves or deploys.
    """
    made = [trace.path for trace in train.written("model")]
    is_later = any(_reads(step, path) for path in made)
    return not (is_later or _uses(step) or any(map(predicts, _names(step))))


def _uses(step: Step) -> bool:
    return any(words(name) & _USES for name in _names(step))


def _names(step: Step) -> list[str]:
    """What a step is called, and the script that it runs."""
    return [step.name, *(path.rpartition("/")[2] for path in step.scripts[:1])]


def _either(is_provided: Provided, made: Sequence[str]) -> Provided:
    return lambda path: is_provided(path) or any(covers(output, path) for output in made)


def _model(step: Step) -> tuple[Trace | None, list[Trace]]:
    """The model of a step and what else could be it; several of the same rank in one folder are
    that folder.
    """
    best = best_model(step)
    if best is None:
        return None, []
    others = [
        trace for trace in step.written("model") if trace != best and model_score(trace.path) >= 0
    ]
    folder = best.path.rpartition("/")[0]
    equal = [trace for trace in others if model_score(trace.path) == model_score(best.path)]
    same = [trace for trace in equal if trace.path.rpartition("/")[0] == folder]
    if folder and same:
        why = f"{best.why}; {len(same) + 1} files like it go there"
        return Trace(path=f"{folder}/", kind="model", why=why), [best, *same]
    beside = [
        trace.path
        for trace in step.written("other")
        if folder and trace.path.rpartition("/")[0] == folder
    ]
    if beside:
        why = f"{', '.join(beside[:3])} goes there too"
        others.append(Trace(path=f"{folder}/", kind="model", why=why))
    return best, others


def _before(
    step: Step, others: Sequence[Step], is_provided: Provided, depth: int = 0
) -> list[Step]:
    """The steps that make what a step reads and nobody has provided."""
    needed_steps: list[Step] = []
    for read in step.reads:
        if (
            depth > 5
            or is_provided(read.path)
            or any(_writes(maker, read.path) for maker in needed_steps)
        ):
            continue
        able = [other for other in others if _makes(other, read.path)]
        makers = [maker for maker in able if maker.certainty != "stated"]
        makers += [maker for maker in able if maker not in makers]
        if makers:
            rest = [other for other in others if other is not makers[0]]
            for needed in (*_before(makers[0], rest, is_provided, depth + 1), makers[0]):
                if needed not in needed_steps:
                    needed_steps.append(needed)
    return needed_steps


def _evaluation_score(step: Step, train: Step, model: Trace | None) -> int:
    """How much a step looks like the evaluation of this model; 0 if it adds nothing."""
    known = {trace.path for trace in train.writes}
    figures = [
        trace
        for trace in step.written("metrics", "predictions")
        if trace.path not in known and not trace.path.startswith(".")
    ]
    if not figures:
        return 0
    if set(_own(train)[:1]) & set(step.scripts):
        return 0  # it trains again
    reads_model = model is not None and _reads(step, model.path)
    is_after = reads_model or any(_reads(step, path) for path in known)
    is_named = any(_is_evaluation(name, is_after) for name in _names(step))
    score = 8 * reads_model + 6 * is_named - 8 * _uses(step)
    score += 3 * any(trace.kind == "metrics" for trace in figures) + 2 * len(figures)
    score += 1 * (step.certainty == "stated") + 1 * predicts(step.name)
    return score - 8 * any(path.endswith(".ipynb") for path in step.scripts)


def _is_evaluation(name: str, is_after: bool) -> bool:
    return evaluates(name) and (is_after or bool(words(name) & _EVALUATION))


def _covers_any(step: Step, model: Trace | None) -> bool:
    """Whether a step writes the model itself."""
    return model is not None and _writes(step, model.path)


def _writes(step: Step, path: str) -> bool:
    return any(covers(trace.path, path) for trace in step.writes)


def _makes(step: Step, path: str) -> bool:
    """Whether a step writes a path anew: what only adds lines to a file keeps a log."""
    return any(covers(trace.path, path) and not trace.is_added_to for trace in step.writes)


def _reads(step: Step, path: str) -> bool:
    return any(covers(trace.path, path) for trace in step.reads)


def covers(path: str, other: str) -> bool:
    """Whether two paths are the same, or one lies in the other."""
    path, other = path.rstrip("/"), other.rstrip("/")
    return path == other or path.startswith(f"{other}/") or other.startswith(f"{path}/")


def _differing(steps: Sequence[Step], chosen: Step) -> list[Step]:
    """Steps with other commands than the one that was chosen, each command once."""
    by_command = {
        step.command: step
        for step in steps
        if step.command != chosen.command
        and (_own(step), step.writes, step.reads) != (_own(chosen), chosen.writes, chosen.reads)
        and not (step.certainty == "read" and set(_own(step)) <= set(_own(chosen)))
    }
    return list(by_command.values())[:5]


def _own(step: Step) -> list[str]:
    return [path for path in step.scripts if path.endswith(".py")]


def command_of(steps: Sequence[Step]) -> str:
    """The commands of several steps in one line."""
    if len(steps) == 1:
        return steps[0].command
    shown = [f"({step.command})" if "cd " in step.command else step.command for step in steps]
    return " && ".join(shown)


def seen_of(steps: Sequence[Step]) -> Seen:
    """The command of steps, and why."""
    last = steps[-1]
    why = last.why
    if len(steps) > 1:
        why = f"{why}, which reads what {', '.join(step.name for step in steps[:-1])} writes"
    return Seen(value=command_of(steps), why=why, certainty=last.certainty)
