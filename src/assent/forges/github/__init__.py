"""GitHub as a forge."""

from assent.forges.github.forge import GitHubForge

__all__ = ["GitHubForge"]
