"""The description of a model of Keras in JSON, looked at and never built.

Loading one looks up every class and function by the module and the name that stand in it, and
runs the code that it carries: `keras/src/saving/serialization_lib.py` in
https://github.com/keras-team/keras. `safe_mode` did not stop that in several releases
(CVE-2024-3660, CVE-2025-1550, CVE-2025-8747, CVE-2025-9905).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from assent.core.inspection import Danger, Field, Signature
from assent.core.scalar import Scalar
from assent.measure.models import facts
from assent.measure.models.reader import ReadError
from assent.parsing import ParseError, parse_json

_MAX_FINDINGS = 1000
_MAX_NAME = 200

_OWN = frozenset(
    f"keras{name}"
    for name in (
        *("", ".layers", ".models", ".initializers", ".regularizers", ".constraints"),
        *(".activations", ".optimizers", ".optimizers.schedules", ".losses", ".metrics"),
        *(".random", ".quantizers", ".dtype_policies"),
        *(".src.models.functional", ".src.models.sequential", ".src.models.model"),
    )
)
_OWN_PLACES = re.compile(r"keras\.src\.(backend\.\w+\.optimizers\.\w+|ops\.\w+)")
_OWN_FUNCTIONS = frozenset(
    f"keras.{name}"
    for name in (
        *("activations", "losses", "metrics", "initializers", "regularizers", "constraints"),
        "ops",
    )
)
"""Modules of Keras whose classes and functions do arithmetic. Not `keras.utils`, `keras.saving`
or `keras.config`: some of theirs fetch files or switch protections off.
"""
_RUNNING = {
    "Lambda": "runs Python code that the file carries",
    "TorchModuleWrapper": "unpickles a module of PyTorch that the file carries",
    "TFSMLayer": "loads a SavedModel from a path",
    "JaxLayer": "calls a function that is not in Keras",
    "FlaxLayer": "calls a module that is not in Keras",
}
_VOCABULARIES = frozenset({"StringLookup", "IntegerLookup", "TextVectorization", "IndexLookup"})
_PIECES = frozenset({"__tuple__", "__keras_tensor__", "__numpy__", "__tensor__", "__bytes__"}) | {
    *("__ellipsis__", "__slice__", "__dict__", "__set__", "__typespec__")
}


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What a description says."""

    settings: dict[str, Scalar] = {}
    features: tuple[str, ...] = ()
    signature: Signature | None = None
    imports: tuple[str, ...] = ()
    dangers: tuple[Danger, ...] = ()
    code: tuple[str, ...] = ()
    problem: str | None = None


def read(model: str | bytes | None, training: str | bytes | None = None) -> Config:
    """What the description of a model, and that of its training, say. One that cannot be read is a
    problem, not an exception.
    """
    if model is None:
        return Config()
    try:
        parsed = parse_json(model.encode() if isinstance(model, str) else model)
        more = b"{}" if training is None else training
        trained = parse_json(more.encode() if isinstance(more, str) else more)
    except ParseError as error:
        return Config(problem=f"the description of the model cannot be read: {error.problem}")
    if not isinstance(parsed, dict) or not isinstance(trained, dict):
        return Config(problem="the description of the model is not an object")
    imports: set[str] = set()
    dangers: dict[Danger, None] = {}
    custom: dict[Danger, None] = {}
    for value in _objects([parsed, trained]):
        if len(dangers) + len(imports) > _MAX_FINDINGS:
            break
        custom_here = dict.fromkeys(_custom(value, imports))
        custom |= custom_here
        dangers |= custom_here | dict.fromkeys(_reading(value))
    signature, settings, problem = _signature(parsed), {}, None
    try:
        settings = facts.settings(dict(_settings(parsed, trained)))
        settings |= facts.rest(parsed, trained)
    except ReadError as error:  # what was found must not be lost with it
        problem = str(error)
    return Config(
        settings=settings,
        features=() if signature is None else tuple(field.name for field in signature.inputs),
        signature=signature,
        imports=tuple(sorted(imports)),
        dangers=tuple(sorted(dangers, key=lambda danger: (danger.what, danger.detail))),
        code=tuple(sorted({danger.what for danger in custom})),
        problem=problem,
    )


def clean(text: str) -> str:
    """Text that can be written as UTF-8, whatever came in."""
    return text.encode(errors="backslashreplace").decode()


def _objects(root: Any) -> Iterator[dict[str, Any]]:
    """Every object in there that names a class. The depth is bounded where it was parsed."""
    stack = [root]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            stack.extend(value.values())
            if isinstance(value.get("class_name"), str):
                yield value
        elif isinstance(value, list):
            stack.extend(value)


def _reading(value: dict[str, Any]) -> Iterator[Danger]:
    """That a layer reads a file of its own."""
    kind, settings = value["class_name"][:_MAX_NAME], _settings_of(value)
    if kind in _VOCABULARIES and isinstance(settings.get("vocabulary"), str):
        detail = settings["vocabulary"][:_MAX_NAME]
        what = f'the layer "{_name_in(settings)}" reads a file when it is loaded'
        yield Danger(what=what, detail=detail)


