"""Files that stand for other bytes: pointers of Git LFS and DVC, links of git-annex, submodules
that nobody has fetched, links that a checkout without links has made files of.

A clone is complete for Git while the bytes are elsewhere. What measures bytes must not take the
stand-in for them: a pointer has a digest, a size and even lines, and would be reviewed, approved
and served.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from assent.errors import AssentError, UsageError
from assent.measure.patterns import base_of
from assent.parsing import MAX_BYTES as MAX_PARSED
from assent.parsing import ParseError, parse_yaml

MAX_BYTES = 1024
"""Git LFS takes no longer file for a pointer; those of the others are shorter."""
_MAX_LINK_BYTES = 4096
"""No system has a longer path."""
_MAX_DVC_BYTES = 64 * 1024
_MAX_MODULES_BYTES = 1 << 20
_SHOWN = 3


class StandIn(NamedTuple):
    """What lies in the place of a file (`a Git LFS pointer`), and how to get the file itself."""

    what: str
    remedy: str


class StandInError(UsageError):
    """The bytes that are to be read are not here, only what stands for them."""


_LFS = StandIn(
    "a Git LFS pointer, not the file itself",
    "run `git lfs pull`; in CI let the checkout fetch it (`lfs: true` of actions/checkout, and no "
    "GIT_LFS_SKIP_SMUDGE)",
)
_ANNEX = StandIn(
    "a pointer of git-annex, not the file itself", "run `git annex get` for it, in CI too"
)
_CRYPT = StandIn(
    "encrypted by git-crypt, and this clone is locked", "run `git-crypt unlock`, in CI too"
)
_FAT = StandIn("a pointer of git-fat, not the file itself", "run `git fat pull`")
_DVC_LINK = StandIn("a link to DVC's cache, which does not hold the file", "run `dvc pull`")
_DVC_OUT = StandIn(
    "not here: dvc.lock says that a stage wrote it, so DVC may keep it",
    "run `dvc pull`, in CI too, or let a command run the stage",
)
_SUBMODULE = StandIn(
    "in a submodule that is not fetched",
    "run `git submodule update --init --recursive`; in CI `submodules: recursive` of "
    "actions/checkout, or GIT_SUBMODULE_STRATEGY on GitLab",
)
_SPARSE = StandIn(
    "in Git, but left out by the sparse checkout", "add its folder with `git sparse-checkout add`"
)
_LOST = StandIn(
    "in Git as a repository of its own that no .gitmodules names, so that nobody can fetch it",
    "remove it from the index, and add its files or a submodule (`git submodule add`)",
)
_LINK = StandIn(
    "the text of a link, as a checkout without links leaves it, not what the link leads to",
    "check out where links can be made (`core.symlinks`), or commit the file itself",
)

_ENCRYPTED = b"\0GITCRYPT\0"
"""How a file of any size begins that git-crypt has encrypted."""
_CONTENTS = (
    (re.compile(rb"(?:\xef\xbb\xbf)?version https?://(?:git-lfs|hawser)\.github\.com/spec/"), _LFS),
    (re.compile(rb"(?:\xef\xbb\xbf)?version http://git-media\.io/v/2\s"), _LFS),  # which it takes
    (re.compile(rb"/annex/objects/"), _ANNEX),
    # What a checkout makes of a link where the file system has none.
    (re.compile(rb"(?:\.\./)*\.git/annex/objects/"), _ANNEX),
    (re.compile(rb"#\$# git-fat [0-9a-f]"), _FAT),
)
_TARGETS = (
    (re.compile(r"(?:^|/)annex/objects/"), _ANNEX),
    (re.compile(r"(?:^|/)\.dvc/cache/|(?:^|/)files/md5/[0-9a-f]{2}/"), _DVC_LINK),
)
_PROMISED = re.compile(
    rb"version https?://(?:git-lfs|hawser)\.github\.com/spec/.*?\noid sha256:([0-9a-f]{64})\r?\n"
    rb"|/annex/objects/SHA256E?-s\d+--([0-9a-f]{64})",
    re.DOTALL,
)
_OUTS = re.compile(rb"^outs:", re.MULTILINE)
_MODULE = re.compile(r'^\s*path\s*=\s*"?([^"\n]*?)"?\s*$', re.MULTILINE)


def stand_in(path: Path) -> StandIn | None:
    """What `path` is in the place of the bytes that are meant; None for a file that is itself, and
    for anything else.
    """
    if path.is_symlink() and not path.exists():
        return _of_target(path)
    try:
        size = path.stat().st_size if path.is_file() else 0
    except OSError:
        return None  # reading it will say what is wrong
    is_small = 0 < size <= _MAX_DVC_BYTES
    if is_small and path.suffix == ".dvc" and _OUTS.search(_head(path, _MAX_DVC_BYTES)):
        return _dvc(path.name, path.with_suffix("").name)
    head = _head(path, MAX_BYTES if size <= MAX_BYTES else len(_ENCRYPTED)) if size else b""
    if head.startswith(_ENCRYPTED):
        return _CRYPT
    if size > MAX_BYTES:
        return None
    return next((kind for pattern, kind in _CONTENTS if pattern.match(head)), None)


def promised(path: Path) -> str | None:
    """The SHA-256, in hex, that a pointer says that the file itself has; None if it says none."""
    match = _PROMISED.match(_head(path, MAX_BYTES)) if path.is_file() else None
    return None if match is None else next(filter(None, match.groups())).decode()


def linked_elsewhere(real: str) -> StandIn | None:
    """Whether a link leads into the store of a tool that puts links in the place of files: then
    the files themselves can be had.
    """
    for pattern, kind in _TARGETS:
        if pattern.search(real):
            remedy = (
                "let `git annex unlock` put the files themselves there"
                if kind is _ANNEX
                else "run `dvc config cache.type copy` and `dvc checkout --relink`"
            )
            return StandIn(kind.what, remedy)
    return None


def stands_for(path: Path) -> bool:
    """Whether nothing is at `path` but a link that stands for a file elsewhere."""
    return path.is_symlink() and not path.exists() and _of_target(path) is not None


def why_missing(root: Path, name: str) -> StandIn | None:
    """Why there is no file at `name` below `root`, a path or a glob, although there could be one;
    None if nothing is known of it.
    """
    try:
        return _why_missing(root, name)
    except (OSError, ValueError):  # a name that no file system has
        return None


def _why_missing(root: Path, name: str) -> StandIn | None:
    fixed = base_of(name)
    place = root / fixed
    if place.is_symlink() and not place.exists():
        return _of_target(place)
    pointer = _dvc_pointer(root, name, fixed)
    if pointer is not None:
        return _dvc(pointer.name, pointer.with_suffix("").name)
    if any(_is_below(place, module) for module in _empty_submodules(root)):
        return _SUBMODULE
    if _is_out(root, fixed):
        return _DVC_OUT
    links = _index(root).links
    if any(_is_text_of_link(root, path, links) for path in (place, *place.parents)):
        return _LINK
    return _SPARSE if _is_sparse(root, name) else None


def stand_ins(root: Path, paths: Iterable[Path]) -> Iterator[tuple[str, StandIn]]:
    """The files among `paths` that stand for others, by their name relative to `root`. For a
    folder, a submodule in it that is not fetched is one too.
    """
    modules = _empty_submodules(root)
    links = _index(root).links
    for path in paths:
        if path.is_dir():
            below = (module for module in modules if _is_below(module, path))
            here = [(module, _SUBMODULE) for module in below]
        else:
            kind = stand_in(path) or (_LINK if _is_text_of_link(root, path, links) else None)
            here = [] if kind is None else [(path, kind)]
        for place, kind in here:
            yield os.path.relpath(place, root), kind


def not_here(root: Path) -> list[tuple[str, StandIn]]:
    """What Git holds below `root` and the working tree has not, by name: the folders of submodules
    that are not fetched, and files that a sparse checkout has left out.
    """
    empty = [os.path.relpath(path, root) for path in _empty_submodules(root)]
    absent = [(name, _SUBMODULE) for name in empty if name != ".." and not name.startswith("../")]
    index = _index(root)
    known = set(empty)
    for name in index.modules:
        place = root / name
        if name not in known and (not place.exists() or _is_empty(place)):
            absent.append((name, _SUBMODULE if _is_named(root, name) else _LOST))
    absent += [(name, _SPARSE) for name in index.left_out if not os.path.lexists(root / name)]
    return absent


def is_folder(kind: StandIn) -> bool:
    """Whether what is not here is a folder with whatever it holds."""
    return kind in (_SUBMODULE, _LOST)


def require_real(root: Path, paths: Iterable[Path], doing: str) -> None:
    """Raise `StandInError` if one of `paths`, which are below `root`, stands for other bytes. It
    names the first of them and what to do.
    """
    absent = list(stand_ins(root, paths))
    if absent:
        raise error_of(doing, absent)


def require_there(root: Path, name: str, doing: str) -> None:
    """Raise `StandInError` if nothing is at `name` and it is known why; else do nothing."""
    kind = why_missing(root, name)
    if kind is not None:
        raise error_of(doing, [(name, kind)])


def error_of(doing: str, absent: Sequence[tuple[str, StandIn]]) -> StandInError:
    """The error of files that stand for others."""
    kind = absent[0][1]
    names = [name for name, other in absent if other == kind]
    more = len(absent) - min(len(names), _SHOWN)
    shown = ", ".join(names[:_SHOWN]) + (f" and {more} more" if more else "")
    verb = "is" if len(absent) == 1 else "are each"
    return StandInError(doing, f"{shown} {verb} {kind.what}", hint=kind.remedy)


def whole(error: AssentError) -> str:
    """An error as the problem of a file: with what to do, if that is to get the file itself."""
    is_known = isinstance(error, StandInError)
    return f"{error.problem}: {error.hint}" if is_known else error.problem


def said(kind: StandIn) -> str:
    """A stand-in as the problem of the file that it is said of."""
    return f"it is {kind.what}: {kind.remedy}"


def _dvc(pointer: str, name: str) -> StandIn:
    return StandIn(
        f"not here: only the pointer {pointer} is, which DVC keeps in its place",
        f"run `dvc pull`, in CI too, and let assent.yaml name {name!r} itself",
    )


def _of_target(link: Path) -> StandIn | None:
    try:
        target = str(link.readlink())
    except OSError:
        return None
    return next((kind for pattern, kind in _TARGETS if pattern.search(target)), None)


def _head(path: Path, count: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError:
        return b""


def _dvc_pointer(root: Path, name: str, fixed: str) -> Path | None:
    """The pointer that stands for a path, for a folder that it is in, or for one that a glob would
    match.
    """
    here = PurePosixPath(fixed)
    for parent in (here, *here.parents):
        pointer = root / f"{parent}.dvc"
        if parent.name and not pointer.name.startswith("..") and pointer.is_file():
            return pointer
    if fixed == PurePosixPath(name).as_posix():
        return None
    try:
        return next((path for path in root.glob(f"{name}.dvc") if path.is_file()), None)
    except (ValueError, NotImplementedError, OSError):  # a glob that `pathlib` does not know
        return None


def _is_out(root: Path, name: str) -> bool:
    """Whether a `dvc.lock` has a path, or a folder that it is in, as what a stage wrote."""
    place = PurePosixPath(name)
    return any(
        place.is_relative_to(posixpath.normpath(posixpath.join(folder, out)))
        for folder in place.parents
        for out in _outs(root / folder / "dvc.lock")
    )


def _outs(lock: Path) -> list[str]:
    try:
        read = parse_yaml(_head(lock, MAX_PARSED))
    except ParseError:
        return []
    outs = [out for stage in _values(_get(read, "stages")) for out in _items(_get(stage, "outs"))]
    return [path for out in outs if isinstance(path := _get(out, "path"), str)]


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _values(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else []


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _empty_submodules(root: Path) -> list[Path]:
    """The folders of submodules around or below `root` that hold nothing, those of submodules
    included.
    """
    real = Path(os.path.realpath(root))
    for top in (real, *real.parents):
        if (top / ".gitmodules").is_file():
            return [root / os.path.relpath(below, real) for below in _empty_below(top)]
        if (top / ".git").exists():
            break
    return []


def _empty_below(top: Path) -> Iterator[Path]:
    for folder in _named_submodules(top):
        if _is_empty(folder):
            yield folder
        elif (folder / ".gitmodules").is_file() and _is_below(folder, top) and folder != top:
            yield from _empty_below(folder)


def _named_submodules(top: Path) -> list[Path]:
    text = _head(top / ".gitmodules", _MAX_MODULES_BYTES).decode(errors="replace")
    return [top / name for name in _MODULE.findall(text) if name]


def _is_named(root: Path, name: str) -> bool:
    """Whether `.gitmodules` says where a submodule is to be fetched from."""
    real = Path(os.path.realpath(root))
    place = os.path.normpath(real / name)
    tops = [parent for parent in (real, *real.parents) if (parent / ".gitmodules").is_file()]
    return any(
        os.path.normpath(module) == place for top in tops for module in _named_submodules(top)
    )


def _is_empty(folder: Path) -> bool:
    try:
        return folder.is_dir() and not any(folder.iterdir())
    except OSError:
        return False


def _is_below(path: Path, folder: Path) -> bool:
    return Path(os.path.normpath(path)).is_relative_to(os.path.normpath(folder))


def _is_sparse(root: Path, name: str) -> bool:
    """Whether Git holds the file, or files in the folder, and keeps it out of the working tree."""
    from assent.git import git  # where something is missing only

    doing = f"looking for {name!r} in Git"
    try:
        shown = git(["ls-files", "-z", "-t", "--", name], folder=root, doing=doing)
    except AssentError:
        return False
    return any(entry.startswith(b"S ") for entry in shown.split(b"\0"))


class _Index(NamedTuple):
    """What Git's index says below a folder of what is no plain file there: `links` with the ids of
    their texts, the folders of `modules`, and files that were `left_out`.
    """

    links: dict[str, str]
    modules: tuple[str, ...]
    left_out: tuple[str, ...]


def _index(root: Path) -> _Index:
    place = _place_of_index(root)
    try:
        status = None if place is None else place.stat()
    except OSError:
        status = None
    if status is None:
        return _Index({}, (), ())
    return _read_index(root, (status.st_mtime_ns, status.st_size, status.st_ino))


@lru_cache(maxsize=16)
def _read_index(root: Path, _state: tuple[int, int, int]) -> _Index:
    """Read once for each state of it."""
    from assent.git import git  # where there is one only

    try:
        shown = git(["ls-files", "-z", "-t", "-s"], folder=root, doing="reading Git's index")
    except AssentError:
        return _Index({}, (), ())
    links: dict[str, str] = {}
    modules, left_out = [], []
    for entry in shown.split(b"\0"):
        if entry[:1] != b"S" and entry[2:4] not in (b"12", b"16"):
            continue
        header, _, name = entry.partition(b"\t")
        tag, mode, oid = header.split(b" ")[:3]
        if mode == b"120000":
            links[os.fsdecode(name)] = oid.decode()
        if mode == b"160000":
            modules.append(os.fsdecode(name))
        elif tag == b"S":
            left_out.append(os.fsdecode(name))
    return _Index(links, tuple(modules), tuple(left_out))


def _place_of_index(root: Path) -> Path | None:
    """The file of the index of the repository that `root` is in."""
    real = Path(os.path.realpath(root))
    for top in (real, *real.parents):
        git = top / ".git"
        if git.is_dir():
            return git / "index"
        if git.is_file():
            text = os.fsdecode(_head(git, _MAX_LINK_BYTES + 16)).strip()
            return top / text.removeprefix("gitdir: ") / "index"
    return None


def _is_text_of_link(root: Path, path: Path, links: Mapping[str, str]) -> bool:
    """Whether a file holds nothing but where a link leads that Git has in its place: one of
    `links`, with the ids of their texts.
    """
    if not links:
        return False
    try:
        size = 0 if path.is_symlink() or not path.is_file() else path.stat().st_size
        if not 0 < size <= _MAX_LINK_BYTES:
            return False
        text = _head(path, _MAX_LINK_BYTES)
        if b"\n" in text or b"\0" in text:
            return False
        name = os.path.relpath(os.path.realpath(path), os.path.realpath(root))
    except OSError:
        return False
    oid = links.get(name)
    if oid is None:
        return False
    kind = hashlib.sha256 if len(oid) == 64 else hashlib.sha1
    return kind(b"blob %d\0" % len(text) + text).hexdigest() == oid
