"""Times as GitLab writes them, made comparable."""

from __future__ import annotations

from functools import partial

from assent.forges import timestamps

timestamp = partial(timestamps.timestamp, of="GitLab")
"""See there. GitLab writes times in the zone of its server."""
