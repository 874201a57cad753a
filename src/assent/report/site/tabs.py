"""The ways between the pages of a model."""

from __future__ import annotations

from markupsafe import Markup

from assent.report.site.addresses import OVERVIEW, of_model
from assent.report.site.pen import Pen

_PAGES = (
    ("index", "Now"),
    ("timeline", "Timeline"),
    ("versions", "Versions"),
    ("metrics", "Metrics"),
    ("compare", "Compare"),
)


def tabs(model: str, current: str) -> tuple[tuple[str, str, bool], ...]:
    """The pages of a model: where each stands, what it is called, and whether it is this one."""
    return tuple((of_model(model, page), title, page == current) for page, title in _PAGES)


def crumbs(pen: Pen, model: str | None = None) -> tuple[Markup, ...]:
    """The way down to a page."""
    way = [pen.to(OVERVIEW, "All models")]
    if model is not None:
        way.append(pen.model(model))
    return tuple(way)
