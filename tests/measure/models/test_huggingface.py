"""Folders of Hugging Face: configuration, tokenizer, templates, shards, custom code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assent.measure.models import inspect
from assent.measure.models.facts import digest_in_short
from tests.measure.models.reading import parts_of, written

CONFIG: dict[str, Any] = {
    "architectures": ["BertForSequenceClassification"],
    "hidden_size": 128,
    "id2label": {"0": "no", "1": "yes"},
    "model_type": "bert",
    "transformers_version": "4.44.0",
}


def test_a_configuration(tmp_path: Path) -> None:
    part = written(tmp_path, "config.json", json.dumps(CONFIG))
    assert (part.format, part.problem) == ("huggingface", None)
    assert part.settings["architectures"] == '["BertForSequenceClassification"]'
    assert part.settings["hidden_size"] == 128
    assert part.settings["id2label.1"] == "yes"
    assert part.versions == {"transformers": "4.44.0"}
    assert (part.dangers, part.code, part.imports) == ((), (), ())


def test_another_config_is_only_data(tmp_path: Path) -> None:
    assert written(tmp_path, "config.json", '{"threshold": 0.5}').format == "json"


@pytest.mark.threat(39)
def test_custom_code_is_found_wherever_it_stands(tmp_path: Path) -> None:
    hidden = '{"padding": "' + "x" * 10_000 + '", "auto\\u005fmap": {"AutoModel": "m.Model"}}'
    for name in ("config.json", "video_preprocessor_config.json"):
        part = written(tmp_path, name, hidden)
        assert [danger.what for danger in part.dangers] == ["custom code: m.Model"]


def test_custom_code_is_a_danger(tmp_path: Path) -> None:
    mapped = {"AutoConfig": "configuration_x.XConfig", "AutoModel": "modeling_x.XModel"}
    tokenizer = {"auto_map": {"AutoTokenizer": ["slow_x.Slow", None]}}
    parts = parts_of(
        tmp_path,
        {
            "config.json": json.dumps({**CONFIG, "auto_map": mapped}),
            "tokenizer_config.json": json.dumps(tokenizer),
            "modeling_x.py": "raise SystemExit",
            "configuration_x.py": "",
        },
    )
    part = parts["config.json"]
    assert part.code == ("configuration_x.py", "modeling_x.py")
    assert part.imports == ("configuration_x.XConfig", "modeling_x.XModel")
    assert [danger.what for danger in part.dangers] == [
        "custom code: configuration_x.XConfig",
        "custom code: modeling_x.XModel",
    ]
    assert parts["modeling_x.py"].code == ("modeling_x.py",)
    tokenized = parts["tokenizer_config.json"]
    assert [danger.what for danger in tokenized.dangers] == ["custom code: slow_x.Slow"]


def test_code_of_another_repository_is_a_danger(tmp_path: Path) -> None:
    remote = {**CONFIG, "auto_map": {"AutoModel": "someone/else--modeling.Model"}}
    part = written(tmp_path, "config.json", json.dumps(remote))
    assert [danger.what for danger in part.dangers] == ["custom code: someone/else--modeling.Model"]


def test_a_custom_pipeline_is_a_danger(tmp_path: Path) -> None:
    said = {**CONFIG, "custom_pipelines": {"x": {"impl": "pipe.Pipe", "pt": ["AutoModel"]}}}
    part = written(tmp_path, "config.json", json.dumps(said))
    assert [danger.what for danger in part.dangers] == ["custom code: pipe.Pipe"]


def test_chat_templates_are_named(tmp_path: Path) -> None:
    template = "{% for message in messages %}{{ message.content }}{% endfor %}"
    part = written(tmp_path, "tokenizer_config.json", json.dumps({"chat_template": template}))
    assert part.code == ("chat template",)
    assert part.settings["chat_template"] == template
    assert part.dangers == ()
    several = {"chat_template": [{"name": "rag", "template": "a"}, {"name": "tools"}]}
    part = written(tmp_path, "tokenizer_config.json", json.dumps(several))
    assert part.code == ("chat template rag",)
    assert written(tmp_path, "chat_template.jinja", template).code == ("chat template",)


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    ("template", "what"),
    [
        ("{{ ''.__class__.__mro__ }}", "__class__"),
        ("{{ x|attr('y') }}", "|attr"),
        ("{% include 'x' %}", "include 'x' %}"),
    ],
)
def test_a_template_that_reaches_for_python_is_a_danger(
    tmp_path: Path, template: str, what: str
) -> None:
    for name, content in (
        ("chat_template.jinja", template),
        ("tokenizer_config.json", json.dumps({"chat_template": template})),
    ):
        found = written(tmp_path, name, content).dangers
        assert f"chat template reaches for {what}" in [danger.what for danger in found]


def test_words_of_a_prompt_are_no_danger(tmp_path: Path) -> None:
    template = "Do not include names. {% if tools %}import nothing{% endif %}"
    assert written(tmp_path, "chat_template.jinja", template).dangers == ()


def test_shards(tmp_path: Path) -> None:
    shards = {"a": "m-1.safetensors", "b": "gone"}
    index = {"metadata": {"total_size": 8}, "weight_map": shards}
    files = {"model.safetensors.index.json": json.dumps(index), "m-1.safetensors": "x"}
    part = parts_of(tmp_path, files)["model.safetensors.index.json"]
    known = {"metadata.total_size": 8, "shards": 2, "tensors": 2}
    assert part.settings == known | {"shards of tensors": digest_in_short(shards)}
    assert part.problem == "it names shards that the model does not have: gone"
    del shards["b"]
    files["model.safetensors.index.json"] = json.dumps(index)
    assert parts_of(tmp_path, files)["model.safetensors.index.json"].problem is None


@pytest.mark.threat(39)
def test_a_shard_outside_of_the_model_is_missing(tmp_path: Path) -> None:
    index = {"weight_map": {"a": "../../etc/passwd", "b": "/etc/passwd"}}
    part = written(tmp_path, "model.safetensors.index.json", json.dumps(index))
    assert part.problem is not None
    assert "does not have" in part.problem


def test_a_tokenizer(tmp_path: Path) -> None:
    said = {
        "version": "1.0",
        "added_tokens": [{"id": 0, "content": "<s>"}],
        "model": {"type": "BPE", "vocab": {f"t{at}": at for at in range(500)}, "merges": ["a b"]},
    }
    part = written(tmp_path, "tokenizer.json", json.dumps(said))
    assert part.settings == {"added_tokens": 1, "model.type": "BPE", "vocabulary": 500}
    unigram = {"model": {"type": "Unigram", "vocab": [["a", -1.5], ["b", -2.5]]}}
    part = written(tmp_path, "tokenizer.json", json.dumps(unigram))
    assert part.settings["vocabulary"] == 2


def test_modules_and_pipelines(tmp_path: Path) -> None:
    modules = [{"type": "sentence_transformers.models.Pooling"}, {"type": "custom.Layer"}]
    part = written(tmp_path, "modules.json", json.dumps(modules))
    assert part.imports == ("custom.Layer", "sentence_transformers.models.Pooling")
    assert [danger.what for danger in part.dangers] == ["custom code: custom.Layer"]
    pipeline = {"_class_name": "P", "_diffusers_version": "0.30", "unet": ["diffusers", "UNet"]}
    part = written(tmp_path, "model_index.json", json.dumps(pipeline))
    assert part.imports == ("diffusers.UNet",)
    assert part.versions == {"diffusers": "0.30"}


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", '{"model_type":' + "[" * 100_000),
        ("config.json", '{"model_type": "a", "model_type": "b"}'),
        ("config.json", '["model_type":'),
        ("generation_config.json", "[1]"),
        ("tokenizer.json", '{"model":' + '{"model":' * 100_000),
        ("tokenizer.json", '{"model": {"vocab": "text"}}'),
        ("modules.json", "{}"),
        ("model.safetensors.index.json", "{}"),
    ],
)
def test_hostile_files(tmp_path: Path, name: str, content: str) -> None:
    part = written(tmp_path, name, content)
    assert part.format == "huggingface"
    assert part.problem


@pytest.mark.threat(39)
def test_a_template_takes_time_in_its_length_only(tmp_path: Path) -> None:
    for text in ("include " * 500_000, "_" * 4_000_000, "__a" * 1_000_000, "| " * 1_000_000):
        part = written(tmp_path, "chat_template.jinja", text)
        assert part.code == ("chat template",)
        assert len(part.dangers) <= 20


TEMPLATE = "{% for message in messages %}{{ message.content }}{% endfor %}"


@pytest.mark.parametrize(
    ("name", "content", "templates"),
    [
        ("tokenizer_config.json", {"chat_template": TEMPLATE}, {"default": TEMPLATE}),
        (
            "tokenizer_config.json",
            {
                "chat_template": [
                    {"name": "default", "template": "a"},
                    {"name": "r", "template": "b"},
                ]
            },
            {"default": "a", "r": "b"},
        ),
        (
            "tokenizer_config.json",
            {"chat_template": {"default": "a", "r": "b"}},
            {"default": "a", "r": "b"},
        ),
        ("chat_template.json", {"chat_template": TEMPLATE}, {"default": TEMPLATE}),
        ("chat_template.jinja", TEMPLATE, {"default": TEMPLATE}),
        ("additional_chat_templates/rag.jinja", "b", {"rag": "b"}),
    ],
)
def test_chat_templates_of_every_shape_are_kept(
    tmp_path: Path, name: str, content: Any, templates: dict[str, str]
) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    assert parts_of(tmp_path, {name: text})[name].templates == templates


def test_the_end_of_a_very_long_template_is_kept_by_its_digest(tmp_path: Path) -> None:
    first, second = (
        written(tmp_path, "chat_template.jinja", "x" * 100_000 + end).templates["default"]
        for end in ("a", "b")
    )
    assert len(first) < 70_000
    assert first != second


ODD: dict[str, Any] = {
    "names twice": lambda text: [{"name": "x", "template": text}, {"name": "x", "template": "b"}],
    "no names": lambda text: [{"template": text}, {"template": "b"}],
    "no mapping": lambda text: ["a", text],
    "deeper": lambda text: {"default": {"template": text}},
    "too many": lambda text: {f"{at}": text if at == 150 else "a" for at in range(200)},
    "no text": lambda text: [len(text)],
}


@pytest.mark.parametrize("name", ODD)
def test_chat_templates_of_a_shape_that_is_not_known_are_no_less_a_change(
    tmp_path: Path, name: str
) -> None:
    parts = []
    for at, text in enumerate(("a", "{{ x.__class__ }}")):
        path = tmp_path / str(at) / "tokenizer_config.json"
        path.parent.mkdir()
        path.write_text(json.dumps({"chat_template": ODD[name](text)}))
        (part,) = inspect({path.name: path}).parts
        assert part.notes
        parts.append(part)
    assert parts[0].settings != parts[1].settings
    assert [bool(part.dangers) for part in parts] == [False, name != "no text"]


def test_where_the_layers_of_sentence_transformers_lie_is_a_fact(tmp_path: Path) -> None:
    settings = []
    for folder in ("", "1_Pooling"):
        path = tmp_path / "modules.json"
        layer = {"path": folder, "type": "sentence_transformers.models.Pooling"}
        path.write_text(json.dumps([layer]))
        settings.append(inspect({path.name: path}).parts[0].settings)
    assert settings[0] != settings[1]


@pytest.mark.parametrize(
    "more",
    [
        {"weight_map": {"a": "m-2.safetensors"}},
        {"metadata": 5},
        {"something": "new"},
    ],
)
def test_what_else_an_index_says_is_compared(tmp_path: Path, more: dict[str, Any]) -> None:
    index: dict[str, Any] = {"weight_map": {"a": "m-1.safetensors"}}
    name = "model.safetensors.index.json"
    first, second = (
        written(tmp_path, name, json.dumps(said)).settings for said in (index, index | more)
    )
    assert first != second


def test_how_a_tokenizer_cuts_and_fills_is_compared(tmp_path: Path) -> None:
    first, second = (
        written(tmp_path, "tokenizer.json", json.dumps({"truncation": {"max_length": size}}))
        for size in (128, 256)
    )
    assert (first.problem, first.settings["truncation"]) == (None, '{"max_length":128}')
    assert first.settings != second.settings
    assert "words added" in (first.left_out or "")
