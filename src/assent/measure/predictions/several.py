"""Values that hold several labels at once: the metrics of classes say nothing of them."""

from __future__ import annotations

import re
from collections.abc import Collection

from assent.measure.predictions.limits import MAX_TEXT

LONG_FORM = (
    "write one row for each example and label, with an id of both (`17/cat`), 1 or 0 as label and "
    "prediction, `group` the example, and `slices` the label"
)
"""How predictions of several labels are read: everything is there, and each label is a slice."""
_NUMBERS = r"-?[\d.]+ (?:[\s,]+ -?[\d.]+)+ ,?"
_LIST = re.compile(
    r"""\s*(?:array|set|frozenset)?\(?\s*
    (?: [\[{(] \s* ["'].*["'] \s* ,? \s* [\]})]    # quoted, one or more
    | [\[{] [^\[\]{}]* , [^\[\]{}]* [\]}]            # with a comma
    | [\[{] \s* NUMBERS \s* [\]}] | \( \s* NUMBERS \s* \)
    ) \s*\)?\s*""".replace("NUMBERS", _NUMBERS),
    re.DOTALL | re.VERBOSE,
)
_OF_EACH = re.compile(r"[01](?: ?[;| ] ?[01])+|[01](?:, ?[01]){2,}")
"""Whether each label is there: `1;0;1`. Of two with a comma between them nobody can tell."""
_SIGNS = ("|", ";", ",", "+", " ")


def several_labels(values: Collection[str]) -> str | None:
    """A value that is several labels, or None if none is: a list as JSON, Python or NumPy writes
    it, a 1 or 0 for each label (`1;0;1`), or classes with a sign between them that each stand alone
    elsewhere (`cat|dog` beside `cat` and `dog`). A class that is called `animal|dog` where no
    `animal` is remains one, and so does `[UNK]`.
    """
    lists = [value for value in values if len(value) <= MAX_TEXT and _is_list(value)]
    if lists:
        return min(lists)
    known = {value.strip() for value in values}
    return min((value for value in values if _is_put_together(value, known)), default=None)


def _is_list(value: str) -> bool:
    return bool(_LIST.fullmatch(value) or _OF_EACH.fullmatch(value.strip()))


def _is_put_together(value: str, known: Collection[str]) -> bool:
    splits = ([part.strip() for part in value.split(sign)] for sign in _SIGNS if sign in value)
    return any(len(set(parts)) > 1 and all(part in known for part in parts) for parts in splits)
