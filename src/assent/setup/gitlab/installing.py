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
    for model, found in installs.items():
        body = "\n".join(_body(found))
        if body not in homes:
            homes[body] = f".{prefixes[model]}-packages"
            lines += [*_why(found), f"{homes[body]}:", body]
        for verb in ("train", "evaluate"):
            lines += [f"{prefixes[model]}-{verb}:", f"  extends: {homes[body]}"]
    return "".join(f"{line}\n" for line in lines)


def _why(found: Install) -> Iterator[str]:
    yield f"# The packages of {comment(found.why)}: a change there belongs here as well."
    yield from (f"# Left out: {comment(one)}" for one in found.left_out)
    if found.conda is not None:
        yield "# The image has to have conda: say which with the input `image`."


def _body(found: Install) -> Iterator[str]:
    run = list(found.lines)
    if found.conda is not None:
        run.insert(0, f'conda env create --quiet --prefix "{_CONDA}" --file {found.conda}')
    folders = [*([f"{_CONDA}/bin"] if found.conda is not None else []), *found.folders]
    if folders:
        run.append(f'export PATH="{":".join(folders)}:$PATH"')
    yield "  before_script:"
    yield from (f"    - {json.dumps(line, ensure_ascii=False)}" for line in run)
