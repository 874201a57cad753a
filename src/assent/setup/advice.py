"""What a person has to add, where the repository does not say enough, in lines to copy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from assent.core.direction import direction
from assent.setup.file_kinds import is_cost
from assent.setup.seen import Hint, ModelSeen

FILE = "metrics.json"
AGAIN = "then run `assent init --force` again"
_WHERE = {
    "printed": "it only prints them",
    "mlflow": "they go to MLflow's store, where no path leads to this run's",
    "wandb": "they go to W&B alone",
}
_WIDE = 80
_SAY = "say at `model` which file or folder it is"
_PLAIN = re.compile(r"[\w.\[\]()'\", *+/-]{1,80}")


def advice(model: ModelSeen, hints: Sequence[Hint]) -> Iterator[str]:
    """What is missing, one paragraph after the other; lines that begin with blanks are code."""
    if model.train is None:
        yield "nothing here looks like a training: say at `train` which command trains"
    if model.model is None:
        yield from _model(hints, has_others=bool(model.others.get("model")))
    if not model.metrics and model.is_unread and not hints:
        yield f"no metrics were seen: let the training write them as JSON into {FILE}, {AGAIN}"
    elif not model.metrics:
        yield from _metrics(model, hints)


def _model(hints: Sequence[Hint], *, has_others: bool) -> Iterator[str]:
    """How to keep a model that a script fits or gives to a store; nothing more where there are
    candidates for a model that is kept.
    """
    lost = [hint for hint in hints if hint.where == "lost"]
    fitted = [hint for hint in hints if hint.fitted is not None]
    stored = [hint for hint in fitted if hint.values] or ([] if has_others else fitted)
    if lost and not any(hint.values for hint in fitted):
        place = f"{lost[0].script}, line {lost[0].line},"
        yield f"{place} keeps a model, but only the run knows where: {_SAY}"
        return
    if not stored or not _is_simple(stored[-1].fitted or "…"):
        if not has_others:
            yield f"no script says where it leaves the model: {_SAY}"
        return
    hint = stored[-1]
    flavour = hint.values.get("flavour")
    why = "it goes to MLflow's store alone" if flavour else "no line of it keeps the model"
    yield f"{hint.script}, line {hint.line}, makes a model, but {why}. Add after it, {AGAIN}:"
    if flavour:
        yield f'    {flavour}.save_model({hint.fitted}, "model")'
    else:
        yield "    import joblib"
        yield f'    joblib.dump({hint.fitted}, "model.joblib")'


def _metrics(model: ModelSeen, hints: Sequence[Hint]) -> Iterator[str]:
    telling = sorted(
        (hint for hint in hints if hint.fitted is None and hint.where != "lost"),
        key=lambda hint: (not hint.values, hint.where == "printed"),
    )
    if not telling:
        script = _script(model)
        yield f"no metrics were seen. Let {script} write them, {AGAIN}, for example with"
        yield from _lines({"accuracy": "accuracy"})
        return
    hint = telling[0]
    same = [other for other in hints if (other.script, other.where) == (hint.script, hint.where)]
    values = {name: its for other in same for name, its in other.values.items()}
    last = max(other.line for other in same)
    why = _WHERE[hint.where]
    yield f"{hint.script}, line {last}, has figures, but {why}. Add after it, {AGAIN}:"
    shown = {name: its for name, its in values.items() if _is_simple(its)}
    if shown:
        yield from _lines(shown)
    elif hint.where == "mlflow":
        yield from _dumped("mlflow.last_active_run().data.metrics")
    elif hint.where == "wandb":
        yield from _dumped("dict(wandb.run.summary)")
    else:
        yield from _lines({"accuracy": "accuracy"})


def _is_simple(expression: str) -> bool:
    return _PLAIN.fullmatch(expression) is not None and expression != "…"


def _lines(values: dict[str, str]) -> Iterator[str]:
    known = {name: its for name, its in values.items() if direction(name)} or values
    telling = {name: its for name, its in known.items() if not is_cost(name)} or known
    pairs = [f"{json.dumps(name)}: {its}" for name, its in list(telling.items())[:8]]
    short = f"{{{', '.join(pairs)}}}"
    if len(short) <= _WIDE:
        yield from _dumped(short)
        return
    yield "    import json"
    yield "    json.dump({"
    yield from (f"        {pair}," for pair in pairs)
    yield f'    }}, open("{FILE}", "w"))'


def _dumped(value: str) -> Iterator[str]:
    yield "    import json"
    yield f'    json.dump({value}, open("{FILE}", "w"))'


def _script(model: ModelSeen) -> str:
    command = model.train.value if model.train is not None else ""
    match = re.search(r"[\w./-]+\.(?:py|R|ipynb|sh)", command)
    return match[0] if match else "the training"
