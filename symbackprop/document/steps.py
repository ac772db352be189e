"""How a backward equation comes about, step by step, in three levels."""

from __future__ import annotations

from ..errors import PresentationError, did_you_mean
from ..present.matrix import form
from ..present.view import View
from ..present.words import Words
from ..records import Derivation, Equation
from .records import Derived, Formula

LEVELS = ("summary", "steps", "every-index")
"""The equation alone; the steps that lead to it, in matrices; every step entry by entry first."""


def explained(derivation: Derivation, equation: Equation, view: View, words: Words, level: str) -> Derived:
    """How one adjoint or gradient equation of a derivation comes about; the last line is the equation itself."""
    if level not in LEVELS:
        raise PresentationError(f"unknown level {level!r}.{did_you_mean(level, LEVELS)}")
    finished = form(view.shown(equation), view=view)
    last = Formula(str(equation.number), finished.lhs, finished.rhs, code=equation.number)
    return Derived(words("heading.derivative", equation=f"({equation.number})"), (last,))


def computed_step(equation: Equation, view: View, words: Words) -> Formula | None:
    """The form of an equation that is computed in floating point, where it is another than the printed one."""
    if equation.computed is None:
        return None
    made = form(equation, equation.computed, view)
    return Formula("", made.lhs, made.rhs, code=equation.number)
