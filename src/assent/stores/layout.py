"""What folders and buckets share: names of pointers and hints, and the OCI image index.

Source: the OCI image specification 1.1 (image layout, image index, `ref.name`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

import msgspec

from assent.core.bundle import ARTIFACT_TYPE, MANIFEST_MEDIA_TYPE
from assent.core.digest import Digest, canonical_json, is_digest
from assent.errors import UsageError
from assent.ports import Pointer

LAYOUT_FILE = "oci-layout"
LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
INDEX_FILE = "index.json"
BLOBS = "blobs"
TEMPORARY = "tmp"
LOCK_FILE = "index.json.lock"
INDEX_MEDIA_TYPE = "application/vnd.oci.image.index.v1+json"
REF_NAME = "org.opencontainers.image.ref.name"

STAGES = "stages"
HEAD = "head"
VERSIONS = "versions"
LISTED_VERSIONS = 100  # per model; the index is rewritten as a whole, so it must not grow for ever

_RESERVED = frozenset({BLOBS, TEMPORARY, INDEX_FILE, LAYOUT_FILE, LOCK_FILE})
_MODEL = re.compile(r"[a-z0-9][a-z0-9._-]*")
_KIND = re.compile(r"[a-z]+")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VERSION = re.compile(r"[1-9][0-9]*")
_TAG_OF_VERSION = re.compile(r"v[1-9][0-9]*")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a pointer or a hint lies: `churn/stages/production`, `churn/inputs/3f2a…`, or
    `churn/head`, which has no label.
    """

    model: str
    kind: str
    label: str = ""

    @property
    def name(self) -> str:
        """The path below the root of the store."""
        return f"{self.model}/{self.kind}" + (f"/{self.label}" if self.label else "")

    @property
    def spelled(self) -> tuple[str, ...]:
        """Of the parts of that path those that may be as another one but for upper and lower case,
        or for a dot at the end: kinds and numbers are not, nor are the digests of hints.
        """
        is_stage = self.kind == STAGES
        return (self.model, self.kind, self.label) if is_stage else (self.model,)

    @property
    def tag(self) -> str:
        """The name of a pointer in an index or a registry: `churn-production`, `churn-v12`. What
        is `-` in the names themselves is `--`, so that no two pointers have one tag.
        """
        label = f"v{self.label}" if self.kind == VERSIONS else self.label
        return f"{in_tag(self.model)}-{in_tag(label)}"


class IndexEntry(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True
):  # fields that other tools add are not kept
    """One descriptor of an image index."""

    media_type: str
    digest: Digest
    size: int
    artifact_type: str = ""
    annotations: dict[str, str] = {}

    @property
    def tag(self) -> str:
        """What the entry is called; empty if it has no name."""
        return self.annotations.get(REF_NAME, "")


