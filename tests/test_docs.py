"""The documents say what is true: what is made from the code is compared, examples are parsed."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path

import click
import pytest
from docs.generate import EXIT_CODES, FILES

from assent.cli.main import commands as every_command
from assent.compare.drift import LEVELS
from assent.config.lock import lock_text, read_lock
from assent.config.read import read_config
from assent.config.settings import CostSettings
from assent.core.diff.metrics import MIN_SLICE_ROWS
from assent.core.evidence import Environment, Step
from assent.making.evidence import MAX_PLOT_BYTES, MAX_PLOTS
from assent.measure.cost import costs
from assent.measure.models.registry import FORMATS
from assent.policy.gates import GATES
from tests.builders import AT, digest

STEP = Step(
    command="x",
    inputs_digest=digest("x"),
    started_at=AT,
    wall_s=1.0,
    cpu_s=1.0,
    peak_memory_bytes=1,
)
ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/assent"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def blocks(language: str) -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for match in re.finditer(rf"^```{language}\n(.*?)^```", page.read_text(), re.S | re.M):
            found.append((page.name, match[1]))
    return found


@pytest.mark.parametrize("name", FILES)
def test_what_is_made_from_the_code_is_up_to_date(name: str) -> None:
    assert (ROOT / "docs" / name).read_text() == FILES[name](), "run python -m docs.generate"


def test_every_exit_code_has_one_meaning() -> None:
    assert len(set(EXIT_CODES.values())) == len(EXIT_CODES)
    codes = [code.value for code in EXIT_CODES]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize(("page", "text"), blocks("yaml"))
def test_every_yaml_example_is_a_valid_configuration(page: str, text: str) -> None:
    assert read_config(text.encode(), page).models


def test_every_example_of_a_lock_is_one() -> None:
    locks = [(page, text) for page, text in blocks("text") if "format: assent/lock/" in text]
    assert locks
    for page, text in locks:
        assert lock_text(read_lock(text.encode(), page)).decode() == text


COMMANDS = dict(every_command())


def commands() -> list[tuple[str, str]]:
    lines = [(page, line) for page, text in blocks("sh") for line in text.splitlines()]
    return [(page, line) for page, line in lines if line.startswith("assent ")]


@pytest.mark.parametrize(("page", "line"), commands())
def test_every_command_in_the_documents_is_one(page: str, line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    count = 1 if words[0] in COMMANDS else 2
    command = COMMANDS[" ".join(words[:count])]
    context = click.Context(command, info_name=words[0], resilient_parsing=False)
    command.parse_args(context, words[count:])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_every_message_that_is_explained_is_one() -> None:
    source = "\n".join(path.read_text() for path in SOURCE.rglob("*.py")).lower()
    source = re.sub(r'"\s*\n\s*f?"', "", source)  # a message may be written in parts
    explained = re.findall(r"^### `([^`]+)`$", (ROOT / "docs/troubleshooting.md").read_text(), re.M)
    assert len(explained) > 10
    assert [text for text in explained if text.lower() not in source] == []


def test_every_key_of_what_an_auditor_is_told_is_described() -> None:
    text = (ROOT / "docs/audit.md").read_text()
    history = importlib.import_module("assent.core.history")
    show = importlib.import_module("assent.verbs.show")
    timeline = importlib.import_module("assent.verbs.timeline")
    kinds = [
        *(timeline.TimelineResult, timeline.ModelTimeline, show.ShowResult, show.VersionFacts),
        *(show.Recorded, importlib.import_module("assent.verbs.explain").Recalled),
        *(history.Moment, history.GivenApproval, history.Lead, history.LeadTime, history.Place),
    ]
    for kind in kinds:
        for key in kind.__struct_fields__:
            assert f"`{key}`" in text, f"{kind.__name__}.{key}"


def test_every_trailer_is_described() -> None:
    text = (ROOT / "docs/audit.md").read_text()
    source = (ROOT / "src/assent/ledgers/git/commits.py").read_text()
    names = set(re.findall(r'"((?:[A-Z][a-z]+)(?:-[a-z]+)?)"', source))
    assert {"Entry", "Reason", "Approved-by", "Run", "Link", "Write"} <= names
    for name in names:
        assert f"`{name}`" in text, name


def test_every_gate_and_every_key_of_a_model_is_described() -> None:
    text = (ROOT / "docs/configuration.md").read_text()
    for name in GATES:
        assert f"### `{name}`" in text
    settings = importlib.import_module("assent.config.settings")
    rules = importlib.import_module("assent.policy.rules")
    for kind in (settings.ModelSettings, settings.TopFields, rules.PolicyFields, *GATES.values()):
        for key in kind.__struct_fields__:
            assert f"`{key}" in text or f"{key}:" in text, key


def test_the_threats_called_tested_are_those_that_have_tests() -> None:
    table = re.findall(
        r"^\| (\d+) \|.*\| (tested|later) \|$", (ROOT / "docs/threats.md").read_text(), re.M
    )
    rows = [int(row) for row, _ in table]
    assert rows[:40] == list(range(1, 41))
    assert rows == sorted(set(rows))
    marks = {
        int(row)
        for path in (ROOT / "tests").rglob("test_*.py")
        for row in re.findall(r"mark\.threat\((\d+)\)", path.read_text())
    }
    assert {int(row) for row, state in table if state == "tested"} == marks


def test_the_numbers_that_the_documents_promise_are_those_of_the_code() -> None:
    diffs, keys = (ROOT / "docs/diffs.md").read_text(), (ROOT / "docs/configuration.md").read_text()
    for level, amount in LEVELS.items():
        assert re.search(rf"^\| {level} \| {amount}\b", diffs, re.MULTILINE)
    assert f"of fewer\nthan {MIN_SLICE_ROWS} rows" in keys
    assert f"at most {MAX_PLOTS}, of {MAX_PLOT_BYTES // 1_000_000} MB each" in keys
    for name in costs(STEP, STEP, Environment(), CostSettings(), 1):
        if name.startswith(("cost.train", "cost.model")):
            assert f"`{name}`" in keys


def test_every_format_that_is_read_is_named() -> None:
    page = re.sub(r"[^a-z0-9]", "", (ROOT / "docs/diffs.md").read_text().lower())
    said = {"hdf5", "gguf", "keras", "onnx", "skops", "xgboost", "lightgbm", "catboost", "mlmodel"}
    assert said <= set(FORMATS)
    for name in [*said, "safetensors", "pickle", "joblib", "pytorch", "savedmodel", "huggingface"]:
        assert name in page
