"""Files of the repository."""

from __future__ import annotations

from tests.gitlab.routing import Call, answers, not_found
from tests.gitlab.shapes import commits
from tests.standin.listening import Answer
from tests.standin.objects import GitRefusedError, Item


def _file(call: Call) -> tuple[Item, str]:
    sha = call.project.find(call.text("ref", "HEAD"))
    if sha is None:
        raise not_found("Commit")
    try:
        item = call.project.objects.item(sha, call.in_path["file_path"])
    except GitRefusedError:
        item = None
    if item is None or item.kind != "blob":
        raise not_found("File")
    return item, sha


@answers("files/get", "reporter")
def one(call: Call) -> Answer:
    item, sha = _file(call)
    content = call.project.objects.blob(item.sha)
    return Answer(commits.file(item, content, call.text("ref"), sha))


@answers("files/raw", "reporter", is_for_jobs=True)
def raw(call: Call) -> Answer:
    item, _ = _file(call)
    content = call.project.objects.blob(item.sha)
    return Answer(content, headers={"Content-Type": "text/plain"})


@answers("files/tree", "reporter")
def tree(call: Call) -> Answer:
    sha = call.project.find(call.text("ref"))
    if sha is None:
        raise not_found("Tree")
    try:
        items = call.project.objects.folder_items(sha, call.text("path"))
    except GitRefusedError:
        items = []
    if not items:
        raise not_found("invalid revision or path Tree" if call.text("path") else "Tree")
    return call.page(items, commits.tree_item, identity=lambda one: one.sha)
