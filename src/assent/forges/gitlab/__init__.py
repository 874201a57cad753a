"""GitLab as a forge."""

from assent.forges.gitlab.forge import GitLabForge

__all__ = ["GitLabForge"]
