"""What floating point computes where that is another form than the one printed: a section of its own."""

from __future__ import annotations

from collections.abc import Iterator

from ..present.matrix import form
from ..present.notes import sentence
from ..records import Equation
from ..simplify.compute import STABLE
from .lines import joined
from .records import Block, Derived, Formula, Paragraph
from .setting import Setting


def blocks(setting: Setting) -> tuple[Block, ...]:
    """Every equation with another form for floating point, in that form: (F7) for (7)."""
    if setting.level == "summary":
        return ()
    lines = tuple(line for eq in _equations(setting) for line in computed(setting, eq))
    if not lines:
        return ()
    words, first = setting.words, lines[0].code
    opening = words("opening.computed", form=f"({lines[0].number})", equation=f"({first})")
    replaced = ", ".join(f"({line.code})" for line in lines)
    return Paragraph(opening), Derived(words("steps.computed", equations=replaced), lines)


def computed(setting: Setting, equation: Equation) -> tuple[Formula, ...]:
    """The equation in the form that is computed, with the rules that lead to it; none where that is the printed one."""
    shown, view = setting.view.shown(equation), setting.view
    if shown.computed is None:
        return ()
    steps = (s for s in setting.derivation.steps if s.tensor == equation.lhs.name and s.after == equation.computed)
    rules = next((s.rules for s in steps if STABLE in s.rules), ())
    named = joined(sentence(note, setting.words, view) for note in rules if note != STABLE)
    finished = form(shown, shown.computed, view)
    return (Formula(f"F{equation.number}", finished.lhs, finished.rhs, rule=named, code=equation.number),)


def _equations(setting: Setting) -> Iterator[Equation]:
    derivation = setting.derivation
    trained = (*derivation.forward, derivation.objective, *derivation.adjoints, *derivation.gradients)
    numbers = {eq.number for eq in trained}
    yield from trained
    yield from (eq for eq in derivation.inference or () if eq.number not in numbers)
