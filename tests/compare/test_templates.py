"""Chat templates are compared by name, wherever a folder keeps them."""

from __future__ import annotations

from assent.compare.templates import compare_templates
from assent.core.diff.model import TemplateChange
from assent.core.inspection import Part


def part(path: str, **templates: str) -> Part:
    return Part(path=path, format="huggingface", size_bytes=1, templates=templates)


def test_what_is_the_same_is_not_listed() -> None:
    side = [part("tokenizer_config.json", default="a", rag="b")]
    assert compare_templates(side, side) == ()


def test_what_changed_came_and_went() -> None:
    old = [part("t.json", default="a", gone="x")]
    new = [part("t.json", default="b", came="y")]
    assert compare_templates(old, new) == (
        TemplateChange(name="default", path="t.json", old_path="t.json", old="a", new="b"),
        TemplateChange(name="came", path="t.json", new="y"),
        TemplateChange(name="gone", path="t.json", old_path="t.json", old="x"),
    )


def test_a_template_that_moved_to_a_file_of_its_own() -> None:
    old = [part("tokenizer_config.json", default="a", rag="b"), part("x/t.json", default="z")]
    new = [
        part("chat_template.jinja", default="a"),
        part("additional_chat_templates/rag.jinja", rag="c"),
        part("x/t.json", default="z"),
    ]
    assert compare_templates(old, new) == (
        TemplateChange(
            name="rag",
            path="additional_chat_templates/rag.jinja",
            old_path="tokenizer_config.json",
            old="b",
            new="c",
        ),
    )


def test_folders_keep_their_own() -> None:
    old, new = [part("a/t.json", default="1")], [part("b/t.json", default="1")]
    assert [(one.path, one.old, one.new) for one in compare_templates(old, new)] == [
        ("b/t.json", None, "1"),
        ("a/t.json", "1", None),
    ]
