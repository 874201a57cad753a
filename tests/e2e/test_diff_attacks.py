"""Bundles that untrusted code has made up, before a review that believes nothing of them.

Each test forges a candidate in the store beside a registered version, and reviews it whole: what
is judged, the comment, the page, and the other forms.
"""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assent.compare.predictions import slices
from assent.core.bundle import ModelFile, config_blob, manifest_blob
from assent.core.digest import Digest
from assent.core.evidence import Attachment
from assent.core.verdict import Finding, Outcome
from assent.errors import IntegrityError, UsageError
from assent.judging import inspection as judged
from assent.judging.review import report_on
from assent.making.bundle_lookup import find
from assent.measure.models import deadline
from assent.ports import Source, View
from assent.recording.reading import read_ledger
from assent.report.html import to_html
from assent.report.jsonform import to_json
from assent.report.junit import to_junit
from assent.report.markdown import to_markdown
from assent.wiring import open_workspace
from assent.workspace import Workspace
from tests.e2e.project import CONFIG, FILES, Project, copy_project, new_project

pytest.importorskip("duckdb")

FAILED, PASSED = Outcome.FAILED, Outcome.PASSED
GATES = """\
    predictions: {path: p.csv, id: id, label: y, prediction: p, slices: [region]}
    gates:
      - {metric: accuracy, min: 0.5, max_drop: 0.05}
      - {metric: accuracy, slice: region, max_drop: 0.2}
      - {data: train, drift: moderate}
      - {data: leakage, between: [train, test], max: 0}
      - {model: safe, allow: [format]}
      - {predictions: worse_slices, max: 0}
"""
BOMB = b"cos\nsystem\n(S'id'\ntR."
"""A pickle that runs a program."""


def _files() -> dict[str, str]:
    before, _, rest = CONFIG.partition("    gates:\n")
    after = rest.split("\n", 1)[1]
    lines = [
        f"{row},{row % 2},{row % 2 if row % 10 else 1 - row % 2},{'EU' if row % 4 else 'US'}\n"
        for row in range(400)
    ]
    return {
        **FILES,
        "assent.yaml": before + GATES + after,
        "data/train.csv": "x,c\n" + "".join(f"{row},{'ab'[row % 2]}\n" for row in range(500)),
        "data/test.csv": "x,c\n" + "".join(f"{row},a\n" for row in range(1_000, 1_300)),
        "given.csv": "id,y,p,region\n" + "".join(lines),
        "evaluate.sh": FILES["evaluate.sh"] + "cp given.csv p.csv\n",
        "params.yaml": "accuracy: 0.9\n",
    }


