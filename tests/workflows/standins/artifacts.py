"""The storage of artifacts: zip files by repository, run and name."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tests.workflows.standins.toolkit import fail, storage

UNWANTED = re.compile(r'["\\:<>|*?\r\n/]')


def folder(run_id: str) -> Path:
    if not run_id.isdigit():
        fail(f"'{run_id}' is not the id of a run")
    return storage("artifacts") / run_id


def own_run() -> str:
    return os.environ["GITHUB_RUN_ID"]


def check_name(name: str) -> str:
    if not name or UNWANTED.search(name):
        fail(f"The artifact name is not valid: {name}.")
    return name
