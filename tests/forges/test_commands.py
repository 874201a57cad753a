"""Slash commands: what is one, and everything that only looks like one."""

from __future__ import annotations

from html.parser import HTMLParser

import cmarkgfm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.forges.commands import ApprovalCommand, approvals, commands
from assent.ports import Command, CommandName
from tests.effort import examples

DIGEST = "sha256:" + "ab12" * 16
LINE = f"/assent approve churn {DIGEST}"
COMMAND = ApprovalCommand(model="churn", digest=DIGEST)


@pytest.mark.parametrize(
    "body",
    [
        LINE,
        LINE + "\n",
        LINE + "  ",
        "\n\n" + LINE,
        "Looks good to me.\n\n" + LINE,
        LINE + "\n\nThank you!",
        LINE + "\r\nThank you!",
        f"> an earlier question\n\n{LINE}",
        f"- a list\n\n{LINE}",
        f"> ```\n> quoted code\n\n{LINE}",
    ],
)
def test_a_whole_line_at_the_start_of_a_paragraph_is_a_command(body: str) -> None:
    assert approvals(body) == (COMMAND,)


@pytest.mark.threat(21)
@pytest.mark.parametrize(
    "body",
    [
        "",
        f"> {LINE}",
        f">{LINE}",
        f"   > {LINE}",
        f"> they said\n{LINE}",  # a lazy line: Markdown shows it within the quotation
        f"`{LINE}`",
        f"```\n{LINE}\n```",
        f"```\n\n{LINE}\n\n```",
        f"~~~~\n\n{LINE}\n",
        f"  ```sh\n\n{LINE}",
        f"    {LINE}",
        f"\t{LINE}",
        f" {LINE}",
        f"<!--\n\n{LINE}\n\n-->",
        f"<details>\n\n{LINE}",
        f"<pre>\n\n{LINE}\n\n</pre>",
        f"$$\n\n{LINE}\n\n$$",
        f"please do not type\n{LINE}",
        f"`code over\n{LINE}\nlines`",
        f"I would not {LINE}",
        f"{LINE} please",
        f"- {LINE}",
        f"# {LINE}",
        LINE.upper(),
        LINE.replace("approve", "aprove"),
        LINE.replace(" churn", ""),
        LINE.replace("churn", "Churn"),
        LINE.replace("churn", "../churn"),
        "/assent approve churn",
        "/assent approve churn sha256:ab12ab12ab1",
        "/assent approve churn ab12ab12ab12",
        "/assent approve churn v12",
        f"{LINE}00",
        LINE.replace(" ", "\N{NO-BREAK SPACE}"),
        LINE.replace("churn", "churn\N{ZERO WIDTH SPACE}"),
        LINE.replace("/", "\N{FULLWIDTH SOLIDUS}"),
        f"\N{RIGHT-TO-LEFT OVERRIDE}{LINE}",
        f"text\N{LINE SEPARATOR}{LINE}",
        f"text\x0b{LINE}",
        f"text\x0c\x0c{LINE}",
    ],
)
def test_what_is_quoted_hidden_or_part_of_something_else_is_none(body: str) -> None:
    assert approvals(body) == ()


def test_digits_are_enough_from_twelve_on() -> None:
    assert approvals("/assent approve churn sha256:ab12ab12ab12")[0].digest == "sha256:ab12ab12ab12"


def test_several_models_are_approved_in_one_comment() -> None:
    for between in ("\n", "\n\n"):
        found = approvals(f"{LINE}{between}/assent approve fraud {DIGEST}")
        assert [one.model for one in found] == ["churn", "fraud"]


EXPLAIN, HELP = Command(word=CommandName.EXPLAIN), Command(word=CommandName.HELP)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("/assent explain", [EXPLAIN]),
        ("/assent explain churn  ", [Command(word=CommandName.EXPLAIN, model="churn")]),
        ("/assent help", [HELP]),
        ("/assent", [HELP]),
        ("Hello.\n\n/assent what\tnow?", [HELP]),
        ("/assent approve churn", [HELP]),
        (f"{LINE} please", [HELP]),
        (f"/assent help\n{LINE}\r\n/assent explain", [HELP, "approve", EXPLAIN]),
    ],
)
def test_commands_are_read_in_order_and_what_is_unknown_asks_for_help(
    body: str, expected: list[object]
) -> None:
    approve = Command(word=CommandName.APPROVE, model="churn", typed=DIGEST)
    assert commands(body) == tuple(approve if one == "approve" else one for one in expected)


@pytest.mark.threat(21)
@pytest.mark.parametrize("line", [LINE, "/assent explain", "/assent help", "/assent", "/assent so"])
@pytest.mark.parametrize(
    "around",
    [
        "> {}",
        "> q\n{}",
        "    {}",
        " {}",
        "text\n{}",
        "- {}",
        "`{}`",
        "```\n\n{}",
        "<!--\n\n{}\n-->",
        "$$\n{}",
        "I say {}",
        "x{}",
        "\N{ZERO WIDTH SPACE}{}",
    ],
)
def test_nothing_that_only_looks_like_a_command_is_answered(line: str, around: str) -> None:
    assert commands(around.format(line)) == ()


@pytest.mark.threat(21)
@pytest.mark.parametrize("body", ["/assents", "/assent-approve x", "/ASSENT help", "//assent help"])
def test_another_word_is_not_ours(body: str) -> None:
    assert commands(body) == ()


@pytest.mark.threat(21)
def test_what_is_unknown_may_open_code_that_goes_on() -> None:
    assert commands(f"/assent `code\n{LINE}\nends`") == (HELP,)


class Paragraphs(HTMLParser):
    """The lines that stand in nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.lines: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("br", "hr", "img", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open in (["p"], ["h1"]):  # a line of `==` below makes it a heading
            self.lines += data.split("\n")


ASKING = ["/assent `so", "/assent explain", "/assent help"]
PIECES = [LINE, "```", "~~~", "> q", "> ```", "", "text", "<p>", "<!--", "    code", "- a", "- ```"]
MORE = [*ASKING, "`", "| a |\n|---|", "1. x", "***", "=="]


@pytest.mark.threat(21)
@settings(max_examples=examples(300))
@given(st.lists(st.sampled_from([*PIECES, *MORE]), max_size=8))
def test_whatever_is_read_as_a_command_is_shown_as_plain_text(lines: list[str]) -> None:
    """Asked of GitHub's own renderer, which says what everybody sees."""
    body = "\n".join(lines)
    shown = Paragraphs()
    shown.feed(cmarkgfm.github_flavored_markdown_to_html(body))
    assert len(approvals(body)) <= shown.lines.count(LINE)
    asked = [one for one in commands(body) if one == EXPLAIN]
    assert len(asked) <= shown.lines.count("/assent explain")
