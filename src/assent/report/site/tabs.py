"""The ways between the pages of a model."""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup

from assent.report.site.addresses import OVERVIEW, of_model, root_from
from assent.report.site.filling import fill, together
from assent.report.site.pen import Pen

_PAGES = (
    ("index", "Now"),
    ("timeline", "Timeline"),
    ("versions", "Versions"),
    ("metrics", "Metrics"),
    ("compare", "Compare"),
)
_HERE = '<a href="%s" aria-current="page">%s</a>'
_THERE = '<a href="%s">%s</a>'


@lru_cache(1_000)
def tabs(model: str, current: str) -> Markup:
    """The links between the pages of a model, of which one may be this one."""
    root = root_from(of_model(model))
    return together(
        fill(_HERE if page == current else _THERE, root + of_model(model, page), title)
        for page, title in _PAGES
    )


def crumbs(pen: Pen, model: str | None = None) -> tuple[Markup, ...]:
    """The way down to a page."""
    way = [pen.to(OVERVIEW, "All models")]
    if model is not None:
        way.append(pen.model(model))
    return tuple(way)
