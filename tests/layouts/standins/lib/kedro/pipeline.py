"""Nodes and pipelines as lists of nodes."""

from dataclasses import dataclass


@dataclass
class Node:
    """One function, and the names of what it takes and gives."""

    func: object
    inputs: list
    outputs: list


def node(func, inputs, outputs, name=None):
    return Node(func, _listed(inputs), _listed(outputs))


def _listed(names):
    return [names] if isinstance(names, str) else list(names)


def pipeline(nodes):
    return list(nodes)
