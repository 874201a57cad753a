"""Where changes are reviewed: one adapter per forge."""
