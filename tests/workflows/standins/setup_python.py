"""`actions/setup-python`: the Python of the tests in a fresh environment of this job."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.workflows.environments import make
from tests.workflows.standins.toolkit import (
    add_path,
    fail,
    read_flag,
    read_input,
    refuse,
    say,
    write,
)


def main() -> None:
    refuse("python-version-file", "architecture", "pip-version")
    asked = read_input("python-version") or "3.x"
    major, minor = sys.version_info[:2]
    wanted = asked.removesuffix(".x").split(".")
    if not wanted[0].isdigit() or int(wanted[0]) != major:
        fail(f"The version '{asked}' was not found: the harness has {major}.{minor}")
    # Which minor version the machine of the tests has is not the workflow's business.
    place = Path(os.environ["RUNNER_TEMP"]) / f"_python/{major}.{minor}"
    python = make(place, os.environ["ASSENT_HARNESS_INSTALL"])
    if read_flag("update-environment"):
        write("ENV", "pythonLocation", str(place))
        add_path(place / "bin")
    version = f"{major}.{minor}.{sys.version_info.micro}"
    say(f"Successfully set up CPython ({version}); asked for: {asked}")
    write("OUTPUT", "python-version", version)
    write("OUTPUT", "python-path", str(python))


if __name__ == "__main__":
    main()
