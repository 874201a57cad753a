"""Stores: where the bytes of bundles lie. One file per kind of place."""
