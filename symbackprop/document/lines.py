"""Lines of an explanation: equations as trees, in matrices or entry by entry, with the rules that lead to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sympy import Expr, Mul

from ..language.indices import canonical
from ..language.nodes import Entry, Index, Sum
from ..language.tensor import Tensor
from ..present.functions import name_sigmoid
from ..present.indexed import LETTERS, IndexBuilder
from ..present.matrix import form
from ..present.terms import Term
from ..present.tree import Leaf, Node, Partial, Through
from ..present.view import View
from ..present.words import Sentence
from ..records import Equation
from .handovers import Axes, Handover, axes_of, tidied
from .records import Formula
from .setting import shape_of

Sides = tuple[Node, Node]
"""A left side and a right side."""


@dataclass(frozen=True, slots=True)
class Line:
    """A formula without its number: both sides, the rules that lead to it, remarks."""

    sides: Sides
    rules: tuple[Sentence, ...]
    remarks: tuple[Sentence, ...] = ()


class StepBuilder(IndexBuilder):
    """Index forms in which entries of some tensors are derivatives of one tensor by another one."""

    def __init__(self, free: Iterable[Index], expr: Expr, view: View, jacobians: dict[Tensor, tuple[Tensor, Tensor]]):
        self.jacobians = jacobians
        super().__init__(free, expr, "", view)
        self.taken -= {t.name for t in jacobians}

    def _letter(self, index: Index) -> str:
        """A second sample is m, where that is not the number of samples."""
        letter = super()._letter(index)
        sample = index.dim is not None and index.dim.size is None
        used = {*self.taken, *self.letters.values(), self.view.batch}
        return "m" if sample and letter in LETTERS.replace("i", "") and "m" not in used else letter

    def entry(self, entry: Entry, axes: Axes) -> Term:
        """An entry, or a derivative of one entry by another."""
        if entry.tensor not in self.jacobians:
            return super().entry(entry, axes)
        of, by = self.jacobians[entry.tensor]
        split = len(of.dims)
        return Term(numerator=(self.partial(Entry(of, *entry.indices[:split]), Entry(by, *entry.indices[split:])),))

    def partial(self, of: Entry, by: Entry) -> Partial:
        """The derivative of one entry by another."""
        return Partial(self.node(of), self.node(by))

    def node(self, expr: Expr) -> Node:
        """The printed form of an expression."""
        return self.term(name_sigmoid(expr), ()).node()


def in_matrices(equation: Equation, view: View) -> Sides:
    """An equation in the notation's quantities, in matrix form where it has one."""
    made = form(view.shown(equation), view=view)
    return made.lhs, made.rhs


def by_entries(equation: Equation, view: View) -> Sides:
    """An equation in the notation's quantities, in index form."""
    shown = view.shown(equation)
    builder = StepBuilder(shown.indices, shown.rhs, view, {})
    return builder.node(Entry(shown.lhs, *shown.indices)), builder.node(shown.rhs)


def chain_rule(handover: Handover, derivatives: tuple[Tensor, Tensor], view: View) -> Sides:
    """dL/dT as the sum of dL/dY dY/dT over all entries of Y; `derivatives` are the tensors of dL/dT and dL/dY."""
    by, of = handover.chains[0].source, handover.through
    jacobian, own = Tensor(f"d{of.name}/d{by.name}", (*of.dims, *by.dims)), axes_of(of, "i")
    terms = Mul(Entry(derivatives[1], *own), Entry(jacobian, *own, *handover.wanted))
    total = canonical(Sum.raw(terms, own)) if own else terms
    shown = view.shown(Equation(derivatives[0], handover.wanted, total))
    builder = StepBuilder(shown.indices, shown.rhs, view, {jacobian: (of, by)})
    return builder.node(Entry(shown.lhs, *shown.indices)), builder.node(shown.rhs)


def jacobian(handover: Handover, view: View, field: str = "factor") -> tuple[Sides, Expr]:
    """d(left side)/d(tensor) for all entries, Kronecker's deltas as brackets; and the right side's expression."""
    own = axes_of(handover.through, "i")
    expr = tidied(handover.jacobian(own, field))
    builder = StepBuilder((*handover.wanted, *own), expr, view, {})
    source = Entry(handover.chains[0].source, *handover.wanted)
    return (builder.partial(Entry(handover.through, *own), source), builder.node(expr)), expr


def local_derivative(handover: Handover, view: View) -> tuple[Sides, Expr]:
    """The derivative where it is not 0: of whole tensors entry by entry, or by the entry that is read."""
    local = handover.local()
    if local is None:
        return jacobian(handover, view)
    free, entry, expr = local
    if handover.is_entrywise:
        made = form(Equation(another(handover.through), handover.indices, expr), view=view)
        if not made.indexed:
            return (Partial(Leaf(handover.through), Leaf(entry.tensor)), made.rhs), expr
    builder = StepBuilder(free, Mul(expr, entry, evaluate=False), view, {})
    return (builder.partial(Entry(handover.through, *handover.indices), entry), builder.node(expr)), expr


def another(tensor: Tensor) -> Tensor:
    """Another tensor of the same shape."""
    return Tensor(f"d{tensor.name}", tensor.dims)


def through(sides: Sides, number: int) -> Sides:
    """The part of a derivative that comes through one equation."""
    return Through(sides[0], str(number)), sides[1]


def without_repetitions(lines: Sequence[Line]) -> list[Line]:
    """The lines without those that look like the next one, which takes over their rules and remarks."""
    kept: list[Line] = []
    for line in lines:
        same = [kept.pop()] if kept and kept[-1].sides == line.sides else []
        rules = dict.fromkeys(rule for one in (*same, line) for rule in one.rules)
        remarks = dict.fromkeys(remark for one in (*same, line) for remark in one.remarks)
        kept.append(Line(line.sides, tuple(rules), tuple(remarks)))
    return kept


def formula(line: Line, number: str, code: int, view: View) -> Formula:
    """The line with its number and the sizes of its left side."""
    lhs, rhs = line.sides
    shape = shape_of(lhs.tensor, view) if isinstance(lhs, Leaf) else ()
    return Formula(number, lhs, rhs, shape, joined(line.rules), line.remarks, code)


def joined(rules: Iterable[Sentence]) -> Sentence:
    """Rules one after the other."""
    return tuple(piece for rule in rules for piece in ("; ", *rule))[1:]
