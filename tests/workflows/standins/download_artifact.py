"""`actions/download-artifact`: of this run, or with a token that may read another one's."""

from __future__ import annotations

import fnmatch
import os
import zipfile
from pathlib import Path

from tests.workflows.standins import artifacts
from tests.workflows.standins.toolkit import (
    fail,
    read_flag,
    read_input,
    refuse,
    rights,
    say,
    workspace,
    write,
)


def main() -> None:
    refuse("artifact-ids")
    if read_flag("skip-decompress"):
        fail("the stand-in always unpacks")
    token, run_id = read_input("github-token"), read_input("run-id")
    if token:
        check_right(token, read_input("repository"))
    elif run_id != artifacts.own_run():
        # Without a token the real action looks into its own run, whatever run-id says.
        run_id = artifacts.own_run()
    found = {path.stem: path for path in sorted(artifacts.folder(run_id).glob("*.zip"))}
    target = workspace() / Path(read_input("path")).expanduser()
    name = read_input("name")
    if name:
        if name not in found:
            fail(f"Unable to download artifact(s): Artifact not found for name: {name}")
        unpack(found[name], target)
    else:
        pattern = read_input("pattern") or "*"
        for one in fnmatch.filter(found, pattern):
            unpack(found[one], target if read_flag("merge-multiple") else target / one)
    write("OUTPUT", "download-path", str(target))


def check_right(token: str, repository: str) -> None:
    granted = rights(token, repository)
    if granted is None:
        fail("Unable to download artifact(s): Bad credentials")
    if granted.get("actions") not in ("read", "write"):
        fail("Unable to download artifact(s): Resource not accessible by integration")


def unpack(archive: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive) as opened:
        for one in opened.infolist():
            place = os.path.normpath(target / one.filename)
            if not Path(place).is_relative_to(target):
                fail(f"Malformed extraction path: {one.filename}")
        opened.extractall(target)
    say(f"Artifact {archive.stem} was extracted to {target}")


if __name__ == "__main__":
    main()
