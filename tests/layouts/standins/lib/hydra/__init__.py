"""Stands in for Hydra: composes the configuration of `defaults`, and stays where it is."""

import inspect
import sys
from pathlib import Path
from types import SimpleNamespace

import yaml


def main(version_base="", config_path=None, config_name=None):
    def decorate(function):
        def call():
            folder = Path(inspect.getfile(function)).parent / (config_path or ".")
            values = compose(folder, config_name)
            for word in sys.argv[1:]:
                name, _, value = word.partition("=")
                put(values, name.split("."), yaml.safe_load(value))
            return function(spaced(values))

        return call

    return decorate


def compose(folder, name):
    own = yaml.safe_load((folder / f"{name.removesuffix('.yaml')}.yaml").read_text())
    values = {}
    for item in own.pop("defaults", []):
        for group, choice in item.items() if isinstance(item, dict) else []:
            values[group] = yaml.safe_load((folder / group / f"{choice}.yaml").read_text())
    return {**values, **own}


def put(values, names, value):
    for name in names[:-1]:
        values = values.setdefault(name, {})
    values[names[-1]] = value


def spaced(value):
    if isinstance(value, dict):
        return SimpleNamespace(**{key: spaced(its) for key, its in value.items()})
    return value
