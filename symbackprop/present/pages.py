"""A derivation cut into sections of finished lines, for every printer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import sympy as sp
from sympy import Expr, Piecewise, sign

from ..language.affine import coefficients
from ..language.nodes import Entry, Lowest, NextEntry, Padded
from ..language.tensor import Tensor
from ..records import Derivation, Equation, Note, Update
from .matrix import Form, form
from .notes import SIGMA
from .tree import Apply, Leaf, Node, walk


@dataclass(frozen=True, slots=True)
class Line:
    """One equation: its printed form, the computed one where it differs, shape, number (0: none) and remarks."""

    form: Form
    computed: Form | None
    shape: str
    number: int
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a derivation, with the update's record where it is the update."""

    name: str
    lines: tuple[Line, ...]
    update: Update | None = None

    def nodes(self) -> Iterator[Node]:
        """Every node of every right side."""
        for line in self.lines:
            yield from walk(line.form.rhs)


def sections(derivation: Derivation) -> tuple[Section, ...]:
    """Forward, loss, backward, gradients, what differs in prediction, updates; empty ones are left out."""
    kinks = kinked(derivation)
    made = [
        Section("forward", tuple(_line(eq, frozenset()) for eq in derivation.forward)),
        Section("loss", (_line(derivation.objective, frozenset()),)),
        Section("backward", tuple(_line(eq, kinks) for eq in derivation.adjoints)),
        Section("gradients", tuple(_line(eq, kinks) for eq in derivation.gradients)),
        Section("prediction", tuple(_line(eq, frozenset()) for eq in _only_inference(derivation))),
        Section("states", tuple(map(_renewed, derivation.updates))),
    ]
    if derivation.update is not None:
        made.append(_update(derivation.update))
    return _sigma_explained([s for s in made if s.lines])


def notes_of(eq: Equation, derivation: Derivation) -> tuple[Note, ...]:
    """The remarks on an equation of a derivation."""
    backward = eq in derivation.adjoints or eq in derivation.gradients
    return remarks_on(eq, kinked(derivation) if backward else frozenset())


def remarks_on(eq: Equation, kinks: frozenset[Tensor]) -> tuple[Note, ...]:
    """The remarks on an equation; `kinks` as `kinked` finds them where it is one of the backward pass, else none."""
    return tuple(dict.fromkeys((*eq.notes, *_kink_notes(eq.rhs, kinks), *_outside_notes(eq.rhs))))


def _line(eq: Equation, kinks: frozenset[Tensor]) -> Line:
    computed = None if eq.computed is None else form(eq, eq.computed)
    return Line(form(eq), computed, eq.lhs.shape_text if eq.lhs.dims else "", eq.number, remarks_on(eq, kinks))


def _renewed(eq: Equation) -> Line:
    line = _line(eq, frozenset())
    return line if line.form.indexed else replace(line, form=replace(line.form, lhs=Leaf(eq.lhs, new=True)))


def _only_inference(derivation: Derivation) -> tuple[Equation, ...]:
    """The equations of the other mode that the training mode has not."""
    numbers = {eq.number for eq in (*derivation.forward, derivation.objective)}
    return tuple(eq for eq in derivation.inference or () if eq.number not in numbers)


def _sigma_explained(made: list[Section]) -> tuple[Section, ...]:
    for place, section in enumerate(made):
        for row, line in enumerate(section.lines):
            if any(isinstance(n, Apply) and n.function == "sigma" for n in walk(line.form.rhs)):
                noted = replace(line, notes=(*line.notes, SIGMA))
                made[place] = replace(section, lines=(*section.lines[:row], noted, *section.lines[row + 1 :]))
                return tuple(made)
    return tuple(made)


def kinked(derivation: Derivation) -> frozenset[Tensor]:
    """Tensors at which some forward equation has a kink: inside max, min or |.|, or where branches meet."""
    found: set[Tensor] = set()
    for eq in (*derivation.forward, derivation.objective):
        for node in eq.rhs.atoms(sp.Max, sp.Min, sp.Abs, Piecewise):
            if isinstance(node, Piecewise) and all(value.is_number for value, _ in node.args):
                continue
            found |= {e.tensor for e in node.atoms(Entry)}
    return frozenset(found)


def _kink_notes(rhs: Expr, kinks: frozenset[Tensor]) -> list[Note]:
    """What a derivative is where it jumps: sign(0) = 0, and the value of the branch that holds at the border."""
    values: set[float] = set()
    for node in _outermost(rhs):
        if not {e.tensor for e in node.atoms(Entry)} & kinks:
            continue
        if isinstance(node, sign):
            values.add(0.0)
        elif len(node.args) == 2 and all(value.is_number for value, _ in node.args):
            (one, condition), (other, _) = node.args
            strict = isinstance(condition, (sp.StrictGreaterThan, sp.StrictLessThan))
            values.add(float(other if strict else one))
    return [Note("kink", value=value) for value in sorted(values)]


def _outside_notes(rhs: Expr) -> list[Note]:
    """That entries are read beyond a tensor's ends, and that some are read at no whole number."""
    padded = rhs.atoms(Padded)
    whole = all(c.is_integer for e in padded for i in e.indices for c in _numbers(i))
    notes = [Note("zero_outside")] if padded else []
    notes += [] if whole else [Note("zero_between")]
    return notes + ([Note("lowest_outside")] if rhs.has(Lowest) else [])


def _numbers(position: Expr) -> tuple[Expr, ...]:
    parts = coefficients(position)
    return () if parts is None else (*parts[0].values(), parts[1])


def _outermost(expr: Expr) -> Iterator[Expr]:
    """Signs and cases, but none inside the cases: there a sign may never meet its kink."""
    if isinstance(expr, (sign, Piecewise)):
        yield expr
    else:
        for arg in expr.args:
            yield from _outermost(arg)


def _update(update: Update) -> Section:
    rows = []
    for eq in update.equations:
        finished = form(eq)
        left = Leaf(eq.lhs, new=eq.lhs.kind != "intermediate")
        rows.append(Line(replace(finished, lhs=left), None, "", eq.number, ()))
    return Section("update", tuple(rows), update)


def update_tensors(update: Update) -> tuple[set[Tensor], Tensor]:
    """The tensors that an update's right sides read, and one whose new value they read (else theta)."""
    used = {e.tensor for eq in update.equations for e in eq.rhs.atoms(Entry)}
    fresh = [e.tensor for eq in update.equations for e in eq.rhs.atoms(NextEntry)]
    return used, min(fresh, key=lambda t: t.name) if fresh else update.theta
