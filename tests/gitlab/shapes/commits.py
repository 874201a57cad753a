"""Commits, branches, files, and the statuses of commits. A commit names no account."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from tests.gitlab.pipelines import Job
from tests.gitlab.project import Project
from tests.gitlab.records import Status
from tests.gitlab.shapes import people
from tests.gitlab.shapes.addresses import Addresses, commit_stamp, stamp, stamp_or_null
from tests.standin.objects import Item

Json = dict[str, Any]


def commit(where: Addresses, project: Project, sha: str) -> Json:
    found = project.objects.commit(sha)
    lines = found.message.splitlines() or [""]
    return {
        "id": sha,
        "short_id": sha[:8],
        "created_at": commit_stamp(found.committer.at),
        "parent_ids": list(found.parents),
        "title": lines[0],
        "message": found.message,
        "author_name": found.author.name,
        "author_email": found.author.email,
        "authored_date": commit_stamp(found.author.at),
        "committer_name": found.committer.name,
        "committer_email": found.committer.email,
        "committed_date": commit_stamp(found.committer.at),
        **trailers(lines),
        "web_url": where.page(project, f"/commit/{sha}"),
    }


def trailers(lines: list[str]) -> Json:
    """GitLab gives the last value of each trailer, and all of them beside it."""
    last: dict[str, str] = {}
    every: dict[str, list[str]] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(": ")
        if colon and name and " " not in name:
            last[name] = value
            every.setdefault(name, []).append(value)
    return {"trailers": last, "extended_trailers": every}


def branch(where: Addresses, project: Project, name: str, sha: str, *, can_push: bool) -> Json:
    protection = project.protection(name)
    return {
        "name": name,
        "commit": commit(where, project, sha),
        "merged": False,
        "protected": protection is not None,
        "developers_can_push": protection is not None and protection.push_level == 30,
        "developers_can_merge": protection is not None and protection.merge_level == 30,
        "can_push": can_push,
        "default": name == project.default_branch,
        "web_url": where.page(project, f"/tree/{name}"),
    }


def file(item: Item, content: bytes, ref: str, sha: str) -> Json:
    return {
        "file_name": item.path.rpartition("/")[2],
        "file_path": item.path,
        "size": len(content),
        "encoding": "base64",
        "content": base64.b64encode(content).decode(),
        "content_sha256": hashlib.sha256(content).hexdigest(),
        "ref": ref,
        "blob_id": item.sha,
        "commit_id": sha,
        "last_commit_id": sha,
        "execute_filemode": item.mode == "100755",
    }


def diffs(project: Project, old: str, new: str) -> list[Json]:
    """Which files differ; not how."""
    return [
        {"old_path": one.old_path or one.path, "new_path": one.path}
        for one in project.objects.changed(old, new)
    ]


def tree_item(item: Item) -> Json:
    name = item.path.rpartition("/")[2]
    return {"id": item.sha, "name": name, "type": item.kind, "path": item.path, "mode": item.mode}


def status(where: Addresses, found: Status | Job) -> Json:
    """A status. Jobs are among them, whatever they are called: look at who wrote one."""
    shown: Json = {
        "id": found.id,
        "sha": found.pipeline.sha,
        "ref": found.pipeline.ref,
        "status": found.status if isinstance(found, Job) else found.state,
        "name": found.name,
        "created_at": stamp(found.created_at),
        "started_at": stamp_or_null(found.started_at),
        "finished_at": stamp_or_null(found.finished_at),
        "allow_failure": False,
        "pipeline_id": found.pipeline.id,
    }
    if isinstance(found, Job):
        page = where.page(found.pipeline.project, f"/jobs/{found.id}")
        author = people.short(where, found.user)
        return {
            **shown,
            "target_url": page,
            "description": None,
            "coverage": None,
            "author": author,
        }
    return {
        **shown,
        "target_url": found.target_url,
        "description": found.description,
        "coverage": found.coverage,
        "author": people.short(where, found.author),
    }
