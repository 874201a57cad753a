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
    distinct = list(installs.values())
    versions = {install.python for install in distinct}
    if len(versions) == 1 and distinct[0].python is not None:
        text = _PYTHON.sub(rf'\g<1>"{distinct[0].python}"\n', text)
    models: dict[str, list[str]] = {}
    steps: dict[str, Install] = {}
    for model, install in installs.items():
        models.setdefault(_step(install, ""), []).append(model)
        steps.setdefault(_step(install, ""), install)
    if len(steps) == 1:
        return text.replace(PLACE, next(iter(steps)))
    made = [_step(install, _is_one_of(models[key])) for key, install in steps.items()]
    return text.replace(PLACE, "".join(made))


def _is_one_of(models: Sequence[str]) -> str:
    """The condition that a job is about one of these."""
    return " || ".join(f"matrix.model == '{model}'" for model in models)


def _step(install: Install, condition: str) -> str:
    return "".join(f"      {line}\n" for line in _lines(install, condition))


def _lines(install: Install, condition: str) -> Iterator[str]:
    yield f"# The packages of {comment(install.why)}: a change there belongs here as well."
    yield from (f"# Left out: {comment(reason)}" for reason in install.left_out)
    run = list(install.lines)
    if install.conda is not None:
        run.insert(0, f'"$CONDA/bin/conda" env create --quiet --prefix "{_CONDA}" \\')
        run.insert(1, f"  --file {install.conda}")
    folders = [*([f"{_CONDA}/bin"] if install.conda is not None else []), *install.folders]
    run += [f'echo "{folder}" >> "$GITHUB_PATH"' for folder in folders]
    yield f"- if: {condition}" if condition else "- run: |"
    if condition:
        yield "  run: |"
    yield from (f"    {line}" for line in run)
