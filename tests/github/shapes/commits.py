"""Commits, files and what Git itself has."""

from __future__ import annotations

import base64
from typing import Any

from tests.github.accounts import Account
from tests.github.repository import Repository
from tests.github.shapes import people
from tests.github.shapes.addresses import Addresses, stamp
from tests.standin.objects import Changed, Item, Signature

Json = dict[str, Any]


def verification() -> Json:
    return {
        "verified": False,
        "reason": "unsigned",
        "signature": None,
        "payload": None,
        "verified_at": None,
    }


def commit(where: Addresses, repository: Repository, sha: str) -> Json:
    """A commit with the accounts that its addresses belong to; null where there is none."""
    found = repository.objects.commit(sha)
    url = where.repo(repository, f"/commits/{sha}")
    tree_url = where.repo(repository, f"/git/trees/{found.tree}")
    return {
        "sha": sha,
        "node_id": f"C_{sha}",
        "commit": {
            "author": signature(found.author),
            "committer": signature(found.committer),
            "message": found.message,
            "tree": {"sha": found.tree, "url": tree_url},
            "url": where.repo(repository, f"/git/commits/{sha}"),
            "comment_count": 0,
            "verification": verification(),
        },
        "url": url,
        "html_url": where.page(repository, f"/commit/{sha}"),
        "comments_url": f"{url}/comments",
        "author": mapped(where, repository.github.mapped(found.author.email)),
        "committer": mapped(where, repository.github.mapped(found.committer.email)),
        "parents": [
            {
                "sha": one,
                "url": where.repo(repository, f"/commits/{one}"),
                "html_url": where.page(repository, f"/commit/{one}"),
            }
            for one in found.parents
        ],
    }


def mapped(where: Addresses, account: Account | None) -> Json | None:
    return people.user(where, account) if account else None


def signature(found: Signature) -> Json:
    return {"name": found.name, "email": found.email, "date": stamp(found.at)}


def changed_commit(where: Addresses, repository: Repository, sha: str, files: list[Json]) -> Json:
    """A commit with its files, as asking for one commit gives it."""
    added = sum(one["additions"] for one in files)
    removed = sum(one["deletions"] for one in files)
    stats = {"total": added + removed, "additions": added, "deletions": removed}
    return {**commit(where, repository, sha), "stats": stats, "files": files}


def plain_commit(where: Addresses, repository: Repository, sha: str) -> Json:
    """A commit as the Git database has it."""
    found = repository.objects.commit(sha)
    shown = commit(where, repository, sha)
    return {
        "sha": sha,
        "node_id": shown["node_id"],
        "url": shown["commit"]["url"],
        "html_url": shown["html_url"],
        "author": signature(found.author),
        "committer": signature(found.committer),
        "tree": shown["commit"]["tree"],
        "message": found.message,
        "parents": shown["parents"],
        "verification": verification(),
    }


def reference(where: Addresses, repository: Repository, ref: str, sha: str) -> Json:
    return {
        "ref": ref,
        "node_id": f"REF_{ref}",
        "url": where.repo(repository, f"/git/{ref}"),
        "object": {
            "sha": sha,
            "type": "commit",
            "url": where.repo(repository, f"/git/commits/{sha}"),
        },
    }


def changed(where: Addresses, repository: Repository, sha: str, found: Changed) -> Json:
    """One file of a change."""
    shown = {
        "sha": found.sha,
        "filename": found.path,
        "status": found.status,
        "additions": found.added,
        "deletions": found.removed,
        "changes": found.added + found.removed,
        "blob_url": where.page(repository, f"/blob/{sha}/{found.path}"),
        "raw_url": where.page(repository, f"/raw/{sha}/{found.path}"),
        "contents_url": where.repo(repository, f"/contents/{found.path}?ref={sha}"),
    }
    return {**shown, "previous_filename": found.old_path} if found.old_path else shown


def content_item(where: Addresses, repository: Repository, ref: str, found: Item) -> Json:
    """A name in a folder."""
    kind = {"120000": "symlink", "160000": "submodule", "040000": "dir"}.get(found.mode, "file")
    place = "trees" if kind == "dir" else "blobs"
    url = where.repo(repository, f"/contents/{found.path}?ref={ref}")
    git_url = where.repo(repository, f"/git/{place}/{found.sha}")
    html_url = where.page(repository, f"/blob/{ref}/{found.path}")
    return {
        "name": found.path.rpartition("/")[2],
        "path": found.path,
        "sha": found.sha,
        "size": found.size,
        "type": kind,
        "url": url,
        "git_url": git_url,
        "html_url": html_url,
        "download_url": None,
        "_links": {"self": url, "git": git_url, "html": html_url},
    }


def content(where: Addresses, repository: Repository, ref: str, found: Item) -> Json:
    """A file with its bytes. From 1 MB on the API leaves the bytes out, and says so by the
    encoding.
    """
    shown = content_item(where, repository, ref, found)
    data = repository.objects.blob(found.sha)
    if shown["type"] == "symlink":
        return {**shown, "target": data.decode()}
    if len(data) > 1_000_000:
        return {**shown, "encoding": "none", "content": ""}
    return {**shown, "encoding": "base64", "content": base64.encodebytes(data).decode()}
