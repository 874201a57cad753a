"""What was read of each version and model: the values that all pages are made of."""

from __future__ import annotations

from collections.abc import Mapping

from assent.core.bundle import Bundle
from assent.core.digest import Digest
from assent.core.evidence import Evidence
from assent.report.site.history import History, Struct
from assent.report.site.trend import Trend


class Facts(Struct, frozen=True, kw_only=True):
    """The bundle of a version and its evidence, or why they could not be read."""

    bundle: Bundle | None = None
    evidence: Evidence | None = None
    problem: str = ""


class ModelTold(Struct, frozen=True, kw_only=True):
    """A model's ledger and what was read of its versions. `head` is the digest of the newest
    entry; `unread` says of versions without evidence why; `remarks` are about the whole. The
    `metrics` are all names of the newest version that was read.
    """

    model: str
    head: Digest
    history: History
    trends: tuple[Trend, ...] = ()
    metrics: tuple[str, ...] = ()
    unread: Mapping[int, str] = {}
    remarks: tuple[str, ...] = ()


class ModelUntold(Struct, frozen=True, kw_only=True):
    """A model whose ledger could not be read, and why."""

    model: str
    problem: str
    hint: str = ""