@pytest.fixture(scope="session")
def _judged(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = new_project(tmp_path_factory.mktemp("judged") / "place", _files())
    project.run("review", code=11)
    project.run("approve", "--as", "grace")
    project.run("register")
    return project


@dataclass
class Attack:
    """The project, seen by whoever judges, with the evidence of what is registered."""

    workspace: Workspace
    view: View
    evidence: dict[str, Any]
    said: list[str]

    def blob(self, content: bytes) -> Digest:
        [stored] = self.workspace.store.add([Source(content=content)])
        return stored.digest

    def attach(self, evidence: dict[str, Any], path: str, content: bytes) -> Digest:
        """Put `content` in the place of an attachment."""
        [found] = [one for one in evidence["attachments"] if one["path"] == path]
        found |= {"digest": self.blob(content), "size_bytes": len(content)}
        return Digest(found["digest"])

    def content(self, path: str) -> bytes:
        [found] = [one for one in self.evidence["attachments"] if one["path"] == path]
        return self.workspace.store.read(Digest(found["digest"]))

    def bundle(
        self,
        evidence: dict[str, Any],
        files: Mapping[str, bytes],
        sizes: Mapping[str, int],
    ) -> Digest:
        listed = [
            ModelFile(
                path=path, digest=self.blob(content), size_bytes=sizes.get(path, len(content))
            )
            for path, content in files.items()
        ]
        attachments = [Attachment(**one) for one in evidence["attachments"]]
        content = json.dumps(evidence).encode()
        config = config_blob("churn", listed)
        self.blob(config)
        self.blob(content)
        return self.blob(manifest_blob("churn", listed, config, content, attachments))

    def review(
        self,
        evidence: dict[str, Any] | None = None,
        files: Mapping[str, bytes] | None = None,
        sizes: Mapping[str, int] | None = None,
    ) -> list[Finding]:
        """The findings of a review, all of whose forms can be written."""
        digest = self.bundle(
            evidence or self.evidence, files or {"weights.txt": b"other"}, sizes or {}
        )
        candidate = find(self.workspace, self.view, "churn", digest)
        report = report_on(self.workspace, self.view, "churn", candidate)
        comment, page = to_markdown(report, full_report="report.html"), to_html(report)
        assert to_json(report)
        assert to_junit(report)
        for text in (comment, page):
            assert not {"\x1b", "\u202e", "\x07"} & set(text)
            assert "<script>alert" not in text
        return list(report.verdict.findings)


@pytest.fixture
def attack(_judged: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Attack:
    project = copy_project(_judged, tmp_path / "place")
    monkeypatch.chdir(project.folder)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    said: list[str] = []
    workspace = open_workspace(
        project.folder,
        environ=project.environment,
        now=datetime(2026, 1, 2, tzinfo=UTC),
        say=said.append,
    )
    view = read_ledger(workspace, "churn")
    known = find(workspace, view, "churn", "v1")
    evidence = json.loads(workspace.store.read(known.bundle.evidence.digest))
    return Attack(workspace, view, evidence, said)


def of(findings: list[Finding], rule: str) -> list[Outcome]:
    return [one.outcome for one in findings if one.rule.startswith(rule)]


def test_an_honest_candidate_passes_every_gate(attack: Attack) -> None:
    findings = attack.review()
    assert {one.outcome for one in findings if not one.rule.startswith("approvals")} == {PASSED}


# Model files


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.txt", b"N0" + BOMB),
        ("model.txt", b"(S'" + b"a" * 6_000 + b"'\n0" + BOMB),
        ("model.txt", b"I1\n0" * 300_000 + BOMB),
        ("model.json", b"N0" + BOMB),
        ("rows.csv", b"N0" + BOMB),
        ("requirements.txt", b"N0" + BOMB),
        ("model.bin", b"GIF89a\x01\x00\x010" + BOMB),
        ("model.bin", b"CBM1" + bytes(64) + b"0" + BOMB),
        ("model.bin", b"B" + (8).to_bytes(4, "little") + b"aaaaaaaa0" + BOMB),
        ("model.yaml", b"a: !!python/object/apply:os.system [id]\n"),
        ("model.yaml", b"%TAG !y! tag:yaml.org,2002:pyth\n---\na: !y!on/name:os.system\n"),
    ],
)
def test_a_file_that_is_code_under_another_name_blocks(
    attack: Attack, name: str, content: bytes
) -> None:
    assert FAILED in of(attack.review(files={name: content}), "model safe")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("classes.txt", b"cat\ndog\nbird\n"),
        ("rows.csv", b"country,age\nDE,3\nUS,4\n"),
        ("README.md", b"import os\nimport sys\n"),
        ("names.txt", b"iris\nsetosa\n"),
        ("conda.yaml", b"name: env\ndependencies: [python=3.11, 'a!=2']\n"),
    ],
)
def test_a_file_that_only_begins_like_one_does_not(
    attack: Attack, name: str, content: bytes
) -> None:
    assert of(attack.review(files={name: content}), "model safe") == [PASSED]


@pytest.mark.threat(39)
def test_all_files_together_are_looked_at_for_a_bounded_time(
    attack: Attack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "MAX_SECONDS", -1.0)
    assert of(attack.review(files={"a.txt": b"a", "b.txt": b"b"}), "model safe") == [FAILED] * 2


@pytest.mark.threat(18)
def test_a_size_that_the_bundle_made_up_is_found(attack: Attack) -> None:
    with pytest.raises(IntegrityError, match="another size"):
        attack.review(files={"weights.txt": b"x" * 100}, sizes={"weights.txt": 1})


