"""`assent.yaml` from what was seen: pure, and such that Assent reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from assent.core.direction import direction
from assent.parsing import ParseError, parse_yaml
from assent.setup.named_commands import TODO
from assent.setup.seen import ModelSeen, Predictions, Project, Seen

_LONG = 160
_ADVICE = 400
"""Advice holds lines of code: half of one is of no use."""
_INPUTS = "what training reads; unchanged inputs train nothing again"


def config_text(project: Project) -> str:
    """The file of one project."""
    lines = [
        "# What every key means: docs/configuration.md. Why these: assent init --dry-run",
        *(f"# {comment(note)}" for note in project.notes),
        *_store(project.store),
        "models:",
    ]
    for model in project.models:
        lines += _model(model)
    return "\n".join(lines) + "\n"


def _store(address: str) -> Iterator[str]:
    if address:
        yield "# The registry that the forge gives this repository: every machine reaches it."
        yield f"store: {scalar(address)}"


def _model(seen: ModelSeen) -> Iterator[str]:
    yield f"  {scalar(seen.name)}:"
    yield from (f"    # {comment(line, strip=False, longest=_ADVICE)}" for line in seen.advice)
    yield from _command("train", seen.train, seen)
    yield from _command("evaluate", seen.evaluate, seen)
    yield from _inputs(seen)
    yield from _path(seen)
    yield from _list("metrics", seen.metrics)
    yield from _others("metrics", seen)
    yield from _predictions(seen)
    yield from _data(seen)
    yield from _list("params", seen.params)
    yield from _list("plots", seen.plots)
    yield "    gates:"
    yield from _gates(seen)
    yield "    approvals: {count: 1}     # people who must approve; the author does not count"
    yield "    stages:"
    yield "      staging: {}"
    yield "      production: {after: staging}"


def _command(key: str, command: Seen | None, seen: ModelSeen) -> Iterator[str]:
    if command is not None:
        yield f"    {key}: {scalar(command.value)}"
    elif key == "train" and seen.model is None:
        yield f"    train: {TODO}             # the command that trains"
    yield from _others(key, seen)


def _path(seen: ModelSeen) -> Iterator[str]:
    if seen.model is None:
        yield f"    model: {TODO}             # the file or folder that is the model"
    else:
        yield f"    model: {scalar(seen.model.value)}"
    yield from _others("model", seen)


def _others(key: str, seen: ModelSeen) -> Iterator[str]:
    for other in seen.others.get(key, ()):
        yield f"    # {key}: {comment(other.value)}   ({comment(other.why)})"


def _inputs(seen: ModelSeen) -> Iterator[str]:
    if not seen.inputs and seen.train is None and seen.model is not None:
        return
    yield f"    inputs:                   # {_INPUTS}"
    yield from (f"      - {scalar(path.value)}" for path in seen.inputs)
    if not seen.inputs:
        yield f"      - {TODO}"
    yield from (
        f"      # - {comment(path.value)}   ({comment(path.why)})" for path in seen.left_out
    )


def _list(key: str, values: Sequence[Seen]) -> Iterator[str]:
    if values:
        yield f"    {key}: [{', '.join(scalar(value.value, in_list=True) for value in values)}]"


def _predictions(seen: ModelSeen) -> Iterator[str]:
    predictions = seen.predictions
    if predictions is None:
        return
    fields = {
        "path": predictions.path,
        "id": predictions.id,
        "label": predictions.label,
        "prediction": predictions.prediction,
        "score": predictions.score,
    }
    shown = [f"{key}: {scalar(value, in_list=True)}" for key, value in fields.items() if value]
    yield f"    predictions: {{{', '.join(shown)}}}"


def _data(seen: ModelSeen) -> Iterator[str]:
    if seen.data:
        yield "    data:"
    for name, data in seen.data.items():
        key = seen.keys.get(name)
        path = scalar(data.value, in_list=key is not None)
        shown = path if key is None else f"{{path: {path}, key: {scalar(key, in_list=True)}}}"
        yield f"      {scalar(name)}: {shown}"


_OF_PREDICTIONS = frozenset(
    "accuracy balanced_accuracy precision recall f1 matthews_corrcoef precision_macro recall_macro "
    "f1_macro mae mse rmse r2 mape".split()
)
_OF_SCORES = frozenset({"roc_auc", "average_precision", "log_loss", "brier_score"})


def _given(predictions: Predictions | None) -> frozenset[str]:
    """The figures that predictions give with an interval, under the names they give them."""
    if predictions is None:
        return frozenset()
    return _OF_PREDICTIONS | (_OF_SCORES if predictions.score else frozenset())


def _gates(seen: ModelSeen) -> Iterator[str]:
    """Gates on figures whose direction is known, judged by the interval of the change where
    predictions give one; without any, one on the model's size, and how to add one. Figures of
    other test rows are for a person to decide: a test set that is drawn anew blocks nobody.
    """
    given = _given(seen.predictions)
    if seen.gates:
        yield "      # undecided: measured on other test rows than the baseline; a person decides"
    for name in seen.gates:
        limit = "max_drop" if direction(name) == "higher" else "max_rise"
        sure = ", confident: true" if name in given else ""
        conditions = f"{limit}: 1%{sure}, undecided: approve"
        yield f"      - {{metric: {scalar(name, in_list=True)}, {conditions}}}"
    if not seen.gates:
        yield "      - {model: any, max_growth: 50%}"
        yield "      # - {metric: accuracy, max_drop: 1%}   (your metric)"


def scalar(text: str, *, in_list: bool = False) -> str:
    """A text as YAML that gives just this text: plain where that is possible."""
    shown = f"[{text}]" if in_list else f"key: {text}"
    wanted = [text] if in_list else {"key": text}
    try:
        is_plain = "\n" not in text and "#" not in text and parse_yaml(shown.encode()) == wanted
    except (ParseError, UnicodeEncodeError):
        is_plain = False
    return text if is_plain and text == text.strip() else _quoted(text)


def _quoted(text: str) -> str:
    """A text in quotes, with what cannot be seen spelled out. (JSON's pairs of surrogates are
    nothing to YAML.)
    """
    shown = json.dumps(text, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in shown)


def comment(text: str, *, strip: bool = True, longest: int = _LONG) -> str:
    """A stranger's text in a comment: one line of printable characters."""
    line = "".join(sign if sign.isprintable() else " " for sign in text)
    line = re.sub(r"\s+", " ", line).strip() if strip else line.rstrip()
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
