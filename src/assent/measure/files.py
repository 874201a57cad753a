"""Files of the working tree: found by pattern, read within bounds, and hashed.

The working tree is untrusted: a link may lead anywhere, and a name may be no text at all.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BufferedReader
from pathlib import Path, PurePosixPath

from assent import parsing
from assent.core.digest import Digest
from assent.core.evidence import Problem
from assent.errors import AssentError, OutsideError, UsageError
from assent.measure import pointers
from assent.measure.patterns import (
    EVERYTHING,
    UNMATCHED,
    Rule,
    base_of,
    covers,
    is_glob,
    next_places,
    past_stars,
    relates,
    rules_of,
)
from assent.measure.redaction import redact_text
from assent.parsing import ParseError

Progress = Callable[[int], None]
"""Called with the number of bytes done since the last call, from any thread."""

_FEW, _SMALL_BYTES = 16, 1 << 20
"""A few small files are read sooner than threads are started."""

PLACEHOLDERS = frozenset({".gitkeep", ".gitignore", ".gitattributes", ".keep", ".placeholder"})
"""Files that keep a folder in Git. They are no output of anything, wherever they lie."""

MAX_FILES = 1_000_000
_MOST_LINKS = 40
"""As many links as the system follows on the way to one file."""
_ENVIRONMENTS = ("pyvenv.cfg", "conda-meta")
"""What marks the folder of an environment."""


def is_environment(folder: Path) -> bool:
    """Whether a folder is an environment of Python or Conda: its packages are known otherwise."""
    return any(os.path.lexists(folder / name) for name in _ENVIRONMENTS)


def expand(
    root: Path, patterns: Sequence[str], is_apart: Callable[[Path], bool] = is_environment
) -> list[Path]:
    """The files that `patterns` name, as paths below `root`, sorted and each once.

    A file's name is that file; a folder's name is every file below it, hidden ones included. In a
    glob `**` stands for any number of folders, and at the end (`src/**`) for every file below.
    What in a folder `is_apart`, an environment, is not meant, unless it is named itself.
    Raises `UsageError` for a pattern or a link that leaves `root`, and for a link to a file that
    git-annex or DVC has elsewhere.
    """
    return sorted({path for pattern in patterns for path in _matches(root, pattern, is_apart)})


def path_below(root: Path, name: str) -> Path:
    """`name` joined to `root`. Raises `UsageError` if it is absolute or goes up with `..`."""
    path = PurePosixPath(name)
    doing = f"looking for {name!r}"
    if path.is_absolute() or ".." in path.parts:
        raise UsageError(
            doing, "the path leaves the repository", hint="name files below the repository's root"
        )
    if not name or "\0" in name:
        raise UsageError(doing, "this is no path")
    return root / path


def relative_name(root: Path, path: Path) -> str:
    """`path` relative to `root`, with `/`. Raises `UsageError` if there is no such name."""
    try:
        name = path.relative_to(root).as_posix()
    except ValueError:
        raise UsageError(f"reading {path}", f"it is not below {root}") from None
    try:
        name.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(name).decode(errors="replace")
        raise UsageError(
            f"reading {shown}", "its name is not UTF-8", hint="rename the file"
        ) from None
    return name


def links_to(root: Path, name: str | Path) -> dict[str, bytes]:
    """The links below `root` that are on the way to `name`, itself included, with their texts."""
    texts: dict[Path, bytes] = {}
    here, rest = root, [*reversed(Path(name).parts)]
    while rest and len(texts) < _MOST_LINKS:
        part = rest.pop()
        here = here.parent if part == ".." else here / part
        if here.is_symlink():
            texts[here] = link_text(here)
            rest += reversed(Path(os.fsdecode(texts[here])).parts)
            here = here.parent
    return {
        relative_name(root, link): text for link, text in texts.items() if link.is_relative_to(root)
    }


def link_text(link: Path) -> bytes:
    """Where a link leads, as it is written."""
    return os.fsencode(os.readlink(link))  # noqa: PTH115 - a path would lose a slash at the end


def is_in_environment(root: Path, name: str) -> bool:
    """Whether a file lies in an environment of Python below `root`, or of Conda: what is installed
    there is known by its packages.
    """
    return any(
        is_environment(root / parent) for parent in PurePosixPath(name).parents if parent.name
    )


def leads_out(root: Path, path: Path) -> bool:
    """Whether a path is outside of `root` once all links are followed."""
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def nothing(_: str) -> bool:
    """False."""
    return False


def declared(
    root: Path, patterns: Sequence[str], is_strange: Callable[[str], bool] = nothing
) -> tuple[dict[str, Path], list[Problem]]:
    """The files that `patterns` name, by their name relative to `root`; every pattern that names
    no file, or none that may be read, is a problem, and so is a file that stands for another. What
    `is_strange` is not what a glob means.
    """
    paths: dict[str, Path] = {}
    problems: list[Problem] = []
    for pattern in patterns:
        try:
            named = {relative_name(root, path): path for path in expand(root, [pattern])}
            if is_glob(pattern):
                named = {name: path for name, path in named.items() if not is_strange(name)}
        except AssentError as error:
            problems.append(unreadable(pattern, error))
            continue
        if not named:
            kind = pointers.why_missing(root, pattern)
            problem = "no such file" if kind is None else pointers.said(kind)
            problems.append(Problem(source=pattern, problem=problem))
        for name, path in named.items():
            kinds = [kind for _, kind in pointers.stand_ins(root, [path])]
            if not kinds:
                paths[name] = path
            problems += [Problem(source=name, problem=pointers.said(kind)) for kind in kinds]
    return paths, problems


def missing(root: Path, patterns: Sequence[str]) -> list[tuple[str, pointers.StandIn]]:
    """What `patterns` may name that Git holds and that is not here, by name: submodules that are
    not fetched, and files that a sparse checkout has left out.
    """
    return [
        (name, kind)
        for name, kind in pointers.not_here(root)
        if any(
            relates(pattern, name) if pointers.is_folder(kind) else covers(pattern, name)
            for pattern in patterns
        )
    ]


def unreadable(source: str, error: AssentError | ParseError) -> Problem:
    """The problem of a declared file, in the error's own words but without its secrets."""
    reason = str(error) if isinstance(error, ParseError) else pointers.whole(error)
    return Problem(source=source, problem=redact_text(reason))


