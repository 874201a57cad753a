"""What a step of GitHub Actions publishes: exactly what was meant, whatever the names are."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
from click.testing import CliRunner

from assent.ci.outputs import STEP_FILES
from assent.cli import published, review, run
from assent.cli.main import group
from assent.cli.output import findings as show_findings
from assent.cli.output import line
from assent.cli.published import MOST_ANNOTATIONS, OUTPUTS, Published, publish
from assent.core.context import Channel
from assent.core.digest import digest_of
from assent.core.evidence import Evidence
from assent.core.verdict import Finding, Outcome, Verdict
from assent.errors import ExitCode, OutsideError
from assent.forges.registry import TOKENS
from assent.judging.review import ReviewResult
from assent.recording.outcome import Decided
from assent.report.review import ReviewReport
from tests.ci import runner
from tests.report import samples

BUNDLE = digest_of(b"bundle")
INJECTION = (
    "x\r\n::set-env name=PATH::/evil\n##[add-mask]a\nverdict=passed\nbundle<<E\n%0A::error::"
)


def finding(number: int = 1, outcome: Outcome = Outcome.FAILED, text: str = "") -> Finding:
    return Finding(
        rule=f"rule {number}{text}",
        outcome=outcome,
        reason=f"reason{text}",
        evidence=f"evidence{text}",
        remedy=f"remedy{text}",
    )


def refused(*findings: Finding, sentence: str = "v1 was not promoted") -> Decided:
    return Decided(
        model="churn",
        sentence=sentence,
        verdict=Verdict(findings=findings),
        version=1,
        bundle=BUNDLE,
        stage="production",
    )


def write(result: Published, folder: Path) -> tuple[dict[str, str], str, list[tuple[str, str]]]:
    """The outputs, the summary and the commands, as the runner reads them."""
    channel = Channel(output=str(folder / "output"), summary=str(folder / "summary"))
    log: list[str] = []
    publish(result, channel, log.append)
    text = (folder / "output").read_text() if (folder / "output").exists() else ""
    return (
        runner.outputs(text),
        (folder / "summary").read_text(),
        runner.commands("\n".join(log)),
    )


def test_a_refusal_is_published(tmp_path: Path) -> None:
    result = refused(finding(), finding(2, Outcome.WAITING), finding(3, Outcome.PASSED))
    outputs, summary, commands = write(published.decided(result), tmp_path)
    assert outputs == {
        "verdict": "blocked",
        "bundle": BUNDLE,
        "version": "v1",
        "stage": "production",
    }
    assert set(outputs) <= set(OUTPUTS)
    assert "v1 was not promoted" in summary
    assert "`rule 1`: reason; evidence → remedy" in summary
    assert "rule 3" not in summary
    assert commands == [
        ("error", "reason; evidence → remedy"),
        ("warning", "reason; evidence → remedy"),
    ]


def test_waiting_is_pending_and_a_refusal_without_findings_never_passes(tmp_path: Path) -> None:
    assert published.decided(refused(finding(1, Outcome.WAITING))).outputs["verdict"] == "pending"
    held = published.decided(refused(finding(1, Outcome.PASSED)))
    assert held.outputs["verdict"] == "blocked"
    assert published.decided(refused()).outputs["verdict"] == "blocked"


def test_what_stands_already_has_passed() -> None:
    result = Decided(
        model="churn", sentence="so it is", verdict=Verdict(findings=()), version=2, was_so=True
    )
    shown = published.decided(result)
    assert shown.outputs == {"verdict": "passed", "bundle": "", "version": "v2", "stage": ""}
    assert shown.findings == ()


@pytest.mark.threat(37)
def test_names_cannot_write_outputs_or_commands(tmp_path: Path) -> None:
    result = Published(
        outputs={"comment": INJECTION, "verdict": "blocked"},
        summary=published.sentence("churn", INJECTION, [finding(text=INJECTION)]),
        findings=[finding(text=INJECTION)],
    )
    outputs, summary, commands = write(result, tmp_path)
    assert set(outputs) == {"comment", "verdict"}
    assert outputs["verdict"] == "blocked"
    assert "\n" not in outputs["comment"]
    assert [name for name, _ in commands] == ["error"]
    assert "\n##" not in summary
    assert "\n::" not in summary


@pytest.mark.threat(37)
def test_nothing_that_is_printed_is_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    line(f"  {INJECTION}")
    line("::add-mask::1")
    show_findings([finding(text=INJECTION)])
    run.say(f"::error::{INJECTION}")
    said = capsys.readouterr()
    assert runner.commands(said.out) == []
    assert runner.commands(said.err) == []


@pytest.mark.threat(37)
def test_an_error_is_shown_beside_the_run_and_is_no_other_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setattr(sys, "argv", ["assent", "review"])
    with pytest.raises(SystemExit) as stopped:
        run.fail(OutsideError(f"reading {INJECTION}", INJECTION, hint=INJECTION))
    assert stopped.value.code == ExitCode.OUTSIDE
    said = capsys.readouterr()
    assert [name for name, _ in runner.commands(said.err)] == ["error"]
    assert runner.commands(said.out) == []


@pytest.mark.threat(37)
@pytest.mark.parametrize("as_json", [True, False])
def test_a_wrong_input_is_no_command(
    as_json: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In CI an option can come from a form."""
    monkeypatch.setattr(sys, "argv", ["assent", "promote"])
    monkeypatch.setenv("ASSENT_PROMOTE_JSON", "true" if as_json else "")

    def call() -> object:
        raise click.BadParameter(INJECTION)

    with pytest.raises(SystemExit) as stopped:
        run.guarded(call)
    assert stopped.value.code == ExitCode.USAGE
    said = capsys.readouterr()
    assert runner.commands(said.err) == runner.commands(said.out) == []
    assert said.out.startswith('{"error":') is as_json


