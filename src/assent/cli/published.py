"""What a job publishes of a result, for later steps and jobs and for people.

`OUTPUTS` is the list: the actions and their documentation are made from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from assent.ci import outputs, reports
from assent.core.context import Channel
from assent.core.scalar import Scalar, number
from assent.core.verdict import Finding, Outcome
from assent.recording.outcome import Decided
from assent.report.escape import code, prose, visible

OUTPUTS = {
    "verdict": "`passed`, `blocked` or `pending`.",
    "bundle": "The digest of the bundle.",
    "version": "The version, as `v12`; empty if it has none.",
    "stage": "The stage, or empty.",
    "report-path": "The full report, an HTML file.",
    "comment": "Where the comment stands.",
    "change": "Where the pull request is, or empty.",
}
FILE = "assent.yaml"
REPORT = "report.html"
JUNIT = "junit.xml"
MOST_ANNOTATIONS = 10
"""Of each level: the runner shows no more of one step."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """Outputs by name (of `OUTPUTS`), the summary as inert Markdown, and the findings of which
    those that failed or wait become annotations. GitLab also gets the metrics of `model`, and
    copies of `files` under their names, and `links`: label, and an address or one of `files`.
    """

    outputs: Mapping[str, str]
    summary: str
    findings: Sequence[Finding] = field(default=())
    model: str = ""
    metrics: Mapping[str, Scalar] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    links: Sequence[tuple[str, str]] = field(default=())


def publish(published: Published, channel: Channel, echo: Callable[[str], None]) -> None:
    """Write what the job's system reads, and give every line that it is to read to `echo`."""
    if channel.reports is not None:
        _publish_reports(published, channel.reports, channel.job, echo)
        return
    for line in annotation_lines(published.findings):
        echo(line)
    if channel.output is not None and published.outputs:
        outputs.write_outputs(
            channel.output, {name: visible(value) for name, value in published.outputs.items()}
        )
    if channel.summary is not None:
        outputs.write_summary(channel.summary, published.summary)


def _publish_reports(
    published: Published, folder: str, job: str | None, echo: Callable[[str], None]
) -> None:
    """The files of a job on GitLab."""
    written = {name: path.read_bytes() for name, path in published.files.items()}
    outputs = dict(published.outputs)
    if REPORT in written:
        outputs["report-path"] = str(PurePosixPath(folder, REPORT))  # that is what is kept
    variables, left_out = reports.variables_text(outputs)
    if variables:
        written[reports.VARIABLES] = variables.encode()
    for name in left_out:
        echo(f"{name} is no variable for later jobs: only plain characters and a few kB can be")
    metrics = {name: number(value) for name, value in published.metrics.items()}
    known = {visible(name): value for name, value in metrics.items() if value is not None}
    if known:
        written[reports.METRICS] = reports.metrics_text(published.model, known).encode()
    links = []
    for label, where in (*_of_report(published), *published.links):
        if where not in written:
            links.append((label, where))
        elif job is not None:
            links.append((label, f"{job}/artifacts/file/{PurePosixPath(folder, where)}"))
    if published.outputs.get("comment"):
        links.append((f"Note on {published.model}", published.outputs["comment"]))
    if published.outputs.get("change"):
        links.append((f"Merge request for {published.model}", published.outputs["change"]))
    if links:
        written[reports.LINKS] = reports.links_text(links).encode()
    reports.write(folder, written)


def _of_report(published: Published) -> list[tuple[str, str]]:
    is_there = REPORT in published.files
    return [(f"Full report on {published.model}", REPORT)] if is_there else []


def annotation_lines(findings: Sequence[Finding]) -> list[str]:
    """What blocks as errors, what waits as warnings, what warns as notices; of too many the last
    says how many more.
    """
    lines: list[str] = []
    levels = {
        Outcome.FAILED: "error",
        Outcome.UNDECIDED: "error",
        Outcome.WAITING: "warning",
        Outcome.WARNED: "notice",
    }
    for outcome, level in levels.items():
        of_outcome = [finding for finding in findings if finding.outcome is outcome]
        shown = (
            of_outcome
            if len(of_outcome) <= MOST_ANNOTATIONS
            else of_outcome[: MOST_ANNOTATIONS - 1]
        )
        lines += [
            outputs.annotation(level, visible(finding.rule), _message(finding), file=FILE)
            for finding in shown
        ]
        if len(of_outcome) > len(shown):
            more = f"{len(of_outcome) - len(shown):,} more: see the summary"
            lines.append(outputs.annotation(level, "and more", more, file=FILE))
    return lines


def decided(result: Decided) -> Published:
    """Of a verb that decides and writes."""
    verdict = "passed" if result.entries or result.was_so else result.verdict.decision.value
    if result.exit_code != 0 and verdict == "passed":
        verdict = "blocked"
    every = (*result.others, result)
    return Published(
        outputs={
            "verdict": verdict,
            "bundle": result.bundle or "",
            "version": version(result.version),
            "stage": result.stage or "",
        },
        summary="\n".join(
            sentence(decision.model, decision.sentence, _refused(decision)) for decision in every
        ),
        findings=tuple(finding for decision in every for finding in _refused(decision)),
    )


def _refused(result: Decided) -> Sequence[Finding]:
    return () if result.entries or result.was_so else result.verdict.findings


def sentence(model: str, told: str, findings: Sequence[Finding] = ()) -> str:
    """One sentence about a model, and what stands against it, as inert Markdown."""
    wanting = [
        finding
        for finding in findings
        if finding.outcome.blocks or finding.outcome is Outcome.WAITING
    ]
    lines = [f"**{code(model)}**: {prose(told)}", ""]
    lines += [
        f"- {code(finding.rule)}: {prose(_message(finding), 600)}" for finding in wanting[:100]
    ]
    if len(wanting) > 100:
        lines.append(f"- {len(wanting) - 100:,} more")
    return "\n".join(lines)


def version(number: int | None) -> str:
    """`v12`, or nothing."""
    return "" if number is None else f"v{number}"


def _message(finding: Finding) -> str:
    about = "; ".join(text for text in (finding.reason, finding.evidence) if text)
    remedy = f" → {finding.remedy}" if finding.remedy else ""
    return visible(f"{about}{remedy}")
