"""`actions/upload-artifact`: a zip file whose paths begin at the files' least common folder."""

from __future__ import annotations

import glob
import hashlib
import os
import zipfile
from pathlib import Path

from tests.workflows.standins import artifacts
from tests.workflows.standins.toolkit import (
    fail,
    read_flag,
    read_input,
    say,
    warn,
    workspace,
    write,
)


def main() -> None:
    if not read_flag("archive"):
        fail("the stand-in always makes an archive")
    name = artifacts.check_name(read_input("name"))
    lines = [line.strip() for line in read_input("path").splitlines() if line.strip()]
    roots = [line for line in lines if not line.startswith("!")]
    excluded = {path for line in lines if line.startswith("!") for path in search(line[1:])}
    files = sorted({path for line in roots for path in search(line)} - excluded)
    if not files:
        complain(f"No files were found with the provided path: {' '.join(lines)}.")
        return
    place = artifacts.folder(artifacts.own_run())
    place.mkdir(parents=True, exist_ok=True)
    target = place / f"{name}.zip"
    if target.exists() and not read_flag("overwrite"):
        fail("Failed to CreateArtifact: (409) Conflict: an artifact with this name already exists")
    level = int(read_input("compression-level"))
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for path in files:
            archive.write(path, path.relative_to(start(roots, files)))
    number = str(sum(1 for _ in place.parent.glob("*/*.zip")))
    say(f"Artifact {name} has been successfully uploaded: {len(files)} files. ID {number}")
    run = f"{os.environ['GITHUB_SERVER_URL']}/{os.environ['GITHUB_REPOSITORY']}/actions/runs"
    write("OUTPUT", "artifact-id", number)
    write("OUTPUT", "artifact-url", f"{run}/{artifacts.own_run()}/artifacts/{number}")
    write("OUTPUT", "artifact-digest", hashlib.sha256(target.read_bytes()).hexdigest())


def search(pattern: str) -> list[Path]:
    """The files of a pattern; folders count with all that is in them. Links are followed, as the
    real action follows them. Hidden is what has a dot at or below the place that is searched.
    """
    whole = Path(os.path.normpath(workspace() / Path(pattern).expanduser()))
    top = fixed(whole)
    takes_hidden = read_flag("include-hidden-files")
    found = glob.glob(str(whole), recursive=True, include_hidden=takes_hidden)  # noqa: PTH207
    files = [file for path in found for file in below(Path(path))]
    if takes_hidden:
        return files
    inside = [(path, path.relative_to(top.parent).parts) for path in files]
    return [path for path, parts in inside if not any(part.startswith(".") for part in parts)]


def below(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path] if path.is_file() else []
    walked = os.walk(path, followlinks=True)
    files = [Path(folder) / name for folder, _, names in walked for name in names]
    return [file for file in files if file.is_file()]


def fixed(path: Path) -> Path:
    """The part of a pattern that is no pattern."""
    while glob.has_magic(str(path)):
        path = path.parent
    return path


def start(roots: list[str], files: list[Path]) -> Path:
    """Where paths in the archive begin: the one folder given, or what all roots have in common."""
    wholes = [Path(os.path.normpath(workspace() / Path(root).expanduser())) for root in roots]
    common = Path(os.path.commonpath([fixed(whole) for whole in wholes]))
    return common if common.is_dir() else common.parent


def complain(message: str) -> None:
    match read_input("if-no-files-found"):
        case "error":
            fail(message)
        case "warn":
            warn(f"{message} No artifacts will be uploaded.")
        case "ignore":
            say(message)
        case other:
            fail(f"Unrecognized if-no-files-found input: {other}")


if __name__ == "__main__":
    main()
