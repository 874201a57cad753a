"""The change that a better model is proposed by: its title, and what people read in it."""

from __future__ import annotations

import re

from assent.core.comment_layout import Topic
from assent.core.digest import Digest
from assent.core.scalar import Scalar, show_apart
from assent.report.document import to_document
from assent.report.escape import code, prose, shorten
from assent.report.markdown import sections_to_markdown
from assent.report.review import ReviewReport

_LEFT_OUT = (Topic.GATES, Topic.APPROVALS)
"""Sections that the review shows anew whenever somebody approves."""
_MEANING = re.compile(r"[^A-Za-z0-9_.%/+-]")
_NAME_LIMIT = 60


def proposal_title(model: str, metric: str, old: Scalar, new: Scalar) -> str:
    """`Retrain churn: roc_auc 0.912 → 0.921`. It becomes a title and a commit message, where
    nothing is escaped: in a name whatever could be a mention or a reference is a question mark.
    """
    name = _MEANING.sub("?", shorten(metric, _NAME_LIMIT))
    return f"Retrain {model}: {name} {' → '.join(show_apart(old, new))}"


def proposal_body(report: ReviewReport, *, sentence: str, bundle: Digest) -> str:
    """The text of the change, as inert Markdown."""
    by_topic = to_document(report).sections
    sections = [section for topic, section in by_topic.items() if topic not in _LEFT_OUT]
    return (
        f"{prose(sentence)}\n\n"
        f"`assent.lock` now names the bundle {code(bundle)}, and nothing else changes. Review it "
        "like any other change of the model: when it is approved and merged, exactly this bundle "
        "is registered. Nothing is trained again.\n\n"
        f"{sections_to_markdown(sections)}"
    )
