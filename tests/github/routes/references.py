"""References of the Git database."""

from __future__ import annotations

from tests.github.routing import Call, RefusedError, answers
from tests.github.shapes import commits
from tests.standin.listening import Answer


@answers("git/get-ref", "contents")
def one(call: Call) -> Answer:
    ref = f"refs/{call.in_path['ref']}"
    sha = call.repository.find(ref)
    if sha is None:
        raise RefusedError(404)
    return Answer(commits.reference(call.where, call.repository, ref, sha))


@answers("git/create-ref", "contents", level="write")
def create(call: Call) -> Answer:
    ref, sha = str(call.body["ref"]), str(call.body["sha"])
    if not ref.startswith("refs/") or ref.count("/") < 2:
        raise RefusedError(422, "Reference name must start with 'refs/'")
    if call.repository.find(ref) is not None:
        raise RefusedError(422, "Reference already exists")
    if len(sha) != 40 or call.repository.find(sha) is None:
        raise RefusedError(422, "Object does not exist")
    if ref.startswith("refs/heads/"):
        call.repository.set_branch(ref.removeprefix("refs/heads/"), sha)
    else:
        call.repository.objects.set_ref(ref, sha)
    return Answer(commits.reference(call.where, call.repository, ref, sha), 201)
