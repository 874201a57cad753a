"""`actions/cache`: folders that stay in the harness's storage, by key."""

from __future__ import annotations

import hashlib
import os
import tarfile
from pathlib import Path

from tests.workflows.standins.toolkit import (
    fail,
    read_flag,
    read_input,
    say,
    storage,
    workspace,
    write,
)


def places() -> list[Path]:
    lines = [line.strip() for line in read_input("path").splitlines() if line.strip()]
    return [Path(os.path.normpath(workspace() / Path(line).expanduser())) for line in lines]


def folder() -> Path:
    """Caches are of one list of paths, as the real ones are: it is part of their version."""
    whole = f"{os.environ['GITHUB_REPOSITORY']}\n{read_input('path')}"
    place = storage("caches") / hashlib.sha256(whole.encode()).hexdigest()[:16]
    place.mkdir(exist_ok=True)
    return place


def archive(key: str) -> Path:
    return folder() / f"{key.encode().hex()}.tar"


def tops() -> dict[str, Path]:
    """The two folders that a cache can lie in, which are elsewhere in each job of the harness."""
    return {"workspace": workspace(), "home": Path.home()}


def find(key: str, prefixes: list[str]) -> str | None:
    """The key itself, else the newest one that begins with the first prefix that any has."""
    known = sorted(folder().glob("*.tar"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    keys = [bytes.fromhex(path.stem).decode() for path in known]
    if key in keys:
        return key
    return next((one for prefix in prefixes for one in keys if one.startswith(prefix)), None)


def main() -> None:
    key = read_input("key")
    prefixes = [line.strip() for line in read_input("restore-keys").splitlines() if line.strip()]
    found = find(key, prefixes)
    write("STATE", "found", found or "")
    write("OUTPUT", "cache-hit", "" if found is None else str(found == key).lower())
    if found is None:
        if read_flag("fail-on-cache-miss"):
            fail(f"Failed to restore cache entry. Input key: {key}")
        say(f"Cache not found for input keys: {', '.join([key, *prefixes])}")
    elif not read_flag("lookup-only"):
        with tarfile.open(archive(found)) as opened:
            for name, top in tops().items():
                inside = [one for one in opened if one.name.startswith(f"{name}/")]
                for one in inside:
                    one.name = one.name.removeprefix(f"{name}/")
                opened.extractall(top, inside, filter="tar")
        say(f"Cache restored from key: {found}")


if __name__ == "__main__":
    main()
