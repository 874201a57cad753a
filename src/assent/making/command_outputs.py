"""What a command writes, as far as its words say so: options, and programs that are known.

Only what leaves no doubt counts: a file that is called written and was read would be an input
that nobody looks at.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence

import msgspec

NOTEBOOK = ".ipynb"
_WHAT = (
    r"(?:model|metrics?|predictions?|preds?|plots?|figures?|reports?|results?|scores?|weights"
    r"|notebook|json|csv|html|log|file|path)"
)
_OPTION = re.compile(
    rf"(?:log-?(?:file|path|filename)|(?:stdout|stderr)-?file"
    rf"|(?:out|output|outputs)|(?:out|output)-?{_WHAT}(?:-?(?:file|path))?"
    rf"|{_WHAT}-(?:out|output)(?:-?(?:file|path))?"
    r"|save-?(?:as|to|file|path)|write-?to|dest(?:ination)?)"
)
"""Names of options, with `-` between their words, whose value is a file that is written."""
_PAPERMILL = {
    **dict.fromkeys("-p --parameters -r --parameters_raw".split(), 2),
    **dict.fromkeys(
        "-f --parameters_file -y --parameters_yaml -b --parameters_base64 -k --kernel -l "
        "--language --cwd --engine --execution-timeout --start-timeout --start_timeout "
        "--execution_timeout --autosave-cell-every --log-level --stdout-file --stderr-file "
        "--request-save-on-cell-execute".split(),
        1,
    ),
}
"""The options of papermill that values follow, and how many."""
_ENDINGS = {
    "html": ".html", "notebook": NOTEBOOK, "markdown": ".md", "pdf": ".pdf", "webpdf": ".pdf",
    "latex": ".tex", "rst": ".rst", "slides": ".slides.html", "asciidoc": ".asciidoc",
}  # fmt: skip
"""What nbconvert writes, by its format."""
_WITHOUT_VALUE = frozenset({"--execute", "--inplace", "--allow-errors", "--stdin", "--debug", "-y"})


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What one command says that it writes: `files`, the places of the `words` that say so, and
    `rerun`, the notebooks that it executes in place.
    """

    files: tuple[str, ...] = ()
    words: tuple[int, ...] = ()
    rerun: tuple[str, ...] = ()


def wrote(words: Sequence[str]) -> Written:
    """What a command of these words writes."""
    options, program = _by_options(words), Written()
    for start, word in enumerate(words, 1):
        known = _PROGRAMS.get(posixpath.basename(word))
        if known is not None:
            program = known(words[start:])
            break
    return Written(
        files=tuple(map(posixpath.normpath, (*options.files, *program.files))),
        words=(*options.words, *(start + number for number in program.words)),
        rerun=tuple(map(posixpath.normpath, program.rerun)),
    )


def _by_options(words: Sequence[str]) -> Written:
    """`--log-file=a.log`, `--output a.json`, and Hydra's `output_file=a.json`."""
    values: dict[int, str] = {}
    for number, word in enumerate(words):
        option, sign, value = word.partition("=")
        if not _is_output(option, is_bare=bool(sign)):
            continue
        if sign and value:
            values[number] = value
        elif not sign and words[number + 1 :] and not words[number + 1].startswith("-"):
            values[number + 1] = words[number + 1]
    return Written(files=tuple(values.values()), words=tuple(values))


def _is_output(option: str, *, is_bare: bool) -> bool:
    if not (option.startswith("--") or is_bare):
        return False
    name = option.lstrip("-+").rpartition(".")[2].replace("_", "-").lower()
    return _OPTION.fullmatch(name) is not None


def _papermill(words: Sequence[str]) -> Written:
    """`papermill [options] in.ipynb out.ipynb`."""
    named: list[int] = []
    number = 0
    while number < len(words):
        if words[number].startswith("-"):
            number += _PAPERMILL.get(words[number], 0)
        else:
            named.append(number)
        number += 1
    if len(named) < 2:
        return Written()
    first, second = (posixpath.normpath(words[place]) for place in named[:2])
    if first == second:
        return Written(rerun=(first,))
    return Written(files=(second,), words=(named[1],))


def _jupyter(words: Sequence[str]) -> Written:
    """`jupyter nbconvert` and `jupyter execute`."""
    if words and words[0] in ("nbconvert", "execute"):
        return _nbconvert(words[1:], is_run=words[0] == "execute")
    return Written()


def _nbconvert(words: Sequence[str], *, is_run: bool = False) -> Written:
    given, named = _options(words)
    notebooks = [place for place in named if place.endswith(NOTEBOOK)]
    if "--inplace" in given:
        is_run |= "--execute" in given
        return Written(rerun=tuple(notebooks) if is_run else ())
    form = given.get("--to", "" if is_run else "html")
    output = given.get("--output")
    files: list[str] = []
    for notebook in notebooks:
        folder = given.get("--output-dir") or posixpath.dirname(notebook)
        stem = posixpath.basename(notebook).removesuffix(NOTEBOOK)
        ending = NOTEBOOK if is_run else _ENDINGS.get(form)
        if output is None and (is_run or ending is None):
            continue
        name = output or (f"{stem}.nbconvert" if form == "notebook" else stem)
        files.append(posixpath.join(folder, name.removesuffix(ending or "") + (ending or "")))
    only = {posixpath.normpath(file) for file in files} & {posixpath.normpath(n) for n in notebooks}
    return Written(
        files=tuple(file for file in files if posixpath.normpath(file) not in only),
        rerun=tuple(only),
    )


def _jupytext(words: Sequence[str]) -> Written:
    given, named = _options(words)
    if "--execute" not in given or "--output" in given or "-o" in given or "--to" in given:
        return Written()
    return Written(rerun=tuple(name for name in named if name.endswith(NOTEBOOK)))


def _dvc(words: Sequence[str]) -> Written:
    """`dvc add model` writes the pointer, and beside it which files Git ignores."""
    if not words or words[0] not in ("add", "commit"):
        return Written()
    _, named = _options(words[1:])
    places = [posixpath.normpath(name) for name in named]
    pointers = [place if place.endswith(".dvc") else f"{place}.dvc" for place in places]
    ignored = [posixpath.join(posixpath.dirname(place), ".gitignore") for place in places]
    told = [number for number, word in enumerate(words) if word.endswith(".dvc")]
    return Written(files=(*pointers, *ignored), words=tuple(told))


def _options(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Options with their values, and the rest of the words."""
    given: dict[str, str] = {}
    named: list[str] = []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        option, sign, value = word.partition("=")
        if not word.startswith("-"):
            named.append(word)
        elif sign or option in _WITHOUT_VALUE:
            given[option] = value
        elif option in ("--to", "--output", "--output-dir", "-o", "-j", "--jobs", "-r", "--desc"):
            given[option] = waiting.pop(0) if waiting else ""
        else:
            given[option] = ""
    return given, named


_PROGRAMS: dict[str, Callable[[Sequence[str]], Written]] = {
    "papermill": _papermill,
    "jupyter": _jupyter,
    "jupyter-nbconvert": _nbconvert,
    "nbconvert": _nbconvert,
    "jupytext": _jupytext,
    "dvc": _dvc,
}
