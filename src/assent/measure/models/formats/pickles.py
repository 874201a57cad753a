"""Pickles and joblib's files: scikit-learn models and whatever else Python can write."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final

from assent.core.inspection import Danger, Part
from assent.measure.models.inert.estimators import COUNTED, Facts, facts_of
from assent.measure.models.inert.seen import Budget, Walk
from assent.measure.models.inert.walk import is_opcode, walk
from assent.measure.models.reader import HEAD_BYTES, ModelSource, Reader
from assent.measure.models.wire.source import Source, open_source
from assent.measure.models.wire.unpack import compression_of, unpacked

FORMAT = "pickle"

TORCH_MAGIC: Final = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""How the files of PyTorch before 1.6 begin: a pickle of one number."""
MAX_PICKLES = 1000
"""The most pickles that are followed in one file, one behind the other."""
_MAX_INNER_DEPTH = 4
_SUFFIXES: Final = frozenset(
    {".pkl", ".pickle", ".pck", ".pcl", ".joblib", ".sav", ".dill", ".cloudpickle"}
)
_MAKERS: Final = frozenset(
    {
        "cloudpickle.cloudpickle._make_function",
        "cloudpickle.cloudpickle._make_skeleton_class",
        "dill._dill._create_function",
        "dill._dill._create_type",
        "types.FunctionType",
    }
)
_RUNNERS: Final = frozenset({"marshal.loads", "builtins.exec", "builtins.eval", "builtins.compile"})
"""Names that only code that travels in the file needs. No list of all dangers: that is what the
gate's comparison with the approved model is for.
"""


def recognizes(source: ModelSource) -> bool:
    """By the name, by the first bytes, or compressed by a name that says joblib."""
    suffixes = [suffix.lower() for suffix in PurePosixPath(source.name).suffixes[-2:]]
    if any(suffix in _SUFFIXES for suffix in suffixes):
        return not source.head.startswith((b"PK\x03\x04", TORCH_MAGIC))
    head = source.head
    compression = compression_of(head)
    if compression is not None:
        return suffixes[-1:] != [".lz4"] and _is_packed_pickle(head, compression)
    return begins_like_pickle(head, is_whole=source.size_bytes <= len(head))


def read(source: ModelSource) -> Part:
    """Every name that loading would import, and what the state says of a scikit-learn model."""
    content = open_source(source.path)
    compression = compression_of(source.head)
    dangers: list[Danger] = []
    if compression is not None:
        content, rest = unpacked(content, compression)
        if rest:
            dangers.append(Danger(what=f"{rest:,} bytes behind the end of the compressed data"))
    budget = Budget()
    walks = walk_all(content, budget)
    first = walks[0]
    findings = Findings(walks)
    dangers.extend(findings.dangers)
    facts = facts_of(first.root) if first.problem is None else Facts()
    if findings.pickles > 1:
        facts.settings["pickles in the file"] = findings.pickles
    return Part(
        path=source.name,
        format="joblib" if _is_joblib(source, walks, compression) else FORMAT,
        size_bytes=source.size_bytes,
        parameters=facts.parameters,
        trees=facts.trees,
        settings=facts.settings,
        versions=facts.versions,
        features=facts.features,
        unused=facts.unused,
        imports=findings.imports,
        dangers=tuple(dangers),
        code=findings.code,
        compression=compression,
        problem=findings.problem,
        counted=None if facts.parameters is None else COUNTED,
        left_out="what it learned: the values of its arrays and objects",
    )


class Findings:
    """What several walks of one file say together."""

    def __init__(self, walks: Iterable[Walk]) -> None:
        imports: set[str] = set()
        dangers: dict[Danger, None] = {}
        code: set[str] = set()
        self.pickles = 0
        self.problem: str | None = None
        for seen in walks:
            code.update(seen.code)
            self.pickles += 1
            imports.update(seen.imports)
            dangers.update(seen.dangers)
            self.problem = self.problem or seen.problem
        self.imports = tuple(sorted(imports))
        self.dangers = tuple(dangers)
        if not code:
            code.update(f"code made by {name}" for name in imports & _MAKERS)
        code.update(f"code run by {name}" for name in imports & _RUNNERS)
        self.code = tuple(sorted(code))


