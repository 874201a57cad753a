"""Which files the branch has, and what one more entry makes of them.

```
registry.yaml                             the current state, for people and GitOps tools
newest.json                               the newest entry again (the same blob); it states the
                                          digest of the current state and of index/
entries/000/000000-000099.jsonl           a full block of a hundred entries, one per line
entries/000/000100.json                   an entry of the block that is not full yet
index/bundles/a/bc.jsonl                  what is known of the bundles whose digest begins so
index/versions/000/000000-000099.jsonl    the bundles of a hundred versions
index/versions/000/000100.json            the bundle of a version after those
index/closed.json                         the Git objects of all full blocks and folders
```

Everything but `entries/` is derived. After every push the receiving Git reads the whole tree of
the commit before (to learn what is connected), so the number of files and folders is what makes a
write slow. With blocks and with at most 4,096 files of bundles it stays small.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from assent.core.digest import Digest, canonical_json, digest_of_value, hex_of
from assent.core.entry import GENESIS
from assent.core.registry import Record, Registry, State

BLOCK = 100
"""Entries, or versions, per file."""

FOLDER = 10_000
"""Entries, or versions, per folder."""

REGISTRY_FORMAT = "assent/registry/1"
REGISTRY, NEWEST, ENTRIES, INDEX = "registry.yaml", "newest.json", "entries", "index"
CLOSED = f"{INDEX}/closed.json"
_HEADER = (
    "# The current state of this model, derived from entries/. Assent writes it; do not edit.\n"
)


class RegistryFile(State, frozen=True, kw_only=True, omit_defaults=True):
    """`registry.yaml`: the state, and the digest of the entry it stands at."""

    format: str
    entry: Digest

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


def entry_path(seq: int) -> str:
    """The file of an entry in a block that is not full."""
    return f"{folder_path(seq)}/{seq:06d}.json"


def folder_path(seq: int) -> str:
    """The folder of an entry."""
    return f"entries/{_folder(seq)}"


def block_path(seq: int) -> str:
    """The file of the full block that holds an entry."""
    return f"{folder_path(seq)}/{_span(seq)}.jsonl"


def version_path(version: int, newest: int) -> str:
    """The file that names the bundle of a version, where `newest` is the newest one. As with
    entries, a hundred of them are one file when the next one is registered: a file that grew with
    every version would be kept a hundred times, and Git finds no likeness between them.
    """
    name = _span(version) + ".jsonl" if version < first_open(newest) else f"{version:06d}.json"
    return f"{INDEX}/versions/{_folder(version)}/{name}"


def record_path(bundle: Digest) -> str:
    """The file that holds the record of a bundle."""
    name = hex_of(bundle)
    return f"index/bundles/{name[0]}/{name[1:3]}.jsonl"


def entry_files(start: int, last: int) -> list[str]:
    """The files of the entries from `start`, the first of a block, to `last`."""
    opened = first_open(last)
    blocks = [block_path(seq) for seq in range(start, opened, BLOCK)]
    return blocks + [entry_path(seq) for seq in range(max(start, opened), last + 1)]


def first_of(path: str) -> int:
    """The first entry of an entry, a block or a folder, by its path."""
    name, dot, _ = path.rpartition("/")[2].partition(".")
    return int(name.partition("-")[0]) if dot else int(name) * FOLDER


def lines_of(content: bytes) -> list[bytes]:
    """The lines of a file with their ends."""
    return [line + b"\n" for line in content.split(b"\n")[:-1]]


def files_read(state: State, bundles: Iterable[Digest], count: int) -> list[str]:
    """The files that writing `count` more entries about `bundles` reads."""
    now = state.versions
    paths = [CLOSED, *map(record_path, bundles)]
    if first_open(now + count) > first_open(now):
        paths += [version_path(one, now) for one in range(max(first_open(now), 1), now + 1)]
    paths += [version_path(one, one) for one in range(now + 1, now + count + 1)]  # their folders
    paths += entry_files(first_open(state.seq), state.seq)
    return list(dict.fromkeys(paths))


def index_written(
    seq: int,
    prev: Digest,
    records: Mapping[Digest, Record],
    kept: dict[str, bytes],
    object_format: str,
) -> dict[str, bytes | None]:
    """What entry `seq` makes of the files below `index/` and of the entries before it, whose last
    one has the digest `prev`: new contents by path, None for what goes.

    `object_format` says what the repository's ids are (`sha1`, `sha256`). `kept` holds the contents
    of `files_read` that there are, and is brought up to date.
    """
    changed: dict[str, bytes | None] = {}
    for record in records.values():
        path = record_path(record.bundle)
        changed[path] = kept[path] = _with_record(kept.get(path, b""), record)
        if record.version is not None and record.registered == seq:
            changed |= _with_version(record.version, record.bundle, kept)
    if seq == 0 or seq % BLOCK != 0:
        return changed
    singles = [entry_path(one) for one in range(seq - BLOCK, seq)]
    block = b"".join(kept.pop(path) for path in singles)
    closed = closing(closed_in(kept.get(CLOSED, b"")), seq - 1, block, prev, object_format)
    changed[CLOSED] = kept[CLOSED] = _closed_file(closed)
    return {**changed, **dict.fromkeys(singles), block_path(seq - 1): block}


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
    inside = {path: one for path, one in files.items() if path.startswith(f"{INDEX}/")}
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
    for folder in sorted(filter(None, folders), key=lambda one: -one.count("/")):
        parent, _, name = folder.rpartition("/")
        folders[parent][name] = tree_id(folders[folder], object_format)
    return tree_id(folders[""], object_format)


def derived_digest(state: State | Mapping[str, Any], index: str) -> Digest:
    """What an entry states of everything derived: the digest of the state, which is all that
    `registry.yaml` says but its format and its entry, and of the id of the Git tree `index/` after
    it (the id of an empty tree where there is none).
    """
    return digest_of_value({"index": index, "state": state})


def files_rebuilt(registry: Registry, newest: bytes, closed: Closed) -> dict[str, bytes]:
    """Everything derived, made anew."""
    contents = state_files(registry.state, registry.head, newest)
    for bundle in sorted(registry.records):
        path = record_path(bundle)
        line = canonical_json(registry.records[bundle]) + b"\n"
        contents[path] = contents.get(path, b"") + line
    for version, bundle in sorted(registry.versions.items()):
        path = version_path(version, registry.state.versions)
        contents[path] = contents.get(path, b"") + _version_line(version, bundle)
    if closed.objects:
        contents[CLOSED] = _closed_file(closed)
    return contents


def state_files(state: State, head: Digest, newest: bytes) -> dict[str, bytes]:
    """The two files that say what is now."""
    import yaml

    file = {"format": REGISTRY_FORMAT, "entry": head, **msgspec.to_builtins(state)}
    # Its bytes are compared, so everybody writes them with the one emitter that is everywhere.
    text = yaml.dump(
        file, Dumper=yaml.SafeDumper, sort_keys=False, allow_unicode=True, width=1 << 20
    )
    return {REGISTRY: (_HEADER + text).encode(), NEWEST: newest}


def closing(closed: Closed, seq: int, block: bytes, head: Digest, object_format: str) -> Closed:
    """`closed` after entry `seq`, whose digest is `head`, has filled `block`, and perhaps a
    folder.
    """
    objects = {**closed.objects, block_path(seq): _object_id("blob", block, object_format)}
    if (seq + 1) % FOLDER == 0:
        folder = folder_path(seq)
        blocks = [path for path in objects if path.startswith(f"{folder}/")]
        files = {path.rpartition("/")[2]: objects.pop(path) for path in blocks}
        objects[folder] = tree_id(files, object_format)
    return Closed(head=head, objects=objects)


def closed_paths(last: int) -> list[str]:
    """The full folders and blocks with `last` as the newest entry."""
    opened = first_open(last)
    start = opened // FOLDER * FOLDER
    folders = [folder_path(seq) for seq in range(0, start, FOLDER)]
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


def _with_version(version: int, bundle: Digest, kept: dict[str, bytes]) -> dict[str, bytes | None]:
    """The files that name the bundles of versions after one more of them."""
    line = _version_line(version, bundle)
    path = version_path(version, version)
    changed: dict[str, bytes | None] = {path: line}
    kept[path] = line
    if version % BLOCK == 0:
        before = range(max(version - BLOCK, 1), version)
        singles = [version_path(one, version - 1) for one in before]
        changed |= dict.fromkeys(singles)
        block = b"".join(kept.pop(single) for single in singles)
        changed[version_path(version - 1, version)] = block
    return changed


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


def _folder(number: int) -> str:
    return f"{number // FOLDER:03d}"


def _span(number: int) -> str:
    start = number // BLOCK * BLOCK
    return f"{start:06d}-{start + BLOCK - 1:06d}"


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
