"""What GitLab reads of a job: variables for later jobs, metrics, and links beside the job.

Each is a file that the job names below `artifacts:reports`. Later jobs run with the variables, and
GitLab expands `$` in them, so a value that is not of plain characters is left out: none of them
needs any other.

The forms: https://docs.gitlab.com/ci/yaml/artifacts_reports/
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from assent.errors import OutsideError

VARIABLES = "assent.env"
METRICS = "metrics.txt"
LINKS = "annotations.json"
VARIABLES_LIMIT = 5_000
"""Bytes. GitLab refuses a file of more than 5 kB, and the job fails with it."""
MOST_METRICS = 1_000
LABEL_LIMIT = 255

_NAME = re.compile(r"[a-z][a-z-]*")
_VALUE = re.compile(r"[A-Za-z0-9_./:@+,=~#?&-]+")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9_./:@+,=~#?&%\[\]-]+")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}


def variable(output: str) -> str:
    """The variable in which a later job finds an output. Raises `ValueError` for no name."""
    if _NAME.fullmatch(output) is None:
        raise ValueError(f"not an output: {output!r}")
    return f"ASSENT_{output.upper().replace('-', '_')}"


def variables_text(outputs: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """The variables, and the names of those left out: of other characters than are plain, or too
    long. An output that is empty is no variable.
    """
    lines: list[str] = []
    left_out: list[str] = []
    room = VARIABLES_LIMIT
    for output, value in outputs.items():
        name = variable(output)
        line = f"{name}={value}\n"
        if not value:
            continue
        if _VALUE.fullmatch(value) is None or len(line) > room:
            left_out.append(name)
            continue
        room -= len(line)
        lines.append(line)
    return "".join(lines), tuple(left_out)


def metrics_text(model: str, metrics: Mapping[str, float | int]) -> str:
    """The metrics as OpenMetrics text. Of more than `MOST_METRICS` the rest is left out."""
    lines = ["# TYPE assent_metric gauge"]
    for name, value in list(metrics.items())[:MOST_METRICS]:
        if not math.isfinite(value):
            raise ValueError(f"not finite: {name!r}")
        labels = f'model="{_label(model)}",metric="{_label(name)}"'
        lines.append(f"assent_metric{{{labels}}} {value}")
    return "\n".join([*lines, "# EOF"]) + "\n"


def links_text(links: Sequence[tuple[str, str]]) -> str:
    """Links beside the job: label and address. What is no plain address is no link."""
    shown = [
        {"external_link": {"label": label[:LABEL_LIMIT], "url": address}}
        for label, address in links
        if _ADDRESS.fullmatch(address) is not None
    ]
    return json.dumps({"Assent": shown})


def write(folder: str, files: Mapping[str, bytes]) -> None:
    """Write the files of a job, by name. Raises `OutsideError`."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
    except OSError as error:
        raise OutsideError(
            f"writing what GitLab reads to {folder}",
            error.strerror or str(error),
            hint="ASSENT_REPORTS names the folder",
        ) from None


def _label(text: str) -> str:
    return "".join(_ESCAPES.get(character, character) for character in text)