@pytest.mark.parametrize(
    "error", [UsageError("comparing weights", "numpy is not installed"), ValueError("hostile")]
)
def test_weights_that_cannot_be_compared_stop_no_review(
    attack: Attack, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(judged, "_has_tensors", lambda _: True)
    monkeypatch.setattr(judged, "compare_weights", fail)
    assert of(attack.review(), "model safe") == [PASSED]
    assert any("weights are not compared" in line for line in attack.said)


# Evidence


@pytest.mark.threat(39)
@pytest.mark.parametrize("path", [("data", 0, "size_bytes"), ("evaluate", "peak_memory_bytes")])
def test_a_number_of_hundreds_of_digits_is_refused(
    attack: Attack, path: tuple[str | int, ...]
) -> None:
    evidence: Any = copy.deepcopy(attack.evidence)
    place = evidence
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = 10**400
    with pytest.raises(IntegrityError, match="64 bits"):
        attack.review(evidence)


def _twice(evidence: dict[str, Any]) -> None:
    evidence["data"].append(dict(evidence["data"][0], profile=None))


def _many(evidence: dict[str, Any]) -> None:
    evidence["data"] += [dict(evidence["data"][0], name=f"d{at}") for at in range(200)]


def _unnamed(evidence: dict[str, Any]) -> None:
    evidence["data"].pop(0)


@pytest.mark.threat(14)
@pytest.mark.parametrize("change", [_twice, _many, _unnamed])
def test_evidence_that_no_evaluation_writes_is_refused(
    attack: Attack, change: Callable[[dict[str, Any]], None]
) -> None:
    evidence = copy.deepcopy(attack.evidence)
    change(evidence)
    with pytest.raises(IntegrityError, match="data"):
        attack.review(evidence)


@pytest.mark.threat(14)
@pytest.mark.parametrize("changed", [{"of": 0}, {"of": 10**6}, {"rows": 301}, {"keys": 301}])
def test_leakage_that_was_counted_of_other_data_blocks(
    attack: Attack, changed: dict[str, int]
) -> None:
    evidence = copy.deepcopy(attack.evidence)
    evidence["overlaps"][0] |= changed
    assert FAILED in of(attack.review(evidence), "data leakage")


# Profiles


def _none(profile: dict[str, Any]) -> None:
    for column in profile["columns"]:
        numbers = column.get("numbers")
        if numbers:
            numbers["counts"] = [1] + [0] * (len(numbers["counts"]) - 1)


def _unlisted(profile: dict[str, Any]) -> None:
    for column in profile["columns"]:
        if "categories" in column:
            column["categories"] = {"others": 500}


@pytest.mark.threat(14)
@pytest.mark.parametrize("change", [_none, _unlisted])
def test_counts_that_hide_the_values_block(
    attack: Attack, change: Callable[[dict[str, Any]], None]
) -> None:
    profile = json.loads(gzip.decompress(attack.content("profiles/train.json.gz")))
    change(profile)
    evidence = copy.deepcopy(attack.evidence)
    content = gzip.compress(json.dumps(profile).encode())
    digest = attack.attach(evidence, "profiles/train.json.gz", content)
    evidence["data"][0] |= {"profile": digest, "digest": "sha256:" + "1" * 64}
    assert FAILED in of(attack.review(evidence), "data train drift")


@pytest.mark.threat(33)
def test_names_of_columns_are_shown_as_text(attack: Attack) -> None:
    profile = json.loads(gzip.decompress(attack.content("profiles/train.json.gz")))
    for column in profile["columns"]:
        column["name"] = f"<script>alert(1)</script>|`@x #1\x1b[31m\u202e\x07{column['name']}"
    evidence = copy.deepcopy(attack.evidence)
    content = gzip.compress(json.dumps(profile).encode())
    digest = attack.attach(evidence, "profiles/train.json.gz", content)
    evidence["data"][0] |= {"profile": digest, "digest": "sha256:" + "1" * 64}
    assert attack.review(evidence)


# Predictions


def _predicted(attack: Attack, tmp_path: Path, sql: str, **said: object) -> dict[str, Any]:
    import duckdb

    old, new = tmp_path / "old.parquet", tmp_path / "new.parquet"
    old.write_bytes(attack.content("predictions.parquet"))
    with duckdb.connect() as connection:
        query = sql.format(old=f"'{old}'")
        connection.execute(f"COPY ({query}) TO '{new}' (FORMAT parquet)")
    evidence = copy.deepcopy(attack.evidence)
    digest = attack.attach(evidence, "predictions.parquet", new.read_bytes())
    evidence["predictions"] |= {"attachment": digest, **said}
    return evidence


@pytest.mark.threat(14)
@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ('SELECT * EXCLUDE ("slice.region") FROM {old}', []),
        ('SELECT * REPLACE ("slice.region" || \' \' AS "slice.region") FROM {old}', ["region"]),
        ('SELECT * REPLACE (id AS "slice.region") FROM {old}', ["region"]),
    ],
)
def test_slices_that_are_gone_have_not_become_better(
    attack: Attack, tmp_path: Path, sql: str, names: list[str]
) -> None:
    evidence = _predicted(attack, tmp_path, sql, slices=names)
    assert of(attack.review(evidence), "predictions worse_slices") == [FAILED]


@pytest.mark.threat(14)
def test_a_slice_is_not_crowded_out_by_other_columns(
    attack: Attack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "MAX_SLICES", 40)
    wrong = "CASE WHEN \"slice.region\" = 'US' THEN (1 - label::INT)::VARCHAR ELSE prediction END"
    columns = ", ".join(f"'all' AS \"slice.s{at}\"" for at in range(39))
    sql = f"SELECT * REPLACE ({wrong} AS prediction), {columns} FROM {{old}}"
    names = ["region", *(f"s{at}" for at in range(39))]
    evidence = _predicted(attack, tmp_path, sql, slices=names)
    assert of(attack.review(evidence), "slices.region.US.accuracy") == [FAILED]


@pytest.mark.threat(39)
def test_equal_scores_of_many_classes_do_not_fill_memory(attack: Attack, tmp_path: Path) -> None:
    names = sorted(f"c{at}" for at in range(1_000))
    scores = ", ".join(f'0.001::DOUBLE AS "score.{name}"' for name in names)
    sql = f"SELECT i::VARCHAR AS id, 'c1' AS label, {scores} FROM range(50001) t(i)"
    said = {"task": "multiclass", "classes": names, "rows": 50_001, "slices": [], "positive": None}
    evidence = _predicted(attack, tmp_path, sql, **said)
    with pytest.raises(IntegrityError, match="scores"):
        attack.review(evidence)


@pytest.mark.threat(33)
def test_slices_and_examples_are_shown_as_text(attack: Attack, tmp_path: Path) -> None:
    nasty = "'<script>alert(1)</script>.|`@x #1' || chr(27) || '[31m' || chr(7)"
    sql = f'SELECT * REPLACE ({nasty} || "slice.region" AS "slice.region") FROM {{old}}'
    assert attack.review(_predicted(attack, tmp_path, sql))
