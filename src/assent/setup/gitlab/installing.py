"""What the training needs installed, in the jobs of GitLab that train and evaluate."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from assent.setup.config_text import comment
from assent.setup.installs import Install

_CONDA = "$HOME/packages"


def installing_jobs(installs: Mapping[str, Install], prefixes: Mapping[str, str]) -> str:
    """Lines that belong after `include`: a job of the same name is merged with Assent's.
    `prefixes` is what the jobs of each model are called after.
    """
    lines: list[str] = []
    homes: dict[str, str] = {}
    for model, install in installs.items():
        body = "\n".join(_body(install))
        if body not in homes:
            homes[body] = f".{prefixes[model]}-packages"
            lines += [*_why(install), f"{homes[body]}:", body]
        for verb in ("train", "evaluate"):
            lines += [f"{prefixes[model]}-{verb}:", f"  extends: {homes[body]}"]
    return "".join(f"{line}\n" for line in lines)


def _why(install: Install) -> Iterator[str]:
    yield f"# The packages of {comment(install.why)}: a change there belongs here as well."
    yield from (f"# Left out: {comment(reason)}" for reason in install.left_out)
    if install.conda is not None:
        yield "# The image has to have conda: say which with the input `image`."


def _body(install: Install) -> Iterator[str]:
    run = list(install.lines)
    if install.conda is not None:
        run.insert(0, f'conda env create --quiet --prefix "{_CONDA}" --file {install.conda}')
    folders = [*([f"{_CONDA}/bin"] if install.conda is not None else []), *install.folders]
    if folders:
        run.append(f'export PATH="{":".join(folders)}:$PATH"')
    yield "  before_script:"
    yield from (f"    - {json.dumps(line, ensure_ascii=False)}" for line in run)
