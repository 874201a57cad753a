"""Sessions that take a login nowhere else."""

from __future__ import annotations

from urllib.parse import urlsplit

import requests


class Session(requests.Session):
    """A session as `requests` has it, but for redirects: whoever is sent on to another server takes
    no login along, none of `.netrc` either, and goes nowhere where all can read what is said.
    """

    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        """Leave the login behind."""
        old, new = response.request.url or "", prepared_request.url or ""
        if self.should_strip_auth(old, new):
            prepared_request.headers.pop("Authorization", None)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Where an answer leads. Raises `RequestException` where all can read what is said."""
        target = super().get_redirect_target(resp)
        if target and resp.url.startswith("https:") and urlsplit(target).scheme == "http":
            raise requests.exceptions.InvalidSchema("it leads to an address that is not secret")
        return target
