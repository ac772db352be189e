"""The part of the loss that depends on parameters only: what it adds to the gradients, and to a step of descent."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Add, Expr, collect, expand

from ..language.indices import substitute
from ..language.nodes import Entry
from ..language.scalars import Skeleton
from ..language.tensor import Tensor
from ..present.matrix import form
from ..present.tree import Leaf
from ..present.view import View
from ..records import Equation
from .records import Block, Formula, Formulas, Paragraph
from .setting import Setting


def blocks(setting: Setting) -> tuple[Block, ...]:
    """The penalty R and its derivatives, as terms of the equations that they stand in; then the step."""
    derivation = setting.derivation
    penalty = _own(derivation.objective.rhs)
    if penalty in (0, derivation.objective.rhs):
        return ()
    total = Tensor(_unused("R", setting.view))
    lines = [_formula(setting, Equation(total, (), penalty), derivation.objective)]
    for eq, part, source in _parts(setting):
        lhs = setting.view.derivative(total, source)
        lines.append(_formula(setting, Equation(lhs, eq.indices, part), eq))
    opening = setting.words("opening.regularizers", loss=Leaf(setting.loss))
    return Paragraph(opening), Formulas(tuple(lines)), *_decay(setting)


def _decay(setting: Setting) -> tuple[Block, ...]:
    """What a step that keeps no memory makes of the penalty: weights that shrink, say."""
    update = setting.derivation.update
    if update is None or update.states or len(update.equations) != 1:
        return ()
    (step,) = update.equations
    rest = setting.view.part(setting.loss)
    lines = []
    for eq, part, source in _parts(setting):
        data = Entry(setting.view.derivative(rest, source), *eq.indices)
        old = Entry(source, *eq.indices)
        after = substitute(step.rhs, {Entry(update.theta): old, Entry(update.gradient): data + part})
        finished = form(Equation(source, eq.indices, _by(after, old)), view=setting.view)
        lhs = Leaf(source, new=True) if not finished.indexed else finished.lhs
        lines.append(Formula(f"S{eq.number}", lhs, finished.rhs))
    opening = setting.words("opening.decay", rest=Leaf(rest))
    return Paragraph(opening), Formulas(tuple(lines))


def _by(expr: Expr, entry: Entry) -> Expr:
    """The terms with an entry as one product, where they have it as a factor."""
    skeleton = Skeleton()
    scalar, symbol = skeleton.strip(expr), skeleton.symbol(entry)
    return skeleton.restore(collect(expand(scalar), symbol))


def _parts(setting: Setting) -> Iterator[tuple[Equation, Expr, Tensor]]:
    """A gradient's equation, its own part and the parameter, for all parameters in the penalty."""
    for eq in setting.derivation.gradients:
        part, source = _own(eq.rhs), setting.view.source(eq.lhs)
        if part != 0 and source is not None:
            yield eq, part, source


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
