"""The small files of a Hugging Face folder: configuration, tokenizer, chat templates, shards.

Sources: the documentation of Transformers ("Custom models": `auto_map`, which `from_pretrained`
imports with `trust_remote_code`), of Diffusers (`model_index.json`), of Sentence Transformers
(`modules.json`) and of PEFT (`adapter_config.json`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from assent.core.inspection import Danger, Part
from assent.core.scalar import Scalar
from assent.measure.models import facts
from assent.measure.models.reader import ModelSource, Reader, ReadError
from assent.measure.models.small import content_of, mapping_of, sibling, text_of
from assent.measure.models.templates import DEFAULT, kept
from assent.measure.models.wire.json_walk import JsonWalk
from assent.measure.models.wire.walk import mapped
from assent.parsing import ParseError, parse_json

FORMAT = "huggingface"

_CONFIGURATIONS = {
    "generation_config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "preprocessor_config.json",
    "processor_config.json",
    "adapter_config.json",
    "model_index.json",
    "config_sentence_transformers.json",
    "chat_template.json",
    "quantize_config.json",
}
_MAX_TEMPLATES = 100
_LISTS = {"modules.json"}
_TOKENIZER = "tokenizer.json"
_STEPS = frozenset(
    {"normalizer", "pre_tokenizer", "post_processor", "decoder", "truncation", "padding"}
)
INDEX = re.compile(r".+\.(?:safetensors|bin|h5|msgpack)\.index(?:\.[\w-]+)?\.json")
_KEYS = frozenset({"model_type", "architectures", "auto_map", "transformers_version"})
_CLASS = re.compile(r"(?:[\w./-]+--)?([A-Za-z_][\w.]*)\.([A-Za-z_]\w*)")
_VERSIONS = {
    "transformers_version": "transformers",
    "_diffusers_version": "diffusers",
    "peft_version": "peft",
}
# What a template of text has no use for, and what leads from a value to Python's own objects.
_REACHING = re.compile(
    r"__\w{1,60}__|\|\s{0,20}attr\b|\b(?:import|include|extends)\b[^%]{0,200}%\}"
)


def recognizes(source: ModelSource) -> bool:
    """By the names that the libraries look for; any other configuration by what it holds. One
    that cannot be read is taken for theirs, so that nothing hides in it.
    """
    name = PurePosixPath(source.name).name
    if name.endswith("config.json") and name not in _CONFIGURATIONS:
        try:
            return not _KEYS.isdisjoint(mapping_of(source, ".json"))
        except ReadError:
            return True
    return (
        name in _CONFIGURATIONS
        or name in _LISTS
        or name == _TOKENIZER
        or name.endswith(".jinja")
        or INDEX.fullmatch(name) is not None
    )


def read(source: ModelSource) -> Part:
    """What the file says, and the code that it names."""
    name = PurePosixPath(source.name).name
    if name.endswith(".jinja"):
        return _template_part(source)
    if name == _TOKENIZER:
        return _tokenizer_part(source)
    if name in _LISTS:
        return _modules_part(source)
    configuration = mapping_of(source, ".json")
    if INDEX.fullmatch(name):
        return _index_part(source, configuration)
    return _configuration_part(source, name, configuration)


def _configuration_part(source: ModelSource, name: str, configuration: dict[str, Any]) -> Part:
    versions = {
        label: str(configuration.pop(key))
        for key, label in _VERSIONS.items()
        if configuration.get(key) is not None
    }
    if isinstance(configuration.get("sentence_transformers"), str):
        versions["sentence_transformers"] = configuration["sentence_transformers"]
    stated = configuration.pop("chat_template", None)
    templates = dict(_templates(stated))
    is_known = _holds_only(stated, templates)
    custom = sorted(set(_custom(configuration)))
    carried = [place for reference in custom if (place := _file_of(source, reference))]
    imports = custom if name != "model_index.json" else [*custom, *_components(configuration)]
    loaded = [f"chat template {label}" if label else "chat template" for label in templates]
    dangers = [
        Danger(what=f"custom code: {reference[:100]}", detail="loading imports it if it is trusted")
        for reference in custom
    ]
    for text in templates.values() if is_known else _texts(stated):
        dangers += _of_template(text)
    settings = facts.settings(configuration)
    for label, text in templates.items():
        settings[f"chat_template.{label}" if label else "chat_template"] = facts.setting(text)
    if not is_known:
        settings["chat_template (as it stands)"] = facts.setting(stated)
    return Part(
        path=source.name,
        format=FORMAT,
        size_bytes=source.size_bytes,
        settings=dict(sorted(settings.items())),
        versions=versions,
        notes=() if is_known else ("its chat templates have a shape that is not known",),
        imports=tuple(sorted(set(imports))),
        dangers=tuple(dangers),
        code=tuple(sorted({*carried, *loaded})),
        templates={label or DEFAULT: kept(text) for label, text in templates.items()},
    )


def _custom(configuration: Mapping[str, Any]) -> Iterator[str]:
    """The classes of custom code: `modeling_x.XModel`, also of another repository."""
    auto_map = configuration.get("auto_map")
    for value in auto_map.values() if isinstance(auto_map, dict) else ():
        for reference in value if isinstance(value, list) else (value,):
            if isinstance(reference, str):
                yield reference[:200]
    pipelines = configuration.get("custom_pipelines")
    for value in pipelines.values() if isinstance(pipelines, dict) else ():
        if isinstance(value, dict) and isinstance(value.get("impl"), str):
            yield value["impl"][:200]


def _file_of(source: ModelSource, name: str) -> str | None:
    match = _CLASS.fullmatch(name)
    return sibling(source, match[1].replace(".", "/") + ".py") if match else None


def _components(pipeline: Mapping[str, Any]) -> Iterator[str]:
    """The classes of a pipeline of Diffusers: a library and a name each."""
    for value in pipeline.values():
        if isinstance(value, list) and len(value) == 2 and all(isinstance(v, str) for v in value):
            yield f"{value[0]}.{value[1]}"[:200]


def _templates(stated: Any) -> Iterator[tuple[str, str]]:
    """Chat templates: one, or several with names, as a list or (older) by their names."""
    if isinstance(stated, str):
        yield "", stated
    elif isinstance(stated, list):
        for template in stated[:_MAX_TEMPLATES]:
            if isinstance(template, dict) and isinstance(template.get("template"), str):
                yield str(template.get("name", ""))[:100], template["template"]
    elif isinstance(stated, dict):
        for name, template in list(stated.items())[:_MAX_TEMPLATES]:
            if isinstance(template, str):
                yield str(name)[:100], template


def _holds_only(stated: Any, templates: Mapping[str, str]) -> bool:
    """Whether the templates are all that is stated: each could be read, under a name of its own."""
    if stated is None or isinstance(stated, str):
        return True
    return isinstance(stated, list | dict) and len(stated) == len(templates)


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value that was read from JSON."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, list | dict):
            waiting.extend(item.values() if isinstance(item, dict) else item)


def _of_template(text: str) -> list[Danger]:
    reached = sorted(set(_REACHING.findall(text)))
    return [
        Danger(what=f"chat template reaches for {attribute[:60]}", detail="templates are code")
        for attribute in reached[:20]
    ]


def _template_part(source: ModelSource) -> Part:
    text = text_of(source)
    path = PurePosixPath(source.name)
    name = DEFAULT if path.name == "chat_template.jinja" else path.stem[:100]
    return Part(
        path=source.name,
        format=FORMAT,
        size_bytes=source.size_bytes,
        settings={"chat_template": facts.setting(text)},
        dangers=tuple(_of_template(text)),
        code=("chat template",),
        templates={name: kept(text)},
    )


def _modules_part(source: ModelSource) -> Part:
    """The layers of Sentence Transformers: each names a class that loading imports."""
    try:
        modules = parse_json(content_of(source))
    except ParseError as error:
        raise ReadError(str(error)) from None
    if not isinstance(modules, list):
        raise ReadError("no list of modules")
    facts.require_few(len(modules), "modules")
    types = [str(module.get("type"))[:200] for module in modules if isinstance(module, dict)]
    custom = [name for name in types if not name.startswith("sentence_transformers.")]
    return Part(
        path=source.name,
        format=FORMAT,
        size_bytes=source.size_bytes,
        settings={"modules": facts.setting(types), "layers": facts.setting(modules)},
        imports=tuple(sorted(set(types))),
        dangers=tuple(
            Danger(what=f"custom code: {name[:100]}", detail="loading imports it if it is trusted")
            for name in sorted(set(custom))
        ),
        code=tuple(sorted({place for name in custom if (place := _file_of(source, name))})),
    )


def _index_part(source: ModelSource, content: Mapping[str, Any]) -> Part:
    """Which shard holds which tensor."""
    weights = content.get("weight_map")
    if not isinstance(weights, dict):
        raise ReadError("it has no weight_map")
    shards = sorted({str(shard) for shard in weights.values()})
    missing = [shard for shard in shards if sibling(source, shard) is None]
    settings: dict[str, Scalar] = {"tensors": len(weights), "shards": len(shards)}
    metadata = content.get("metadata")
    if isinstance(metadata, dict):
        settings |= facts.settings({"metadata": metadata})
    settings["shards of tensors"] = facts.digest_in_short(weights)
    rest = {key: value for key, value in content.items() if key not in ("weight_map", "metadata")}
    settings |= facts.rest(rest, None if isinstance(metadata, dict) else metadata)
    return Part(
        path=source.name,
        format=FORMAT,
        size_bytes=source.size_bytes,
        settings=settings,
        problem=_missing(missing) if missing else None,
    )


def _missing(shards: Iterable[str]) -> str:
    names = list(shards)
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    return f"it names shards that the model does not have: {', '.join(names[:3])}{more}"


def _tokenizer_part(source: ModelSource) -> Part:
    """The kind of tokenizer and the sizes of its lists: they are too long to be compared here."""
    settings: dict[str, Scalar] = {}
    versions: dict[str, str] = {}
    with mapped(source) as content:
        walk = JsonWalk(content)
        for key in walk.members():
            if key == "version":
                versions["tokenizer"] = str(walk.scalar())
            elif key == "added_tokens":
                settings["added_tokens"] = sum(1 for _ in walk.items())
            elif key in _STEPS:
                settings[key] = facts.setting(walk.value())
            elif key == "model":
                for name in walk.members():
                    if name in ("type", "unk_token", "byte_fallback", "dropout"):
                        settings[f"model.{name}"] = facts.setting(walk.scalar())
                    elif name == "vocab":
                        settings["vocabulary"] = _size(walk)
    return Part(
        path=source.name,
        format=FORMAT,
        size_bytes=source.size_bytes,
        settings=dict(sorted(settings.items())),
        versions=versions,
        left_out="the words of its vocabulary, how they are merged, and the words added to them",
    )


def _size(walk: JsonWalk) -> int:
    """The members of an object, or the items of an array."""
    return sum(1 for _ in (walk.members() if walk.is_object() else walk.items()))


READER = Reader(format=FORMAT, recognizes=recognizes, read=read)
