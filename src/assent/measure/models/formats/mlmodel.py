"""MLflow's `MLmodel`: flavors, signature, versions, and the code that loading would run.

Source: "MLflow Models" and "Model Signatures" in MLflow's documentation. The signature is JSON
inside of the YAML: columns with a type, or tensors with a dtype and a shape where -1 is free.
Loading as a Python function imports `loader_module`, with the folder `code` on the path.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from assent import parsing
from assent.core.digest import canonical_json
from assent.core.inspection import Danger, Field, Part, Signature
from assent.measure.models import facts
from assent.measure.models.reader import ModelSource, Reader, ReadError
from assent.measure.models.small import below, mapping_of, sibling
from assent.parsing import ParseError

FORMAT = "mlflow"

_TOLD = frozenset({"flavors", "signature", "mlflow_version"})
_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_VERSION = re.compile(r"(\w+)_version")


def recognizes(source: ModelSource) -> bool:
    """By its name, which is always the same."""
    return PurePosixPath(source.name).name == "MLmodel"


def read(source: ModelSource) -> Part:
    """Flavors and signature; code that comes with the model is a danger: nobody reviews it."""
    content = mapping_of(source, ".yaml")
    flavors = content.get("flavors")
    if not isinstance(flavors, dict):
        raise ReadError("it names no flavors")
    settings: dict[str, Any] = {key: content[key] for key in content if key not in _TOLD}
    settings["flavors"] = ", ".join(sorted(map(str, flavors)))
    hidden = {name: settings.pop(name) for name in flavors.keys() & settings.keys()}
    versions = {"mlflow": str(content["mlflow_version"])} if content.get("mlflow_version") else {}
    for name, flavor in sorted(flavors.items(), key=lambda pair: str(pair[0])):
        if not isinstance(flavor, dict):
            continue
        for key, value in flavor.items():
            match = _VERSION.fullmatch(str(key))
            if match and isinstance(value, str | int | float):
                label = str(name) if match[1] in ("py", "framework") else match[1]
                versions[label] = str(value)
        settings[str(name)] = {
            str(key): value
            for key, value in flavor.items()
            if not _VERSION.fullmatch(str(key)) or isinstance(value, dict | list)
        }
    function = flavors.get("python_function")
    function = function if isinstance(function, dict) else {}
    code = _code(source, flavors)
    loader = function.get("loader_module")
    return Part(
        path=source.name,
        format=FORMAT,
        size_bytes=source.size_bytes,
        settings=facts.settings(settings) | facts.rest(content.get("signature"), hidden),
        versions=dict(sorted(versions.items())),
        signature=_signature(content.get("signature")),
        imports=() if loader is None else (f"{loader}._load_pyfunc",),
        dangers=_dangers(source, content, function, code),
        code=code,
    )


def _code(source: ModelSource, flavors: dict[Any, Any]) -> tuple[str, ...]:
    """The files of every folder that a flavor puts on the path of imports."""
    folders = {
        flavor["code"]
        for flavor in flavors.values()
        if isinstance(flavor, dict) and isinstance(flavor.get("code"), str)
    }
    return tuple(sorted({name for folder in folders for name in below(source, folder)}))


def _dangers(
    source: ModelSource, content: dict[str, Any], function: dict[Any, Any], code: tuple[str, ...]
) -> tuple[Danger, ...]:
    dangers: list[Danger] = []
    loader = function.get("loader_module")
    if isinstance(loader, str) and not _MODULE.fullmatch(loader):
        dangers.append(Danger(what=f"loads {loader[:100]}", detail="that is no name of a module"))
    elif isinstance(loader, str) and _is_carried(source, function, loader):
        dangers.append(Danger(what=f"custom code: loader {loader}", detail="loading imports it"))
    if code:
        what = f"custom code: {len(code):,} files" if len(code) > 1 else f"custom code: {code[0]}"
        dangers.append(Danger(what=what, detail="loading puts them first on the path of imports"))
    script = function.get("model_code_path") or content.get("model_code_path")
    if isinstance(script, str):
        dangers.append(
            Danger(what=f"custom code: {script[:100]}", detail="the model is what it defines")
        )
    return tuple(dangers)


def _is_carried(source: ModelSource, function: dict[Any, Any], module: str) -> bool:
    """Whether a module is one of the model's own files."""
    folder = function.get("code")
    start = f"{folder.strip('/')}/" if isinstance(folder, str) else ""
    path = start + module.replace(".", "/")
    return any(sibling(source, name) for name in (f"{path}.py", f"{path}/__init__.py"))


def _signature(signature: Any) -> Signature | None:
    if not isinstance(signature, dict):
        return None
    return Signature(
        inputs=(*_fields(signature.get("inputs")), *_parameters(signature.get("params"))),
        outputs=_fields(signature.get("outputs")),
    )


def _listed(side: Any) -> list[dict[str, Any]]:
    """A side of the signature: JSON in a text, or (in early versions) YAML itself."""
    if side is None:
        return []
    if isinstance(side, str):
        try:
            side = parsing.parse_json(side.encode(errors="backslashreplace"))
        except ParseError as error:
            raise ReadError(f"its signature: {error}") from None
    if side is None:
        return []
    if not isinstance(side, list) or not all(isinstance(entry, dict) for entry in side):
        raise ReadError("its signature is no list of columns or tensors")
    facts.require_few(len(side), "columns")
    return side


def _fields(side: Any) -> tuple[Field, ...]:
    return tuple(_field(entry) for entry in _listed(side))


def _parameters(side: Any) -> tuple[Field, ...]:
    """Parameters of inference have defaults, so that callers need not give them."""
    return tuple(
        Field(
            name=f"params.{entry.get('name', '')}",
            type=_typed(entry.get("type")),
            shape=_shape(entry.get("shape")),
            is_optional=True,
        )
        for entry in _listed(side)
    )


def _field(entry: dict[str, Any]) -> Field:
    name = entry.get("name")
    is_optional = entry.get("required") is False or entry.get("optional") is True
    tensor = entry.get("tensor-spec")
    if isinstance(tensor, dict):
        kind, shape = _typed(tensor.get("dtype")), _shape(tensor.get("shape"))
    else:
        inner = {key: entry[key] for key in ("items", "properties", "values") if key in entry}
        kind, shape = _typed(entry.get("type")), None
        if inner:
            kind += canonical_json(inner).decode()
    return Field(
        name="" if name is None else str(name), type=kind, shape=shape, is_optional=is_optional
    )


def _typed(kind: Any) -> str:
    return kind if isinstance(kind, str) else str(facts.setting(kind) if kind is not None else "")


def _shape(shape: Any) -> tuple[int | None, ...] | None:
    if not isinstance(shape, list | tuple):
        return None
    facts.require_few(len(shape), "dimensions")
    return tuple(_dimension(size) for size in shape)


def _dimension(size: Any) -> int | None:
    is_fixed = isinstance(size, int) and not isinstance(size, bool) and size >= 0
    return size if is_fixed else None


READER = Reader(format=FORMAT, recognizes=recognizes, read=read)
