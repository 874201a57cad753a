"""Gates as test cases, in the XML that CI systems show beside the tests."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from assent.core.verdict import Finding, Outcome
from assent.report.review import ReviewReport

# What XML 1.0, section 2.2, does not name: illegal, also as a reference. What is legal would take
# ten times as long to compile.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def to_junit(report: ReviewReport) -> bytes:
    """One test suite. What blocks is a failure; what waits or does not apply is skipped. A
    review without findings holds one failure: nobody looked.
    """
    findings = report.verdict.findings or (_NOTHING_JUDGED,)
    outcomes = [finding.outcome for finding in findings]
    failed = sum(outcome.blocks for outcome in outcomes)
    passed = outcomes.count(Outcome.PASSED)
    suite = ElementTree.Element(
        "testsuite",
        name=_legal(f"assent {report.model}"),
        tests=str(len(findings)),
        failures=str(failed),
        errors="0",
        skipped=str(len(findings) - failed - passed),
        timestamp=_legal(report.at),
    )
    for finding in findings:
        suite.append(_case(finding, report.model))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


_NOTHING_JUDGED = Finding(
    rule="at least one gate judges the model",
    outcome=Outcome.FAILED,
    reason="no gate has judged it",
    remedy="give the model at least one gate",
)


def _case(finding: Finding, model: str) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase", classname=_legal(f"assent.{model}"), name=_legal(finding.rule), time="0"
    )
    match finding.outcome:
        case Outcome.FAILED | Outcome.UNDECIDED:
            failure = ElementTree.SubElement(case, "failure", message=_legal(finding.reason))
            told = (finding.reason, finding.evidence, finding.remedy)
            failure.text = _legal("\n".join(line for line in told if line))
        case Outcome.WAITING | Outcome.NOT_APPLICABLE:
            told = (str(finding.outcome), finding.reason, finding.remedy)
            message = _legal(": ".join(line for line in told if line))
            ElementTree.SubElement(case, "skipped", message=message)
        case Outcome.WARNED:
            lines = ("warning", finding.reason, finding.evidence)
            warning = ElementTree.SubElement(case, "system-out")
            warning.text = _legal("\n".join(line for line in lines if line))
        case Outcome.PASSED:
            pass
    return case


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)