def read_small(path: Path) -> bytes:
    """The content of a file of at most `parsing.MAX_BYTES`; a larger one is not read."""
    with _opened(path) as file:
        try:
            size = os.fstat(file.fileno()).st_size
            content = b"" if size > parsing.MAX_BYTES else file.read(parsing.MAX_BYTES + 1)
        except OSError as error:
            raise _unreadable(path, error) from None
    if max(size, len(content)) > parsing.MAX_BYTES:
        limit = f"{parsing.MAX_BYTES // 1024 // 1024} MiB"
        raise UsageError(f"reading {path}", f"larger than {limit}")
    return content


def file_digest(
    path: Path,
    progress: Progress | None = None,
    also: Callable[[memoryview], None] | None = None,
) -> Digest:
    """The digest of a file's content, in memory that does not grow with the file. `also` is given
    every part of the content, in order.
    """
    with _opened(path) as file:
        try:
            is_plain = progress is None and also is None
            counted = file if is_plain else _Counted(file, progress, also)
            return Digest("sha256:" + hashlib.file_digest(counted, "sha256").hexdigest())
        except OSError as error:
            raise _unreadable(path, error) from None


def digests(
    root: Path, paths: Sequence[Path], progress: Progress | None = None
) -> dict[str, Digest]:
    """The digest of every file by its name relative to `root`, in the order given.

    Raises `UsageError` for a link that leaves `root` and `OutsideError` for a file that cannot be
    read.
    """
    names = [relative_name(root, root / path) for path in paths]
    inside = _Inside(root)
    for path in paths:
        inside.require(root / path)

    def hashed(path: Path) -> Digest:
        return file_digest(root / path, progress)

    if len(paths) <= _FEW and all(_is_small(root / path) for path in paths):
        return dict(zip(names, map(hashed, paths), strict=True))
    from concurrent.futures import ThreadPoolExecutor  # only where there is much to read

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return dict(zip(names, pool.map(hashed, paths), strict=True))


def _is_small(path: Path) -> bool:
    try:
        return path.stat().st_size <= _SMALL_BYTES
    except OSError:
        return True  # reading it will say what is wrong


