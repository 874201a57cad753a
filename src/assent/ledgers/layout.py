"""Which files the branch has, and what one more entry makes of them.

```
registry.yaml                        the current state, for people and GitOps tools
000000100.jsonl                      the entries of the block that is not closed yet, one per line;
                                     the last one states the digest of the state and of index/
entries/000/000000050.jsonl          a full block of fifty entries, as it was
index/07/31.jsonl                    what is known of the bundles whose digest begins so
index/versions/000/000101.jsonl      the bundles of a hundred versions
index/closed.json                    the Git objects of all full blocks and folders
```

Everything but the entries is derived. Two things make this the layout. After every push the
receiving Git reads the whole tree of the commit before (to learn what is connected), so the number
of files and folders is what makes a write slow. And every commit is kept for ever: Git stores
little of a file to which lines are added, if its name tells it from others of its size, but all of
a folder with many files; so few files change, in small folders (docs/decisions/0006).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from assent.core.digest import Digest, canonical_json, digest_of_value, hex_of
from assent.core.entry import GENESIS
from assent.core.registry import NEWEST, Record, Registry, State

BLOCK = 50
"""Entries per file: as many as Git makes depend on one another."""

FILES = 100
"""Files per folder, where their number grows."""

VERSIONS = 100
"""Versions per file, a multiple of those that the state lists."""

REGISTRY_FORMAT = "assent/registry/1"
REGISTRY, ENTRIES, INDEX = "registry.yaml", "entries", "index"
CLOSED = f"{INDEX}/closed.json"
_HEADER = (
    "# The current state of this model, derived from entries/. Assent writes it; do not edit.\n"
)


class RegistryFile(State, frozen=True, kw_only=True, omit_defaults=True):
    """`registry.yaml`: the state."""

    format: str

    @property
    def state(self) -> State:
        """The state alone."""
        return State(**{name: getattr(self, name) for name in State.__struct_fields__})


class Closed(msgspec.Struct, frozen=True, kw_only=True):
    """`index/closed.json`: the id of the Git tree of every full folder of entries and of the Git
    blob of every full block in the newest one, by path; `head` is the digest of the last entry in
    them. With it a write notices that an old entry was changed, without reading old entries.
    """

    head: Digest = GENESIS
    objects: dict[str, str] = {}


class VersionLine(msgspec.Struct, frozen=True, kw_only=True):
    """The bundle of one version."""

    version: int
    bundle: Digest


def first_open(last: int) -> int:
    """The first entry that is in no full block, if `last` is the newest. The newest never is: the
    entry after it closes the block, so that what an entry states of the full ones does not depend
    on itself.
    """
    return max(last, 0) // BLOCK * BLOCK


def open_path(seq: int) -> str:
    """The file of an entry in the block that is not closed yet."""
    return _file(seq)


def is_open(path: str) -> bool:
    """Whether this is the file of a block that is not closed yet."""
    return re.fullmatch(r"\d{9,}\.jsonl", path) is not None


def folder_path(seq: int) -> str:
    """The folder of an entry in a full block."""
    return f"{ENTRIES}/{seq // (BLOCK * FILES):03d}"


def block_path(seq: int) -> str:
    """The file of the full block that holds an entry."""
    return f"{folder_path(seq)}/{_file(seq)}"


def version_path(version: int) -> str:
    """The file that names the bundle of a version which the state does not list any more."""
    first = (version - 1) // VERSIONS * VERSIONS + 1
    return f"{INDEX}/versions/{first // (VERSIONS * FILES):03d}/{first:06d}.jsonl"


def record_path(bundle: Digest) -> str:
    """The file that holds the record of a bundle: one of 4,096, in folders of 64."""
    place = f"{int(hex_of(bundle)[:3], 16):04o}"
    return f"{INDEX}/{place[:2]}/{place[2:]}.jsonl"


def entry_files(last: int) -> list[str]:
    """The files of all entries with `last` as the newest."""
    opened = first_open(last)
    return [block_path(seq) for seq in range(0, opened, BLOCK)] + [open_path(opened)]


def first_of(path: str) -> int:
    """The first entry of a block or a folder, by its path."""
    name, dot, _ = path.rpartition("/")[2].partition(".")
    return int(name) * (1 if dot else BLOCK * FILES)


def lines_of(content: bytes) -> list[bytes]:
    """The lines of a file with their ends."""
    return [line + b"\n" for line in content.split(b"\n")[:-1]]


def files_read(state: State, bundles: Iterable[Digest], count: int) -> list[str]:
    """The files that writing `count` more entries about `bundles` reads."""
    to_come = range(state.versions + 1, state.versions + count + 1)
    paths = [CLOSED, *map(record_path, bundles)]
    paths += [version_path(version) for version in to_come if version % NEWEST == 0]
    paths += [] if state.seq < 0 else [open_path(state.seq)]
    return list(dict.fromkeys(paths))


def index_written(
    seq: int,
    prev: Digest,
    state: State,
    records: Mapping[Digest, Record],
    kept: dict[str, bytes],
    object_format: str,
) -> dict[str, bytes | None]:
    """What entry `seq` makes of the files below `index/` and of the entries before it, whose last
    one has the digest `prev`: new contents by path, None for what goes.

    `state` and `records` are those after it; `object_format` says what the repository's ids are
    (`sha1`, `sha256`). `kept` holds the contents of `files_read` that there are, and is brought up
    to date.
    """
    changed: dict[str, bytes | None] = {}
    for record in records.values():
        path = record_path(record.bundle)
        changed[path] = kept[path] = _with_record(kept.get(path, b""), record)
    is_registered = any(record.registered == seq for record in records.values())
    if is_registered and state.versions % NEWEST == 0:
        # Before the state lists them no more.
        path = version_path(state.versions)
        lines = [_version_line(line.version, line.bundle) for line in reversed(state.newest)]
        changed[path] = kept[path] = kept.get(path, b"") + b"".join(lines)
    if seq == 0 or seq % BLOCK != 0:
        return changed
    block = kept.pop(open_path(seq - 1))
    closed = closing(closed_in(kept.get(CLOSED, b"")), seq - 1, block, prev, object_format)
    changed[CLOSED] = kept[CLOSED] = _closed_file(closed)
    return {**changed, open_path(seq - 1): None, block_path(seq - 1): block}


def folders_of(paths: Iterable[str]) -> list[str]:
    """The folders of the index that hold these files, and those above them."""
    folders = {INDEX}
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder.startswith(INDEX):
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    return sorted(folders)


def index_id(
    folders: dict[str, dict[str, str]], files: Mapping[str, bytes | None], object_format: str
) -> str:
    """The id of the Git tree `index/` when these files of it have changed. `folders` holds the
    ids by name in each of `folders_of(files)`, and is brought up to date.
    """
    inside = {path: file for path, file in files.items() if path.startswith(f"{INDEX}/")}
    for path, content in inside.items():
        folder, _, name = path.rpartition("/")
        names = folders.setdefault(folder, {})
        if content is None:
            names.pop(name, None)
        else:
            names[name] = _object_id("blob", content, object_format)
    for folder in sorted(folders_of(inside), key=lambda name: -name.count("/")):
        parent, _, name = folder.rpartition("/")
        if parent:
            folders.setdefault(parent, {})[name] = tree_id(folders[folder], object_format)
    return tree_id(folders.get(INDEX, {}), object_format)


def root_id(files: Mapping[str, str], object_format: str) -> str:
    """The id of the Git tree of these plain files, given by path and id."""
    folders: dict[str, dict[str, str]] = {"": {}}
    for path, oid in files.items():
        folder, _, name = path.rpartition("/")
        folders.setdefault(folder, {})[name] = oid
        while folder:
            folder = folder.rpartition("/")[0]
            folders.setdefault(folder, {})
    for folder in sorted(filter(None, folders), key=lambda folder: -folder.count("/")):
        parent, _, name = folder.rpartition("/")
        folders[parent][name] = tree_id(folders[folder], object_format)
    return tree_id(folders[""], object_format)


def derived_digest(state: State | Mapping[str, Any], index: str) -> Digest:
    """What an entry states of everything derived: the digest of the state, which is all that
    `registry.yaml` says but its format, and of the id of the Git tree `index/` after
    it (the id of an empty tree where there is none).
    """
    return digest_of_value({"index": index, "state": state})


def files_rebuilt(registry: Registry, closed: Closed) -> dict[str, bytes]:
    """Everything derived, made anew."""
    contents = {REGISTRY: state_file(registry.state)}
    for bundle in sorted(registry.records):
        path = record_path(bundle)
        line = canonical_json(registry.records[bundle]) + b"\n"
        contents[path] = contents.get(path, b"") + line
    for version in range(1, registry.state.versions // NEWEST * NEWEST + 1):
        path = version_path(version)
        line = _version_line(version, registry.versions[version])
        contents[path] = contents.get(path, b"") + line
    if closed.objects:
        contents[CLOSED] = _closed_file(closed)
    return contents


def state_file(state: State) -> bytes:
    """`registry.yaml`."""
    import yaml

    file = {"format": REGISTRY_FORMAT, **msgspec.to_builtins(state)}
    # Its bytes are compared, so everybody writes them with the one emitter that is everywhere.
    text = yaml.dump(
        file, Dumper=yaml.SafeDumper, sort_keys=False, allow_unicode=True, width=1 << 20
    )
    return (_HEADER + text).encode()


def closing(closed: Closed, seq: int, block: bytes, head: Digest, object_format: str) -> Closed:
    """`closed` after entry `seq`, whose digest is `head`, has filled `block`, and perhaps a
    folder.
    """
    objects = {**closed.objects, block_path(seq): _object_id("blob", block, object_format)}
    if (seq + 1) % (BLOCK * FILES) == 0:
        folder = folder_path(seq)
        blocks = [path for path in objects if path.startswith(f"{folder}/")]
        files = {path.rpartition("/")[2]: objects.pop(path) for path in blocks}
        objects[folder] = tree_id(files, object_format)
    return Closed(head=head, objects=objects)


def closed_paths(last: int) -> list[str]:
    """The full folders and blocks with `last` as the newest entry."""
    opened = first_open(last)
    folder = BLOCK * FILES
    start = opened // folder * folder
    folders = [folder_path(seq) for seq in range(0, start, folder)]
    return folders + [block_path(seq) for seq in range(start, opened, BLOCK)]


def closed_in(content: bytes) -> Closed:
    """`index/closed.json`, which is empty where it is missing. Raises `msgspec.DecodeError`."""
    return msgspec.json.decode(content, type=Closed) if content else Closed()


def records_in(content: bytes) -> dict[Digest, Record]:
    """The records in a file of them. Raises `msgspec.DecodeError`."""
    records = [msgspec.json.decode(line, type=Record) for line in lines_of(content)]
    return {record.bundle: record for record in records}


def versions_in(content: bytes) -> dict[int, Digest]:
    """Versions and their bundles in a file of them. Raises `msgspec.DecodeError`."""
    lines = [msgspec.json.decode(line, type=VersionLine) for line in lines_of(content)]
    return {line.version: line.bundle for line in lines}


def _version_line(version: int, bundle: Digest) -> bytes:
    return canonical_json(VersionLine(version=version, bundle=bundle)) + b"\n"


class _Named(msgspec.Struct, frozen=True):
    bundle: Digest


def blob_ids(files: Mapping[str, bytes], object_format: str) -> dict[str, str]:
    """The ids of the Git blobs with these contents, by path."""
    return {path: _object_id("blob", content, object_format) for path, content in files.items()}


def format_of(oid: str) -> str:
    """What an id of a repository is: `sha1` or `sha256`."""
    return "sha256" if len(oid) == 64 else "sha1"


def _with_record(content: bytes, record: Record) -> bytes:
    """The file of records with this one in the place of an older one."""
    lines = {msgspec.json.decode(line, type=_Named).bundle: line for line in lines_of(content)}
    lines[record.bundle] = canonical_json(record) + b"\n"
    return b"".join(lines[bundle] for bundle in sorted(lines))


def _closed_file(closed: Closed) -> bytes:
    return canonical_json(closed) + b"\n"


def _file(seq: int) -> str:
    # Git looks for likeness among files whose names end alike in 16 characters. With so many digits
    # that is a block and what it was before: the block is kept, and of the others what they lack.
    return f"{seq // BLOCK * BLOCK:09d}.jsonl"


def _object_id(kind: str, content: bytes, object_format: str) -> str:
    """The id that Git gives to an object."""
    header = f"{kind} {len(content)}\0".encode()
    return hashlib.new(object_format, header + content, usedforsecurity=False).hexdigest()


def tree_id(ids: Mapping[str, str], object_format: str) -> str:
    """The id of a Git tree of plain files, which have a dot in their names here, and folders,
    which have none.
    """
    modes = {name: "100644" if "." in name else "40000" for name in ids}
    # Git orders a folder as if its name ended in a slash.
    ordered = sorted(ids, key=lambda name: name if "." in name else f"{name}/")
    lines = [f"{modes[name]} {name}\0".encode() + bytes.fromhex(ids[name]) for name in ordered]
    return _object_id("tree", b"".join(lines), object_format)
