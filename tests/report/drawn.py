"""Drawings as a reader of SVG sees them."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, fromstring

from assent.report.parts import Chart

Place = tuple[float, float]
_PLACES = re.compile(r"(-?[\d.]+) (-?[\d.]+)")
_LETTER = {"name": 6.7, "tick": 5.9}


def element(chart: Chart) -> Element:
    """The drawing; fails if it is not well-formed."""
    return fromstring(chart.drawing)


def found(chart: Chart, tag: str, style: str) -> list[Element]:
    """Elements of a kind whose class begins with `style`, in their order."""
    return [one for one in element(chart).iter(tag) if one.get("class", "").startswith(style)]


def number(one: Element, name: str) -> float:
    """An attribute as a number."""
    return float(one.attrib[name])


def points(one: Element) -> list[Place]:
    """The points of a path."""
    return [(float(x), float(y)) for x, y in _PLACES.findall(one.attrib["d"])]


def texts(chart: Chart, style: str = "") -> list[str]:
    """All text that is drawn, without tooltips."""
    return [one.text or "" for one in found(chart, "text", style)]


def said(chart: Chart) -> str:
    """What the drawing says to those who cannot see it."""
    return element(chart).attrib["aria-label"]


def places(chart: Chart) -> list[Place]:
    """Every corner of everything that is drawn; of texts both ends, at least as wide as they are
    (letters that are known to be narrow).
    """
    corners: list[Place] = []
    for one in element(chart).iter():
        if one.tag == "rect":
            x, y = number(one, "x"), number(one, "y")
            corners += [(x, y), (x + number(one, "width"), y + number(one, "height"))]
        elif one.tag == "circle":
            x, y, radius = number(one, "cx"), number(one, "cy"), number(one, "r")
            corners += [(x - radius, y - radius), (x + radius, y + radius)]
        elif one.tag == "line":
            corners += [(number(one, f"x{end}"), number(one, f"y{end}")) for end in (1, 2)]
        elif one.tag == "path":
            corners += points(one)
        elif one.tag == "text":
            styles = one.attrib["class"].split()
            width = len(one.text or "") * _LETTER.get(styles[0], 6.0)
            start = number(one, "x") - {"start": 0.0, "middle": 0.5, "end": 1.0}[styles[-1]] * width
            corners += [(start, number(one, "y")), (start + width, number(one, "y"))]
    return corners


def box(chart: Chart) -> Place:
    """Width and height of the view box."""
    _, _, width, height = map(float, element(chart).attrib["viewBox"].split())
    return width, height
