"""The workflows for several models, or for one whose `assent.yaml` is not at the top: every action
is told which model and which `assent.yaml` it is about.

What is written stays text that people read and edit, so it is made by adding lines to the text for
one model, never by writing YAML anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

_ACTION = re.compile(r"^(?P<indent> +)(?:- )?uses: \S+/actions/(?P<verb>[a-z]+)@")
_ARTIFACT = re.compile(r"(?:name|artifact): assent-(?:bundle|report|retrained)$", re.MULTILINE)
_OF_ALL = ("assent.yml", "assent-review.yml", "assent-register.yml")
_BUTTONS = ("assent-promote.yml", "assent-rollback.yml")
_INPUT = """\
        description: The model; needless if there is only one
        type: string
"""


def for_models(name: str, text: str, models: Mapping[str, str]) -> str:
    """The workflow `name` for `models`: the path of the `assent.yaml` of each by its name."""
    if len(models) == 1:
        [path] = models.values()
        return text if "/" not in path else _given(text, {"config": path})
    if name in _OF_ALL:
        return _of_each(text, models)
    if name in _BUTTONS:
        return _given(_chosen(text, models), {"config": _config_of("inputs.model", models)})
    if name == "assent-retrain.yml":
        return _retraining(text, models)
    return _answering(text, models)


def _of_each(text: str, models: Mapping[str, str]) -> str:
    """Each job with an action of ours once for each model."""
    matrix = [
        "    strategy:",
        "      fail-fast: false",
        "      matrix:",
        "        include:",
        *(
            f"          - {{model: {model}, config: {_quoted(path)}}}"
            for model, path in models.items()
        ),
    ]
    lines: list[str] = []
    for block in _jobs(text):
        is_ours = any(_ACTION.match(line) for line in block)
        for line in block:
            lines += matrix if is_ours and line == "    steps:" else []
            lines.append(line)
    made = "\n".join(lines)
    made = _of_model(made)
    given = {"model": "${{ matrix.model }}", "config": "${{ matrix.config }}"}
    return _given(made, given)


def _of_model(text: str) -> str:
    """The artifacts that jobs leave and fetch, with the name of the model in theirs."""
    return _ARTIFACT.sub(r"\g<0>-${{ matrix.model }}", text)


def _jobs(text: str) -> list[list[str]]:
    """The lines of the text, in blocks that begin with the first line of each job."""
    blocks: list[list[str]] = [[]]
    for line in text.split("\n"):
        if re.fullmatch(r"  [a-z-]+:", line):
            blocks.append([])
        blocks[-1].append(line)
    return blocks


def _chosen(text: str, models: Mapping[str, str]) -> str:
    """A button that asks which of the models."""
    chosen = f"""\
        description: The model
        type: choice
        options: [{", ".join(models)}]
        required: true
"""
    return text.replace(_INPUT, chosen)


def _retraining(text: str, models: Mapping[str, str]) -> str:
    """All models on the schedule, one where a person chooses."""
    each = json.dumps(list(models))
    text = text.replace("model; needless if there is only one", "model; otherwise all of them")
    text = text.replace(
        "    steps:",
        "    strategy:\n      fail-fast: false\n      matrix:\n        model: ${{ fromJSON("
        f"inputs.model && format('[\"{{0}}\"]', inputs.model) || '{each}') }}}}\n    steps:",
    )
    text = text.replace("model: ${{ inputs.model }}", "model: ${{ matrix.model }}")
    # A model whose training failed is no reason to leave out the others.
    text = text.replace("    needs: train\n", "    needs: train\n    if: '!cancelled()'\n")
    text = _of_model(text)
    return _given(text, {"config": _config_of("matrix.model", models)})


def _answering(text: str, models: Mapping[str, str]) -> str:
    """A step for each `assent.yaml`: the one whose model the comment names answers, and the first
    one where it names none.
    """
    paths = list(dict.fromkeys(models.values()))
    if len(paths) == 1:
        return text if "/" not in paths[0] else _given(text, {"config": paths[0]})
    *head, use = text.rstrip("\n").split("\n")
    body = "github.event.comment.body"
    lines = list(head)
    for path in paths:
        own = [f"contains({body}, ' {model}')" for model, of in models.items() if of == path]
        if path == paths[0]:
            others = [f"contains({body}, ' {model}')" for model, of in models.items() if of != path]
            own.append(f"!({' || '.join(others)})")
        step = use.strip().removeprefix("- ")
        lines += ["      - if: >-", f"          {' || '.join(own)}", f"        {step}"]
        lines += ["        with:", f"          config: {_quoted(path)}"]
    return "\n".join(lines) + "\n"


def _given(text: str, inputs: Mapping[str, str]) -> str:
    """Every action of ours with these inputs as well."""
    lines = text.split("\n")
    made: list[str] = []
    waiting: list[str] = []
    for at, line in enumerate(lines):
        made.append(line)
        match = _ACTION.match(line)
        if match is not None:
            indent = " " * (len(match["indent"]) + (2 if line.lstrip().startswith("- ") else 0))
            waiting = [f"{indent}  {key}: {_shown(value)}" for key, value in inputs.items()]
            if lines[at + 1 : at + 2] != [f"{indent}with:"]:
                made += [f"{indent}with:", *waiting]
                waiting = []
        elif waiting:
            made += waiting
            waiting = []
    return "\n".join(made)


def _config_of(expression: str, models: Mapping[str, str]) -> str:
    """The path that belongs to the model of an expression."""
    *others, (_, last) = models.items()
    if len(set(models.values())) == 1:
        return last
    chosen = [f"{expression} == '{name}' && '{path}'" for name, path in others]
    return f"${{{{ {' || '.join(chosen)} || '{last}' }}}}"


def _shown(value: str) -> str:
    return value if value.startswith("${{") else _quoted(value)


def _quoted(path: str) -> str:
    return json.dumps(path, ensure_ascii=False)


def are_plain(paths: Sequence[str]) -> bool:
    """Whether these can stand in an expression and in a list of YAML as they are."""
    return all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]*", path) is not None for path in paths)
