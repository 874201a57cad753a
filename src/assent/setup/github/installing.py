"""What the training needs installed, in the workflows that train."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from assent.setup.config_text import comment
from assent.setup.installs import Install

PLACE = (
    "      # Install here what your training needs, for example: pip install -r requirements.txt\n"
)
"""The line of a workflow in whose place it goes."""
_PYTHON = re.compile(r'(          python-version: )"3\.12"\n(?=' + re.escape(PLACE) + ")")
_CONDA = "$RUNNER_TEMP/packages"


def with_installs(text: str, installs: Mapping[str, Install]) -> str:
    """A workflow with the steps that install what the models need, by the name of each."""
    if not installs or PLACE not in text:
        return text
    found = list(installs.values())
    versions = {one.python for one in found}
    if len(versions) == 1 and found[0].python is not None:
        text = _PYTHON.sub(rf'\g<1>"{found[0].python}"\n', text)
    models: dict[str, list[str]] = {}
    steps: dict[str, Install] = {}
    for model, one in installs.items():
        models.setdefault(_step(one, ""), []).append(model)
        steps.setdefault(_step(one, ""), one)
    if len(steps) == 1:
        return text.replace(PLACE, next(iter(steps)))
    made = [_step(one, _is_one_of(models[key])) for key, one in steps.items()]
    return text.replace(PLACE, "".join(made))


def _is_one_of(models: Sequence[str]) -> str:
    """The condition that a job is about one of these."""
    return " || ".join(f"matrix.model == '{model}'" for model in models)


def _step(found: Install, condition: str) -> str:
    return "".join(f"      {line}\n" for line in _lines(found, condition))


def _lines(found: Install, condition: str) -> Iterator[str]:
    yield f"# The packages of {comment(found.why)}: a change there belongs here as well."
    yield from (f"# Left out: {comment(one)}" for one in found.left_out)
    run = list(found.lines)
    if found.conda is not None:
        run.insert(0, f'"$CONDA/bin/conda" env create --quiet --prefix "{_CONDA}" \\')
        run.insert(1, f"  --file {found.conda}")
    folders = [*([f"{_CONDA}/bin"] if found.conda is not None else []), *found.folders]
    run += [f'echo "{one}" >> "$GITHUB_PATH"' for one in folders]
    yield f"- if: {condition}" if condition else "- run: |"
    if condition:
        yield "  run: |"
    yield from (f"    {line}" for line in run)
