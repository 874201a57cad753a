"""The instance itself, and the token that asks."""

from __future__ import annotations

from tests.gitlab.routing import Call, RefusedError, answers
from tests.gitlab.shapes import people
from tests.standin.listening import Answer


@answers("version/get")
def version(call: Call) -> Answer:
    return Answer({"version": call.gitlab.version, "revision": "0123456789a"})


@answers("metadata/get")
def metadata(call: Call) -> Answer:
    return Answer(
        {
            "version": call.gitlab.version,
            "revision": "0123456789a",
            "kas": {"enabled": False},
            "enterprise": call.gitlab.version.endswith("-ee"),
        }
    )


@answers("tokens/self")
def token(call: Call) -> Answer:
    if call.token is None or call.token.kind == "job":
        raise RefusedError(400, "400 Bad request - This endpoint requires a personal access token")
    return Answer(people.token(call.token))
