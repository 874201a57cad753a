"""Many writers at once, each a process with a clone of its own and all with one bare repository on
this disk, against as many loops of Git that fetch, commit and push until nobody else was first.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.context import Context
from benchmarks.figures import Figure, against, plain
from benchmarks.measure import Command, in_turns, ratio
from benchmarks.project import MODEL, Project, assent_words
from benchmarks.small import SmallProject, small_project

LIMIT, WRITERS, QUICK_WRITERS = 1.5, 32, 8
_LOOP = """\
until
    git fetch --quiet origin main && git reset --quiet --hard FETCH_HEAD && date +%N >>changed &&
    git commit --quiet --all --message change && git push --quiet origin HEAD:main
do :
done
"""
_CROWD = """\
for folder in {folders}; do
    (cd "$folder" && {words}) >"$folder.said" 2>&1 &
    started="$started $!"
done
for one in $started; do
    wait "$one" || exit 1
done
"""


def measure(context: Context) -> Iterator[Figure]:
    count = QUICK_WRITERS if context.is_quick else WRITERS
    rounds = context.rounds(5, quick=2)
    project = small_project(context.folder / "ours", context.env, candidates=1)
    project.start()
    floor = _floor(context.folder / "floor", context.env)
    note = shlex.join(assent_words("note", "an alert"))
    before = _entries(project)
    samples = in_turns(
        {
            "floor": _crowd(floor, count, _LOOP),
            "assent": _crowd(project, count, note),
        },
        rounds,
    )
    written = _entries(project) - before
    if written != count * (rounds + 1):
        raise RuntimeError(f"{written} entries were written, not {count * (rounds + 1)}")
    yield plain("writers", f"floor: {count} loops of git fetch, commit, push", samples["floor"])
    held = ratio(samples["assent"], samples["floor"])
    what = f"{count} of {count} writers, `assent note`"
    yield against("writers", what, samples["assent"], "the loops", held, LIMIT)


def _floor(folder: Path, env: dict[str, str]) -> Project:
    floor = Project(folder, env)
    floor.create()
    floor.write(changed="")
    floor.commit("start")
    return floor


def _crowd(project: Project, count: int, words: str) -> Command:
    """As many clones, and the command that has them all write at once."""
    places = project.folder.with_name(f"{project.folder.name}-crowd")
    places.mkdir()
    for number in range(count):
        project.git("clone", "--quiet", project.address, str(places / f"clone{number}"))
        _share(project, places / f"clone{number}")
    folders = " ".join(f"clone{number}" for number in range(count))
    script = _CROWD.format(folders=folders, words=words)
    return Command(["sh", "-c", script], places, project.env)


def _share(project: Project, clone: Path) -> None:
    """Let a clone have the store of the project, which is in the working tree."""
    if isinstance(project, SmallProject):
        (clone / ".assent").mkdir()
        (clone / ".assent/store").symlink_to(project.folder / ".assent/store")


def _entries(project: Project) -> int:
    words = ["git", "-C", str(project.remote), "rev-list", "--count", f"assent/{MODEL}"]
    return int(subprocess.run(words, check=True, capture_output=True).stdout)