def _settings_of(value: dict[str, Any]) -> dict[str, Any]:
    config = value.get("config")
    return config if isinstance(config, dict) else {}


def _name_in(settings: dict[str, Any]) -> str:
    return str(settings.get("name", ""))[:_MAX_NAME]


def _custom(value: dict[str, Any], imports: set[str]) -> Iterator[Danger]:
    """Code that is not of Keras; what is imported for it is added to `imports`."""
    kind, config = value["class_name"][:_MAX_NAME], value.get("config")
    name = _name_in(_settings_of(value))
    if kind == "__lambda__":
        yield Danger(what="custom code: a Python function", detail="marshalled byte code")
    elif kind in _RUNNING:
        yield Danger(what=f'custom code: {kind} layer "{name}"', detail=_RUNNING[kind])
    if kind in _PIECES or kind == "__lambda__":
        return
    module, registered = value.get("module"), value.get("registered_name")
    called = config[:_MAX_NAME] if kind == "function" and isinstance(config, str) else kind
    if isinstance(module, str) and not _is_own(module, kind):
        imports.add(f"{module[:_MAX_NAME]}.{called}")
        yield Danger(what=f"custom object {called}", detail=f"from {module[:_MAX_NAME]}")
    elif isinstance(registered, str) and ">" in registered:
        yield Danger(what=f"custom object {registered[:_MAX_NAME]}")
    elif ">" in kind or ("module" in value and module is None and kind != "function"):
        yield Danger(what=f"custom object {called}")


def _is_own(module: str, kind: str) -> bool:
    if kind == "function":
        return module in _OWN_FUNCTIONS
    return module in _OWN or _OWN_PLACES.fullmatch(module) is not None


def _layers(parsed: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name, class and configuration of the layers at the top."""
    config = parsed.get("config")
    layers = config.get("layers") if isinstance(config, dict) else config
    for layer in layers if isinstance(layers, list) else []:
        inner = layer.get("config") if isinstance(layer, dict) else None
        if isinstance(inner, dict):
            name = str(layer.get("name") or inner.get("name", ""))
            yield name[:_MAX_NAME], str(layer.get("class_name", ""))[:_MAX_NAME], inner


def _settings(parsed: dict[str, Any], trained: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "class", parsed.get("class_name")
    layers = {
        name.replace(".", "_"): {"class": kind} | dict(_simple(config))
        for name, kind, config in _layers(parsed)
    }
    yield "layers", layers or None
    compiled = parsed.get("compile_config") or trained
    if not isinstance(compiled, dict):
        return
    loss = compiled.get("loss")
    yield "loss", loss.get("class_name") if isinstance(loss, dict) else loss
    optimizer = compiled.get("optimizer") or compiled.get("optimizer_config")
    if isinstance(optimizer, dict) and isinstance(optimizer.get("config"), dict):
        settings = {"class": optimizer.get("class_name")} | dict(_simple(optimizer["config"]))
        yield "optimizer", settings


def _simple(config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The settings of a layer that are one value; a class is its name."""
    for key, value in config.items():
        if key in ("name", "shared_object_id", "dtype", "build_config", "layers"):
            continue
        if isinstance(value, dict):
            if isinstance(value.get("class_name"), str):
                yield key.replace(".", "_"), value["class_name"]
        elif isinstance(value, bool | int | float | str) or _is_numbers(value):
            yield key.replace(".", "_"), value


def _is_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(number, int | float) for number in value)


def _signature(parsed: dict[str, Any]) -> Signature | None:
    """Inputs and outputs of a model that states them."""
    inputs = tuple(
        Field(
            name=name,
            type=config["dtype"][:_MAX_NAME] if isinstance(config.get("dtype"), str) else "",
            shape=_shape(config.get("batch_shape", config.get("batch_input_shape"))),
            is_optional=config.get("optional") is True,
        )
        for name, kind, config in _layers(parsed)
        if kind == "InputLayer"
    )
    if not inputs:
        return None
    config = parsed.get("config")
    outputs = config.get("output_layers") if isinstance(config, dict) else None
    return Signature(
        inputs=inputs, outputs=tuple(Field(name=name) for name in _named_layers(outputs))
    )


def _named_layers(value: Any) -> Iterator[str]:
    """The names in `["out", 0, 0]`, or in a list or an object of such."""
    if isinstance(value, list) and value and isinstance(value[0], str):
        yield value[0][:_MAX_NAME]
    elif isinstance(value, list | dict):
        for layers in value.values() if isinstance(value, dict) else value:
            yield from _named_layers(layers)


def _shape(value: Any) -> tuple[int | None, ...] | None:
    if not isinstance(value, list) or len(value) > 64:
        return None
    is_number = [isinstance(size, int) and not isinstance(size, bool) for size in value]
    sized = [size if is_one else None for size, is_one in zip(value, is_number, strict=True)]
    return tuple(size if size is not None and 0 <= size < 2**62 else None for size in sized)