def walk(
    folder: Path,
    within: Path,
    skip: frozenset[str] = frozenset(),
    rules: Sequence[Rule] = EVERYTHING,
    is_apart: Callable[[Path], bool] | None = None,
) -> Iterator[Path]:
    """Every path below `folder` that is no folder and fits `rules`, in no particular order. Names
    in `skip`, and folders and links that are `is_apart`, are left out with all that is below them.

    Links are followed inside `within`. Raises `UsageError` for a link that leaves `within` or
    leads back to a folder it stands in, and `OutsideError` for a folder that cannot be read.
    """
    inside = _Inside(within)
    real = os.path.realpath(folder)
    # Each folder to read, with the real folders it stands in (meeting one again is a loop) and
    # the places in `rules` that its names have reached.
    folders: list[tuple[Path, tuple[str, ...], set[int]]]
    folders = [(folder, (real,), past_stars({0}, rules))]
    count = 0
    while folders:
        here, above, reached = folders.pop()
        for entry in _entries(here):
            places = next_places(reached, rules, entry.name)
            if entry.name in skip or not places:
                continue
            count += 1
            if count > MAX_FILES:
                raise UsageError(f"reading {folder}", f"it holds more than {MAX_FILES:,} files")
            path = Path(entry.path)
            is_link = entry.is_symlink()
            real = os.path.realpath(path) if is_link else f"{above[-1]}/{entry.name}"
            is_folder = Path(real).is_dir() if is_link else entry.is_dir()
            if not (places - {len(rules)} if is_folder else len(rules) in places):
                continue
            if is_apart is not None and (is_link or is_folder) and is_apart(path):
                continue
            if is_link:
                inside.require(path)
            if not is_folder:
                yield path
            elif real in above:
                raise UsageError(f"reading {path}", "the link leads back to a folder it stands in")
            else:
                folders.append((path, (*above, real), places))


def require_inside(root: Path, path: Path) -> None:
    """Raise `UsageError` if `path` is, or stands behind, a link that leaves `root`."""
    _Inside(root).require(path)


def _matches(root: Path, pattern: str, is_apart: Callable[[Path], bool]) -> Iterator[Path]:
    plain = path_below(root, pattern)
    names = plain.relative_to(root).parts
    inside = _Inside(root)
    if not UNMATCHED.isdisjoint(names):
        return
    if os.path.lexists(plain):
        inside.require(plain)
        if plain.is_dir():
            yield from _files_of(root, walk(plain, root, UNMATCHED, is_apart=is_apart))
        elif _is_file(root, plain):
            yield plain
        return
    base = root / base_of(pattern)
    if not is_glob(pattern) or not base.is_dir():
        return
    inside.require(base)
    rest = names[len(base.relative_to(root).parts) :]
    rules = rules_of((*rest, "**") if pattern.endswith("/") else rest)
    yield from _files_of(root, walk(base, root, UNMATCHED, rules, is_apart))


def _files_of(root: Path, paths: Iterable[Path]) -> Iterator[Path]:
    return (path for path in paths if _is_file(root, path))


def _is_file(root: Path, path: Path) -> bool:
    """Whether a path is a file. Raises `StandInError` for a link that stands for one which is not
    here: leaving that out would be silent.
    """
    if path.is_file():
        return True
    if pointers.stands_for(path):
        pointers.require_real(root, [path], f"reading {path}")
    return False


class _Inside:
    """Which paths stay below a folder once all links are followed. Remembers parents."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.real_root = Path(os.path.realpath(root))
        self.sound: set[Path] = {root}

    def require(self, path: Path) -> None:
        """Raise `UsageError` if `path` leaves the folder."""
        if path == self.root:
            return
        if path.parent not in self.sound:
            self._check(path, path.parent)
            self.sound.add(path.parent)
        if path.is_symlink():
            self._check(path, path)

    def _check(self, path: Path, place: Path) -> None:
        real = Path(os.path.realpath(place))
        if not real.is_relative_to(self.real_root):
            kept = pointers.linked_elsewhere(str(real))
            raise UsageError(
                f"reading {path}",
                f"the link leads to {real}, outside {self.root}",
                hint="put the files themselves where the link is" if kept is None else kept.remedy,
            )


class _Counted:
    """A file that tells what, and how far, it was read."""

    def __init__(
        self,
        file: BufferedReader,
        progress: Progress | None,
        also: Callable[[memoryview], None] | None,
    ) -> None:
        self.file = file
        self.progress = progress
        self.also = also

    def readinto(self, buffer: bytearray) -> int:
        """Read into `buffer`; return the number of bytes, 0 at the end."""
        count = self.file.readinto(buffer)
        if self.also is not None:
            self.also(memoryview(buffer)[:count])
        if self.progress is not None:
            self.progress(count)
        return count

    def readable(self) -> bool:
        """Asked by `hashlib.file_digest`."""
        return True


def _opened(path: Path) -> BufferedReader:
    """The file, open for reading. A pipe or a device is refused: reading it might never end."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "a pipe, a socket or a device"
            raise UsageError(f"reading {path}", f"it is {what}, not a file")
        return path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from None


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise _unreadable(folder, error) from None


def _unreadable(path: Path, error: OSError) -> OutsideError:
    hint = "check that it exists and that this account may read it"
    return OutsideError(f"reading {path}", error.strerror or str(error), hint=hint)