@pytest.mark.threat(37)
def test_the_teams_own_commands_cannot_speak_for_the_step(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for name in (*STEP_FILES, *TOKENS):
        monkeypatch.setenv(name, str(tmp_path / name))
    script = (
        "echo '::set-env name=A::b'; echo '::error::c' >&2; echo '##[add-mask]d'\n"
        "echo \"::$LAST::\"; echo '::error::e'\n"
        "for file in $GITHUB_OUTPUT $GITHUB_ENV $GITHUB_PATH $GITHUB_STATE $GITHUB_STEP_SUMMARY\n"
        'do echo verdict=passed >"$file"; done; echo "token: $GITHUB_TOKEN$GH_TOKEN."'
    )
    said, token = "", "none"
    for _ in range(2):  # the second time it knows the token of the first
        with run.own_output(as_json=False) as own:
            env = {**os.environ, "LAST": token}
            subprocess.run(["/bin/sh", "-c", script], stdout=own, check=True, env=env)
        captured = capfd.readouterr()
        assert captured.out == ""
        token = captured.err.splitlines()[0].rpartition("::")[2]
        said += captured.err
    assert "::set-env name=A::b" in said, "what the team prints is shown"
    assert runner.commands(said) == []
    assert "token: ." in said
    assert list(tmp_path.iterdir()) == []
    assert os.environ["GITHUB_OUTPUT"] == str(tmp_path / "GITHUB_OUTPUT"), "and is known again"


def test_outside_github_the_teams_output_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    with run.own_output(as_json=False) as own:
        assert own is None


def test_of_many_findings_the_last_annotation_says_how_many_more() -> None:
    lines = published.annotation_lines([finding(number) for number in range(25)])
    assert len(lines) == MOST_ANNOTATIONS
    assert lines[-1].endswith("::16 more: see the summary")
    assert len(published.annotation_lines([finding(n) for n in range(MOST_ANNOTATIONS)])) == 10


def finished(result: Any, exit_zero: bool = False) -> int | str | None:
    with pytest.raises(SystemExit) as stopped:
        run.finish(
            result,
            False,
            lambda _: None,
            lambda _: Published(outputs={}, summary=""),
            exit_zero=exit_zero,
        )
    return stopped.value.code


def test_the_verdict_can_be_left_to_the_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    assert finished(refused(finding())) == ExitCode.BLOCKED
    assert finished(refused(finding()), exit_zero=True) == ExitCode.DONE


@pytest.mark.threat(36)
@pytest.mark.parametrize("make", [samples.blocked, lambda: samples.big(metrics=4_000)])
def test_a_review_is_published_with_its_report(
    make: Callable[[], ReviewReport], tmp_path: Path
) -> None:
    shown = make()
    result = ReviewResult(
        decision=shown.verdict.decision,
        report=shown,
        comment="https://github.com/acme/churn/pull/7#issuecomment-1",
        html=tmp_path / "report.html",
        json=tmp_path / "review.json",
        junit=tmp_path / "junit.xml",
    )
    outputs, summary, _ = write(review.publish(result), tmp_path)
    assert outputs == {
        "verdict": shown.verdict.decision.value,
        "bundle": shown.diff.candidate.bundle,
        "report-path": str(tmp_path / "report.html"),
        "comment": result.comment,
    }
    assert "## " in summary
    assert len(summary.encode()) <= 1_000_000


@pytest.mark.parametrize("words", [["--output", "a", "--from", "b"]])
def test_a_bundle_is_taken_or_given_not_both(words: list[str]) -> None:
    done = CliRunner().invoke(group, ["bundle", *words], prog_name="assent")
    assert done.exit_code == 2
    assert "exclude each other" in done.output


# GitLab


def reported(result: Published, folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """The files of a job, by name, and what its log says."""
    said: list[str] = []
    publish(
        result, Channel(reports=str(folder), job="https://gitlab.example.com/-/jobs/1"), said.append
    )
    return {path.name: path.read_bytes() for path in folder.iterdir()}, said


def test_a_job_on_gitlab_gets_its_reports(tmp_path: Path) -> None:
    evidence = Evidence(model="churn", inputs_digest=BUNDLE, metrics={"auc": 0.5, "note": "text"})
    shown = msgspec.structs.replace(samples.blocked(), evidence=evidence)
    for name in ("report.html", "junit.xml"):
        (tmp_path / name).write_text(name)
    result = review.publish(
        ReviewResult(
            decision=shown.verdict.decision,
            report=shown,
            comment="https://gitlab.example.com/acme/churn/-/merge_requests/7#note_1",
            html=tmp_path / "report.html",
            json=tmp_path / "review.json",
            junit=tmp_path / "junit.xml",
        )
    )
    files, said = reported(result, tmp_path / "ci")
    assert set(files) == {
        *("report.html", "junit.xml"),
        *("assent.env", "metrics.txt", "annotations.json"),
    }
    assert (files["report.html"], files["junit.xml"]) == (b"report.html", b"junit.xml")
    assert b"ASSENT_VERDICT=blocked\n" in files["assent.env"]
    assert f"ASSENT_REPORT_PATH={tmp_path}/ci/report.html\n".encode() in files["assent.env"]
    assert b'assent_metric{model="churn",metric="auc"} 0.5\n' in files["metrics.txt"]
    assert b"text" not in files["metrics.txt"]
    assert b"https://gitlab.example.com/-/jobs/1/artifacts/file/" in files["annotations.json"]
    assert b"#note_1" in files["annotations.json"]
    assert said == []  # no commands for the log of GitHub


@pytest.mark.threat(37)
def test_an_output_of_other_characters_is_left_out_and_named(tmp_path: Path) -> None:
    files, said = reported(
        Published(outputs={"stage": INJECTION, "version": "v1"}, summary=""), tmp_path
    )
    assert files == {"assent.env": b"ASSENT_VERSION=v1\n"}
    assert said == [
        "ASSENT_STAGE is no variable for later jobs: only plain characters and a few kB can be"
    ]
