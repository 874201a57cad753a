"""The search: everything that has a page, in one script that the page of the search loads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from markupsafe import Markup

from assent.core.entry import Kind
from assent.report.escape import shorten, visible
from assent.report.site.addresses import (
    SEARCH,
    SEARCHED,
    of_entry,
    of_model,
    of_person,
)
from assent.report.site.pages import Page, page, script
from assent.report.site.parts import Content
from assent.report.site.pen import Pen
from assent.report.site.people import Deed
from assent.report.site.tabs import crumbs
from assent.report.site.told import ModelTold

_TEXT = 160
_METRICS = 200


def search_pages(models: Iterable[ModelTold], all_deeds: Iterable[Deed]) -> Iterator[Page]:
    """The page of the search, and what it searches: kind, title, address and more words of each."""
    rows = [row for model in models for row in _of_model(model)]
    people = {deed.actor.key: deed.actor for deed in all_deeds}
    rows += [
        _row("person", actor.login, of_person(key), f"{key} {actor.kind}")
        for key, actor in people.items()
    ]
    yield script(SEARCHED, "searched", lambda: [rows], rows)

    def content() -> Content:
        return Content(
            title="Search",
            heading=Markup("Search"),
            crumbs=crumbs(Pen(SEARCH)),
            form="search",
            scripts=(SEARCHED,),
        )

    yield page(SEARCH, "", content)


def _of_model(told: ModelTold) -> Iterator[list[Any]]:
    model = told.model
    yield _row("model", model, of_model(model), " ".join(told.history.stages))
    for metric in told.metrics[:_METRICS]:
        yield _row("metric", metric, of_model(model, "metrics"), model)
    for version in told.history.versions.values():
        registered = version.registered
        more = [version.bundle[7:19], registered.actor.login, registered.at[:10]]
        more += [registered.commit[:12]] if registered.commit else []
        more += [stay.stage for stay in version.holding]
        title = f"{model} v{version.number}"
        yield _row("version", title, of_model(model, f"v{version.number}"), " ".join(more))
    for entry in told.history.entries:
        if entry.reason and (entry.kind is not Kind.REGISTERED):
            title = f"{model} #{entry.seq} {entry.kind.value.replace('_', ' ')}"
            yield _row("entry", title, of_entry(model, entry.seq), entry.reason)


def _row(kind: str, title: str, address: str, more: str) -> list[Any]:
    return [kind, visible(shorten(title, _TEXT)), address, visible(shorten(more, _TEXT))]