def walk_all(content: Source, budget: Budget, *, joblib: bool = True) -> list[Walk]:
    """The pickle of a file, those behind it (programs that write several read several), and those
    in its bytes. What is behind the last one and is no pickle is a danger of the first.
    """
    walks = [walk(content, budget, joblib=joblib)]
    first = last = walks[0]
    while last.problem is None and last.end < content.end:
        rest = content.end - last.end
        start = last.end
        last = walk(content, budget, start=start, joblib=joblib)
        if last.problem is not None or len(walks) >= MAX_PICKLES:
            first.danger(f"{rest:,} bytes behind the end of the pickle")
            last.problem = None
            walks.append(last)
            break
        walks.append(last)
    return [*walks, *walk_inside(content, walks, budget)]


def walk_inside(content: Source, walks: Iterable[Walk], budget: Budget) -> list[Walk]:
    """The pickles that are bytes of a pickle: somebody wrote them to be loaded."""
    walked: list[Walk] = []
    waiting = [(place, 1) for seen in walks for place in seen.inner]
    while waiting:
        (start, end), depth = waiting.pop()
        inner = content.part(start, end)
        # A tensor that is pickled without PyTorch's own format carries PyTorch's old one.
        is_torch = inner.head(len(TORCH_MAGIC)) == TORCH_MAGIC
        seen = walk(inner, budget, persistent=is_torch)
        while seen.problem is None or seen.is_active:  # else bytes that only begin like a pickle
            walked.append(seen)
            if depth < _MAX_INNER_DEPTH:
                waiting.extend((place, depth + 1) for place in seen.inner)
            elif seen.inner:
                seen.danger("pickles inside of pickles, too many levels deep")
            if seen.problem is not None or seen.end >= end or len(walked) >= MAX_PICKLES:
                seen.problem = None
                break
            seen = walk(inner, budget, start=seen.end, persistent=is_torch)
    return walked


def begins_like_pickle(head: bytes, *, is_whole: bool) -> bool:
    """Whether bytes are a pickle as far as they go: loading them would reach its end, or do
    something before it fails.
    """
    if head[:1] == b"\x80" and len(head) > 2 and head[1] <= 5:
        return is_opcode(head[2])
    if not head or head[0] not in _FIRST:
        return False
    seen = walk(Source(head), Budget(opcodes=HEAD_BYTES, seconds=5))
    if seen.is_active:
        return True
    if seen.problem is None:
        return not is_whole or seen.end == len(head)
    return False


def acts_as_pickle(source: ModelSource) -> bool:
    """Whether loading the whole file as a pickle would call or import something, whatever the file
    claims to be: GIF, text and other formats can be written so that a pickle begins with them. One
    that is not followed to its end, because it goes on and on, counts as well.

    Of other files the first bytes are no opcodes that fit together, so that it costs nothing.
    """
    head = source.head
    if not head or head.startswith(_NEVER) or not is_opcode(head[0]):
        return False
    budget = Budget(opcodes=_MAX_FOLLOWED, seconds=5)
    seen = walk(open_source(source.path), budget)
    return seen.is_active or budget.opcodes <= 0 or (seen.problem is None and bool(seen.imports))


_NEVER: Final = b"PK\x03\x04"
"""In a pickle a persistent id, which `pickle.load` refuses. Readers of zips look into members."""
_MAX_FOLLOWED: Final = 200_000
_FIRST: Final = b"(c]})i\x8f\x8c\x8d"
"""What the first opcode can be of a pickle without a protocol that holds more than a number."""


def _is_packed_pickle(head: bytes, compression: str) -> bool:
    """Whether compressed bytes are a pickle by their first bytes."""
    import bz2
    import lzma
    import zlib

    try:
        if compression in ("gzip", "zlib"):
            text = zlib.decompressobj(31 if compression == "gzip" else 15).decompress(head, 4096)
        elif compression == "bz2":
            text = bz2.BZ2Decompressor().decompress(head, 4096)
        elif compression in ("xz", "lzma"):
            text = lzma.LZMADecompressor(memlimit=256 * 1024**2).decompress(head, 4096)
        else:
            return False
    except (zlib.error, lzma.LZMAError, OSError, EOFError):
        return False
    # bzip2 gives nothing before a whole block is there; then the name has to say it.
    return begins_like_pickle(text, is_whole=False)


def _is_joblib(source: ModelSource, walks: list[Walk], compression: str | None) -> bool:
    return (
        any(seen.blocks for seen in walks)
        or PurePosixPath(source.name).suffix.lower() == ".joblib"
        or compression == "zlib"
    )


READER = Reader(format=FORMAT, recognizes=recognizes, read=read, follows_pickles=True)
