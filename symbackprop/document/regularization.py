"""The part of the loss that depends on parameters only, and what it adds to the gradients."""

from __future__ import annotations

from sympy import Add, Expr

from ..language.nodes import Entry
from ..language.tensor import Tensor
from ..present.matrix import form
from ..present.tree import Leaf
from ..present.view import View
from ..records import Equation
from .records import Block, Formula, Formulas, Paragraph
from .setting import Setting


def blocks(setting: Setting) -> tuple[Block, ...]:
    """The penalty R and its derivatives, as terms of the equations that they stand in."""
    derivation = setting.derivation
    penalty = _own(derivation.objective.rhs)
    if penalty in (0, derivation.objective.rhs):
        return ()
    total = Tensor(_unused("R", setting.view))
    lines = [_formula(setting, Equation(total, (), penalty), derivation.objective)]
    for eq in derivation.gradients:
        part = _own(eq.rhs)
        if part != 0:
            source = setting.view.source(eq.lhs)
            assert source is not None
            lhs = setting.view.derivative(total, source)
            lines.append(_formula(setting, Equation(lhs, eq.indices, part), eq))
    return Paragraph(setting.words("opening.regularizers", loss=Leaf(setting.loss))), Formulas(tuple(lines))


def _formula(setting: Setting, part: Equation, whole: Equation) -> Formula:
    shown = form(setting.view.shown(part), view=setting.view)
    return Formula(f"R{whole.number}", shown.lhs, shown.rhs, code=whole.number)


def _own(expr: Expr) -> Expr:
    """The terms of parameters and numbers only."""
    return Add(*(term for term in Add.make_args(expr) if _is_own(term)))


def _is_own(term: Expr) -> bool:
    kinds = {entry.tensor.kind for entry in term.atoms(Entry)}
    return "parameter" in kinds and kinds <= {"parameter", "hyper"}


def _unused(name: str, view: View) -> str:
    taken = {t.name for t in view.tensors}
    while name in taken:
        name += "_"
    return name
