"""Keeping Assent's copy of a ledger small: each fetch leaves a pack, and Git tidies none of it up.

Small packs become one. `git gc` would rewrite everything each time, also the entries that a
`verify` has brought; a large pack stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

MOST_PACKS = 48
"""How many small packs there may be. A reading with news leaves up to five."""
MOST_SHALLOW = 64
SMALL_BYTES = 1024 * 1024
_MOST_LOOSE = 8
"""Loose objects in one of the 256 folders for them: some two thousand in all."""

Git = Callable[..., bytes]


def tidy(folder: Path, git: Git) -> None:
    """Merge the small packs of a repository, if there are many, and the loose objects. `git` runs
    Git in it; no other process may tidy it up meanwhile. Fetching may go on.
    """
    packs = [path for path in (folder / "objects/pack").glob("pack-*.pack") if _is_small(path)]
    if len(packs) > MOST_PACKS:
        _merge(packs, git)
    _forget_shallow(folder, git)
    with suppress(FileNotFoundError):
        if sum(1 for _ in (folder / "objects/17").iterdir()) > _MOST_LOOSE:
            here = ("-c", "gc.auto=1000", "-c", "gc.autoDetach=false")
            git(*here, "gc", "--auto", "--quiet", doing=_DOING)


_DOING = "tidying up the copy of the ledger"


def _forget_shallow(folder: Path, git: Git) -> None:
    """Each fetch notes that its commit comes without those before it, and tells the remote all
    that was noted so: of commits that no branch is at any more, nobody need know it.
    """
    place = folder / "shallow"
    try:
        noted = place.read_text("ascii").split()
    except (FileNotFoundError, UnicodeDecodeError):
        return
    if len(noted) <= MOST_SHALLOW:
        return
    tips = git("for-each-ref", "--format=%(objectname)", doing=_DOING).decode().split()
    draft = place.with_name("shallow.lock")  # as Git does it, so that no fetch does it too
    with suppress(FileExistsError):
        with draft.open("x") as file:
            file.writelines(f"{oid}\n" for oid in noted if oid in tips)
        draft.replace(place)


def _merge(packs: list[Path], git: Git) -> None:
    """One pack instead of these. What it lacks is at the remote, as they said (`.promisor`). It is
    complete before the first of them goes.
    """
    ids_of = {path: _ids(path.with_suffix(".idx")) for path in packs}
    ids = sorted({oid for some in ids_of.values() for oid in some})
    if not ids:
        return
    target = packs[0].with_name("pack")
    request = "".join(f"{oid}\n" for oid in ids).encode()
    name = git("pack-objects", "--quiet", str(target), doing=_DOING, stdin=request)
    made = target.with_name(f"pack-{name.decode().strip()}")
    made.with_suffix(".promisor").touch()
    for path in packs:
        if ids_of[path] and path.stem != made.name:
            # Without its index a pack is none, so the index goes first.
            for suffix in (".idx", ".rev", ".bitmap", ".pack", ".promisor"):
                path.with_suffix(suffix).unlink(missing_ok=True)


def _ids(index: Path) -> list[str]:
    """The ids in an index of a pack, of the second version, which Git has written since 2007; none
    if it is another, or is not there (any more, or yet).

    See https://git-scm.com/docs/gitformat-pack.
    """
    try:
        content = index.read_bytes()
    except FileNotFoundError:
        return []
    if content[:8] != b"\377tOc\0\0\0\2" or len(content) < _FIRST:
        return []
    count = int.from_bytes(content[_FIRST - 4 : _FIRST], "big")
    # After the ids come, for each, a checksum and an offset, and at the end two ids more.
    size = next(
        (
            length
            for length in (20, 32)
            if _FIRST + count * (length + 8) + 2 * length == len(content)
        ),
        0,
    )
    ends = range(_FIRST, _FIRST + count * size, size) if size else ()
    return [content[start : start + size].hex() for start in ends]


_FIRST = 8 + 256 * 4
"""Where the ids begin: after the header and the counts by first byte."""


def _is_small(pack: Path) -> bool:
    try:
        return pack.stat().st_size < SMALL_BYTES and not pack.with_suffix(".keep").exists()
    except FileNotFoundError:
        return False
