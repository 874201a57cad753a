"""skops' files: a zip with a schema of the model, and its arrays as NumPy's files."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any, Final

from assent import parsing
from assent.core.inspection import Part
from assent.measure.models.formats.npz import read_array
from assent.measure.models.formats.pickles import Findings, begins_like_pickle, walk_all
from assent.measure.models.inert.estimators import COUNTED, facts_of
from assent.measure.models.inert.seen import Budget, Walk
from assent.measure.models.inert.values import OPAQUE, Block, Call, DType, Global, Pairs
from assent.measure.models.reader import HEAD_BYTES, ModelSource, Reader, ReadError
from assent.measure.models.wire.zips import MAGIC, Archive, open_archive
from assent.parsing import ParseError

FORMAT = "skops"

_SCHEMA: Final = "schema.json"
_LOADERS: Final = frozenset(
    {
        "BytearrayNode",
        "BytesNode",
        "CachedNode",
        "ConstructorFromReduceNode",
        "DTypeNode",
        "DefaultDictNode",
        "DictNode",
        "FunctionNode",
        "JsonNode",
        "ListNode",
        "LossNode",
        "MaskedArrayNode",
        "MethodNode",
        "NdArrayNode",
        "ObjectNode",
        "OperatorFuncNode",
        "PartialNode",
        "QuantileForestNode",
        "RandomGeneratorNode",
        "RandomStateNode",
        "SetNode",
        "SliceNode",
        "SparseMatrixNode",
        "TreeNode",
        "TupleNode",
        "TypeNode",
        "_DictWithDeprecatedKeysNode",
    }
)
_PLAIN: Final = frozenset(
    f"builtins.{name}" for name in ("str", "int", "float", "bool", "dict", "list", "tuple", "set")
)
_MAX_ARRAY = 256 * 1024 * 1024


def recognizes(source: ModelSource) -> bool:
    """A zip of the suffix, or with a schema in it."""
    if not source.head.startswith(MAGIC):
        return False
    if PurePosixPath(source.name).suffix.lower() == ".skops":
        return True
    try:
        members = open_archive(source.path).members
    except ReadError:
        return False
    return _SCHEMA in members and all(
        name == _SCHEMA or name.endswith((".npy", ".npz", ".bin")) for name in members
    )


def read(source: ModelSource) -> Part:
    """Every type and function that loading would look up, whether skops trusts it or not."""
    archive = open_archive(source.path)
    schema = _schema(archive)
    imports: dict[str, None] = {}
    _collect(archive, schema, imports)
    budget = Budget()
    walks = _walk_members(archive, budget)
    findings = Findings(walks)
    values = _Values(archive, budget)
    try:
        facts = facts_of(values.value(schema))
    except ReadError as error:
        raise ReadError(f"its arrays: {error}") from None
    versions = dict(facts.versions)
    for key, name in (("_skops_version", "skops"), ("protocol", "skops protocol")):
        if type(schema.get(key)) in (str, int):
            versions[name] = str(schema[key])[:100]
    return Part(
        path=source.name,
        format=FORMAT,
        size_bytes=source.size_bytes,
        parameters=facts.parameters,
        trees=facts.trees,
        settings=facts.settings,
        versions=versions,
        features=facts.features,
        unused=facts.unused,
        imports=tuple(sorted({*imports, *findings.imports})),
        dangers=tuple(dict.fromkeys([*archive.dangers, *findings.dangers])),
        problem=findings.problem,
        counted=None if facts.parameters is None else COUNTED,
        left_out="what it learned: the values of its arrays and objects",
    )


def _schema(archive: Archive) -> dict[str, Any]:
    member = archive.members.get(_SCHEMA)
    if member is None:
        raise ReadError("a zip archive without the schema.json of skops")
    if member.size_bytes > parsing.MAX_BYTES:
        raise ReadError("its schema.json is too large")
    content = archive.read(member)
    try:
        schema = parsing.parse_json(bytes(content.view[content.start : content.end]))
    except ParseError as error:
        raise ReadError(f"its schema.json: {error}") from None
    if not isinstance(schema, dict) or "__class__" not in schema:
        raise ReadError("its schema.json is not one of skops")
    return schema


def _collect(archive: Archive, schema: dict[str, Any], imports: dict[str, None]) -> None:
    waiting: list[Any] = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        if not isinstance(node, dict):
            continue
        waiting.extend(node.values())
        loader = node.get("__loader__")
        if isinstance(loader, str) and loader not in _LOADERS:
            archive.note("a node of the schema that is not known", loader)
        for module, name in _named(node):
            if isinstance(module, str) and isinstance(name, str):
                full = Global(module, name).full
                if full not in _PLAIN:
                    imports[full] = None
            else:
                archive.note("a type of the schema without a name")


def _named(node: dict[str, Any]) -> list[tuple[Any, Any]]:
    """What a node makes skops look up: its type, a function by its path, a method, a generator."""
    names = []
    if "__loader__" in node and node["__loader__"] != "CachedNode":
        names.append((node.get("__module__"), node.get("__class__")))
    content = node.get("content")
    if isinstance(content, dict):
        if node.get("__loader__") == "FunctionNode":
            names.append((content.get("module_path"), content.get("function")))
        if node.get("__loader__") == "MethodNode":
            obj = content.get("obj")
            whose = obj if isinstance(obj, dict) else {}
            names.append(
                (whose.get("__module__"), f"{whose.get('__class__')}.{content.get('func')}")
            )
    generator = node.get("bit_generator")
    if isinstance(generator, dict):
        generator = _json(generator.get("content"))
    if isinstance(generator, str):
        names.append(("numpy.random", generator))
    return names


def _walk_members(archive: Archive, budget: Budget) -> list[Walk]:
    """Refused by skops itself are arrays of objects; a pickle there waits for another reader."""
    walks: list[Walk] = []
    for member in archive.members.values():
        if member.name == _SCHEMA:
            continue
        head = archive.head(member, HEAD_BYTES)
        if head.startswith(b"\x93NUMPY"):
            if b"'|O'" in head[:512] or b"O" in head[10:128].split(b"fortran", 1)[0]:
                _, _, inner = read_array(member.name, archive.read(member), budget)
                if inner:
                    archive.note("a pickle where there should be none", member.name)
                walks.extend(inner)
        elif begins_like_pickle(head, is_whole=member.size_bytes <= len(head)):
            archive.note("a pickle where there should be none", member.name)
            walks.extend(walk_all(archive.read(member), budget, joblib=False))
        elif not head.startswith(MAGIC) and not member.name.endswith(".bin") and head:
            archive.note("a member that skops does not write", member.name)
    return walks


class _Values:
    """Nodes of the schema as the values of a walk, so that one reader knows scikit-learn."""

    def __init__(self, archive: Archive, budget: Budget) -> None:
        self.archive = archive
        self.budget = budget
        self.by_id: dict[int, Any] = {}

    def value(self, node: Any) -> Any:
        """What stands for a node. The schema's depth is bounded, so this is."""
        if not isinstance(node, dict):
            return OPAQUE
        id_ = node.get("__id__")
        if node.get("__loader__") == "CachedNode":
            return self.by_id.get(id_, OPAQUE) if type(id_) is int else OPAQUE
        made = self._made(node)
        if type(id_) is int:
            self.by_id[id_] = made
        return made

    def _made(self, node: dict[str, Any]) -> Any:
        content = node.get("content")
        match node.get("__loader__"):
            case "JsonNode":
                return _json(content)
            case "ListNode" | "SetNode" if isinstance(content, list):
                return [self.value(child) for child in content]
            case "TupleNode" if isinstance(content, list):
                return tuple(self.value(child) for child in content)
            case "DictNode" if isinstance(content, dict):
                return Pairs(
                    [part for k, child in content.items() for part in (k, self.value(child))]
                )
            case "NdArrayNode":
                return self._array(node)
            case "TypeNode" | "FunctionNode":
                return _global(node)
            case "ObjectNode" | "TreeNode" | "LossNode":
                made = Call(_global(node), ())
                if isinstance(content, dict):
                    made.state = self.value(content)
                return made
        return OPAQUE

    def _array(self, node: dict[str, Any]) -> Any:
        if node.get("type") == "json" and isinstance(node.get("content"), list):
            items = [self.value(child) for child in node["content"]]
            dtype = DType(kind="O", item_bytes=8, has_objects=True)
            return Block(dtype=dtype, shape=(len(items),), items=items)
        member = self.archive.members.get(str(node.get("file")))
        if member is None or member.size_bytes > _MAX_ARRAY:
            return OPAQUE
        content = self.archive.read(member)
        if not content.head(6).startswith(b"\x93NUMPY"):
            return OPAQUE
        _, block, _ = read_array(member.name, content, self.budget)
        return block


def _global(node: dict[str, Any]) -> Global:
    return Global(str(node.get("__module__")), str(node.get("__class__")))


def _json(content: Any) -> Any:
    """A plain value, which skops keeps as JSON in a text."""
    if not isinstance(content, str) or len(content) > 64 * 1024:
        return OPAQUE
    try:
        value = parsing.parse_json(content.encode("utf-8", "surrogatepass"))
    except ParseError:
        return OPAQUE
    return value if value is None or isinstance(value, str | int | float) else OPAQUE


READER = Reader(format=FORMAT, recognizes=recognizes, read=read)
