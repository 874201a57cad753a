"""Files that are no model: data, text, pictures, and code. The last reader that is asked.

Code that lies in a model's folder is named as such: loading may import it.
"""

from __future__ import annotations

import codecs
import re
from pathlib import PurePosixPath

from assent.core.inspection import Danger, Part
from assent.measure.models.reader import HEAD_BYTES, ModelSource, Reader
from assent.measure.models.small import content_of

FORMAT = "data file"

_TEXTS = {
    ".json": "json",
    ".jsonl": "json lines",
    ".ndjson": "json lines",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".toml": "toml",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "text",
    ".md": "text",
    ".rst": "text",
    ".ini": "text",
    ".cfg": "text",
    ".xml": "xml",
    ".html": "html",
    ".svg": "svg",
}
_NAMED = {
    "LICENSE": "text",
    "NOTICE": "text",
    "README": "text",
    ".gitattributes": "text",
    ".gitignore": "text",
}
_CODE = {
    ".py": "python",
    ".ipynb": "notebook",
    ".sh": "shell script",
    ".bat": "shell script",
    ".ps1": "shell script",
    ".js": "javascript",
    ".r": "r",
    ".lua": "lua",
}
_PROGRAMS = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_MAGICS = (
    *((magic, "native library") for magic in _PROGRAMS),
    (b"MZ", "native library"),
    (b"\x89PNG\r\n", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"),
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
)
_PYTHON_TAG = re.compile(rb"^%TAG|!\S*(?:python|%)", re.MULTILINE)
"""A tag that YAML loaders which are not safe call, spelled out, escaped, or by a short form."""
_CODE_KINDS = frozenset(_CODE.values()) | {"native library"}


def begins_as_program(head: bytes) -> bool:
    """Whether a file begins as machine code does, by signs that numbers do not have by chance."""
    return head.startswith(_PROGRAMS)


def recognizes(source: ModelSource) -> bool:
    """By the first bytes, or by a name and content that is text."""
    return _kind(source) is not None


def read(source: ModelSource) -> Part:
    """What kind of file it is."""
    kind = _kind(source) or "unknown"
    dangers: tuple[Danger, ...] = ()
    if kind == "yaml" and _PYTHON_TAG.search(content_of(source)):
        dangers = (Danger(what="YAML whose tags make Python objects"),)
    return Part(
        path=source.name,
        format=kind,
        size_bytes=source.size_bytes,
        dangers=dangers,
        code=(source.name,) if kind in _CODE_KINDS else (),
        left_out="its content",
    )


def _kind(source: ModelSource) -> str | None:
    for magic, kind in _MAGICS:
        if source.head.startswith(magic):
            return kind
    path = PurePosixPath(source.name)
    suffix = path.suffix.lower()
    if suffix in _CODE:
        return _CODE[suffix]
    named = _TEXTS.get(suffix) or _NAMED.get(path.name)
    return named if named is not None and _is_text(source.head) else None


def _is_text(head: bytes) -> bool:
    """Whether the first bytes are UTF-8; a character may be cut at their end."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        text = decoder.decode(head, final=len(head) < HEAD_BYTES)
    except UnicodeDecodeError:
        return False
    return "\0" not in text


READER = Reader(format=FORMAT, recognizes=recognizes, read=read)
