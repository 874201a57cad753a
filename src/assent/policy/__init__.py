"""Diff and evidence against the rules: findings, and from them a verdict. Pure."""
