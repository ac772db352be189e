"""Simplify a derivation: the textbook's form to print, and a form safe in floating point to compute."""

from __future__ import annotations

from dataclasses import replace

from ..records import Derivation, Equation, Step, Update
from .compute import definitions_of, with_computed
from .tidy import tidy


def simplify(derivation: Derivation, update: Update | None = None) -> Derivation:
    """Every equation tidied, given its computed form, and numbered in the order in which it is printed."""
    definitions = definitions_of(derivation.forward)
    steps: list[Step] = list(derivation.steps)
    count = 0

    def finish(eq: Equation, shorten: bool) -> Equation:
        nonlocal count
        count += 1
        if shorten:
            eq, done = tidy(eq)
            steps.extend(done)
        eq, done = with_computed(eq, definitions)
        steps.extend(done)
        return replace(eq, number=count)

    return Derivation(
        derivation.system,
        tuple(finish(eq, False) for eq in derivation.forward),
        finish(derivation.objective, False),
        tuple(finish(eq, True) for eq in derivation.adjoints),
        tuple(finish(eq, True) for eq in derivation.gradients),
        tuple(steps),
        update,
    )