class Index(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An OCI image index."""

    schema_version: int = 2
    media_type: str = INDEX_MEDIA_TYPE
    manifests: tuple[IndexEntry, ...] = ()


def in_tag(name: str) -> str:
    """A name as a part of a tag."""
    return name.replace("-", "--")


def model_of_tag(tag: str) -> str | None:
    """The model whose pointer has this tag; None if no pointer has."""
    names = _names_in_tag(tag)
    return None if names is None else names[0]


def place_of_tag(tag: str) -> Place | None:
    """The place of the pointer that has this tag; None if no pointer has."""
    model, label = _names_in_tag(tag) or ("", "")
    is_version = bool(_TAG_OF_VERSION.fullmatch(label))
    kind, name = (VERSIONS, label[1:]) if is_version else (STAGES, label)
    try:
        return pointer_place(f"{model}/{kind}/{name}")
    except UsageError:
        return None


def _names_in_tag(tag: str) -> tuple[str, str] | None:
    """Model and label. Of all runs of `-` only the one between the two names is odd: a label does
    not begin with it.
    """
    odd = [run for run in re.finditer("-+", tag) if len(run[0]) % 2]
    if len(odd) != 1:
        return None
    end = odd[0].end()
    return tag[: end - 1].replace("--", "-"), tag[end:].replace("--", "-")


def is_model(name: str) -> bool:
    """Whether `name` can name the folder of a model in a store."""
    return bool(_MODEL.fullmatch(name)) and ".." not in name and name not in _RESERVED


def check_model(model: str) -> str:
    """`model`, if it can name a folder of the store. Raises `UsageError`."""
    if not is_model(model):
        raise UsageError(
            "looking for a model in the store",
            f"{model!r} cannot name a model there",
            hint="use lower-case letters, digits, '.', '_' and '-', and begin with a letter",
        )
    return model


def pointer_place(name: str) -> Place:
    """The place of a pointer. Raises `UsageError` for a name that is none."""
    model, _, rest = name.partition("/")
    if rest == HEAD:
        return Place(model=check_model(model), kind=HEAD)
    place = _place(name)
    is_version = place.kind == VERSIONS and _VERSION.fullmatch(place.label)
    # A stage `v12` would have the tag of version 12.
    is_stage = place.kind == STAGES and not _TAG_OF_VERSION.fullmatch(place.label)
    if not (is_version or is_stage):
        raise _not_a_name(
            name, "a pointer is <model>/stages/<stage>, <model>/versions/<number> or <model>/head"
        )
    return place


def hint_place(name: str) -> Place:
    """The place of a hint. Raises `UsageError`, also for the name of a pointer."""
    place = _place(name)
    if place.kind in (STAGES, VERSIONS, HEAD):
        raise _not_a_name(name, "hints do not lie among the pointers")
    return place


def is_of_hints(kind: str) -> bool:
    """Whether a folder of a model holds hints."""
    return bool(_KIND.fullmatch(kind)) and kind not in (STAGES, VERSIONS, HEAD)


def _place(name: str) -> Place:
    model, _, rest = name.partition("/")
    kind, _, label = rest.partition("/")
    if not _KIND.fullmatch(kind) or not _LABEL.fullmatch(label) or ".." in label:
        raise _not_a_name(name, "a name is <model>/<kind>/<label>")
    return Place(model=check_model(model), kind=kind, label=label)


def _not_a_name(name: str, problem: str) -> UsageError:
    return UsageError(f"looking for {name!r} in the store", problem)


def read_pointer(content: bytes) -> Pointer | None:
    """The pointer that these bytes state, or None if they state none. Of a key that is there twice
    one reader takes the first, another the last.
    """
    try:
        pointer = msgspec.json.decode(content, type=Pointer)
        keys = [key for key, _ in json.loads(content, object_pairs_hook=list)]
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    digests = (pointer.entry, pointer.bundle, pointer.model_digest)
    if pointer.seq < 0 or len(set(keys)) < len(keys):
        return None
    return pointer if all(text is None or is_digest(text) for text in digests) else None


def read_index(content: bytes) -> Index | None:
    """The index that these bytes state, or None if they state none."""
    try:
        return msgspec.json.decode(content, type=Index)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def index_entry(place: Place, bundle: Digest, size_bytes: int) -> IndexEntry:
    """The line of the index that lets OCI tools find the bundle that a pointer names."""
    return IndexEntry(
        media_type=MANIFEST_MEDIA_TYPE,
        digest=bundle,
        size=size_bytes,
        artifact_type=ARTIFACT_TYPE,
        annotations={REF_NAME: place.tag},
    )


def relist(index: Index, place: Place, entry: IndexEntry | None) -> Index:
    """`index` with `entry` as the only one of its tag, or with none of that tag; older versions
    of the model than the newest hundred are left out.
    """
    kept = [other for other in index.manifests if other.tag != place.tag]
    if entry is not None:
        kept.append(entry)
    outdated = _outdated(place.model, (other.tag for other in kept))
    ordered = sorted(kept, key=lambda other: (other.tag, other.digest))
    return Index(manifests=tuple(other for other in ordered if other.tag not in outdated))


def astray(index: Index, wanted: Index, model: str) -> tuple[str, ...]:
    """The tags of a model that are not in `index` as in `wanted`."""
    there, right = _of_model(index, model), _of_model(wanted, model)
    return tuple(sorted(tag for tag in there.keys() | right if there.get(tag) != right.get(tag)))


def _of_model(index: Index, model: str) -> dict[str, list[IndexEntry]]:
    by_tag: dict[str, list[IndexEntry]] = {}
    for entry in index.manifests:
        if model_of_tag(entry.tag) == model:
            by_tag.setdefault(entry.tag, []).append(entry)
    return by_tag


def _outdated(model: str, tags: Iterable[str]) -> set[str]:
    def tag_of(number: str) -> str:
        return Place(model=model, kind=VERSIONS, label=number).tag

    tag_of_version = re.compile(re.escape(tag_of("")) + r"([1-9][0-9]*)")
    versions = [int(match[1]) for tag in tags if (match := tag_of_version.fullmatch(tag))]
    return {tag_of(str(number)) for number in sorted(versions)[:-LISTED_VERSIONS]}


def index_bytes(index: Index) -> bytes:
    """The index as it is written: same entries, same bytes."""
    return canonical_json(index)
