"""Plots that the team has drawn: what kind of picture a file is."""

from __future__ import annotations

from pathlib import Path

PNG, JPEG, SVG = "image/png", "image/jpeg", "image/svg+xml"
VEGA_LITE = "application/vnd.vegalite.v5+json"

_HEAD_BYTES = 1024


def plot_type(path: Path) -> str | None:
    """The media type, by what the file begins with and not by its name alone; None for what is no
    plot.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    name = path.name.lower()
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if name.endswith(".svg") and b"<svg" in head:
        return SVG
    if name.endswith((".vl.json", ".vega.json")) and head.lstrip().startswith(b"{"):
        return VEGA_LITE
    return None
