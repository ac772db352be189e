"""Signed terms: a number and scalars over scalars, times a core. Sums of terms collect what they share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod

from .tree import (
    ONE,
    ZERO,
    Add,
    Apply,
    Bracket,
    Cases,
    Leaf,
    Letter,
    Node,
    Norm,
    Number,
    Power,
    Product,
    Running,
    Scale,
    Size,
    Subscript,
    Total,
    Trace,
    is_spread,
    label,
    walk,
    weight,
)

KINDS = ("hyper", "adjoint", "intermediate", "random", "input", "target", "parameter", "state", "gradient")
"""The order of summands by what they hold."""
FACTORS = ("hyper", "adjoint", "gradient", "random", "state", "parameter", "target", "input", "intermediate")
"""The order of tensors in a product of scalars."""


Nodes = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """`number * numerator / denominator * core`. `number` carries the sign; without a core it is a scalar."""

    number: Fraction | float = Fraction(1)
    numerator: tuple[Node, ...] = ()
    denominator: tuple[Node, ...] = ()
    core: Node | None = None

    @property
    def negative(self) -> bool:
        """Whether a minus stands in front."""
        return self.number < 0

    @property
    def front(self) -> Term:
        """The number without its sign, sizes and hyper-parameters: what a sum may take out in front."""
        above, below = (tuple(filter(is_plain, side)) for side in (self.numerator, self.denominator))
        return Term(_positive(self.number), above, below)

    @property
    def rest(self) -> Term:
        """The term without its `front`; the sign stays here."""
        above, below = (tuple(n for n in side if not is_plain(n)) for side in (self.numerator, self.denominator))
        return Term(Fraction(-1 if self.negative else 1), above, below, self.core)

    def flipped(self) -> Term:
        """The term with the other sign."""
        return replace(self, number=-self.number)

    def inverse(self) -> Term:
        """One over a scalar term."""
        below = self.numerator if self.core is None else (*self.numerator, self.core)
        return Term(1 / self.number, self.denominator, below)

    def scaled(self, other: Term) -> Term:
        """This term times a scalar one; where both have a core, the other's becomes a factor in front."""
        extra = (other.core,) if other.core is not None and self.core is not None else ()
        return Term(
            self.number * other.number,
            tuple(sorted((*self.numerator, *other.numerator, *extra), key=scalar_order)),
            tuple(sorted((*self.denominator, *other.denominator), key=scalar_order)),
            self.core if self.core is not None else other.core,
        )

    def node(self) -> Node:
        """The term as a node; a minus becomes a sum of one negative term."""
        return _sum_node(((-1 if self.negative else 1, self.unsigned()),))

    def unsigned(self) -> Node:
        """The node of the term without its sign."""
        if self.number == 0:
            return ZERO
        number, above, below = _folded(_positive(self.number), self.numerator, self.denominator)
        if isinstance(number, Fraction):
            above = above if number.numerator == 1 else (Number(Fraction(number.numerator)), *above)
            below = below if number.denominator == 1 else (Number(Fraction(number.denominator)), *below)
        else:
            above = (Number(number), *above)
        if self.core is None:
            return (above[0] if above else ONE) if not below and len(above) < 2 else Scale(above, below)
        return Scale(above, below, self.core) if above or below else self.core


def _positive(number: Fraction | float) -> Fraction | float:
    return -number if number < 0 else number


def _folded(number: Fraction | float, above: Nodes, below: Nodes) -> tuple[Fraction | float, Nodes, Nodes]:
    """With fixed sizes as part of the number: 1/(64 N) for 1/(8 * 8 N), 1/N for 2/(2 N) with two outputs."""
    over, under = (prod(n.dim.size or 1 for n in side if isinstance(n, Size)) for side in (above, below))
    if over == under == 1:
        return number, above, below
    above, below = (tuple(n for n in side if not _is_fixed(n)) for side in (above, below))
    ratio = Fraction(over, under)
    if isinstance(number, Fraction):
        return number * ratio, above, below
    above = above if ratio.numerator == 1 else (Number(Fraction(ratio.numerator)), *above)
    return number, above, below if ratio.denominator == 1 else (Number(Fraction(ratio.denominator)), *below)


def _is_fixed(node: Node) -> bool:
    return isinstance(node, Size) and node.dim.size is not None


def is_plain(node: Node) -> bool:
    """Whether a scalar is made of numbers, sizes and hyper-parameters only."""
    return not any(
        isinstance(n, Letter) or (isinstance(n, (Leaf, Subscript)) and n.tensor.kind != "hyper") for n in walk(node)
    )


def add(terms: Iterable[Term]) -> Term:
    """A sum as one term: a common sign, number and scalars in front, the rest ordered as people write it."""
    parts = [t for t in terms if t.number != 0]
    if len(parts) < 2:
        return parts[0] if parts else Term(Fraction(0))
    if all(t.negative for t in parts):
        return add(t.flipped() for t in parts).flipped()
    front = parts[0].front
    if all(t.front == front and t.rest.unsigned() != ONE for t in parts):
        return Term(core=_signed_sum(t.rest for t in parts)).scaled(front)
    return Term(core=_signed_sum(_collected(parts)))


def turned_from_target(term: Term) -> Term | None:
    """Minus the term, where it is a difference with targets in front: y - p gives p - y, all else None."""
    if not isinstance(term.core, Add):
        return None
    above, below = ([_kinds(n) for s, n in term.core.terms if s == sign] for sign in (1, -1))
    if (
        not above
        or not below
        or any(kinds != {"target"} for kinds in above)
        or any("target" in kinds for kinds in below)
    ):
        return None
    turned = sorted(((-sign, n) for sign, n in term.core.terms), key=lambda pair: -pair[0])
    return replace(term, core=Add(tuple(turned)))


def _kinds(node: Node) -> set[str]:
    """The kinds of the tensors in a node."""
    return {n.tensor.kind for n in walk(node) if isinstance(n, (Leaf, Subscript))}


def _collected(parts: list[Term]) -> list[Term]:
    """Terms with the same scalars in front gathered: lam/2 A + lam/2 B = lam/2 (A + B)."""
    groups: dict[object, list[Term]] = {}
    for t in parts:
        named = (t.front.numerator or t.front.denominator) and t.rest.unsigned() != ONE
        groups.setdefault(t.front if named else id(t), []).append(t)
    return [add(group) if len(group) > 1 else group[0] for group in groups.values()]


def _signed_sum(parts: Iterable[Term]) -> Node:
    ordered = sorted(parts, key=_term_order)
    return _sum_node(tuple((-1 if t.negative else 1, t.unsigned()) for t in ordered))


def _sum_node(terms: tuple[tuple[int, Node], ...]) -> Node:
    """A sum; one positive term stands for itself."""
    return terms[0][1] if len(terms) == 1 and terms[0][0] == 1 else Add(terms)


def scalar_order(node: Node) -> tuple[float, int, str]:
    """Numbers, sizes, hyper-parameters, tensors (upstream first), then what is composed; running sums last."""
    if isinstance(node, Number):
        return 0, 0, ""
    if isinstance(node, Size):
        return 1 + (node.dim.size is None), 0, label(node)
    if isinstance(node, (Leaf, Subscript)):
        return 3 + FACTORS.index(node.tensor.kind), 0, label(node)
    kinds = (Add, Power, Apply, Bracket, Cases, Running)
    rank = 20 + next((place for place, kind in enumerate(kinds) if isinstance(node, kind)), len(kinds))
    return (3.5 if is_plain(node) else rank), weight(node), label(node)


def _term_order(t: Term) -> tuple[bool, bool, bool, int, int, str]:
    """Gradients last, penalties before them, minus after plus.

    Then numbers, products and sums, tensors, what is spread, hyper-parameters.
    """
    node = t.unsigned()
    kinds = _kinds(node)
    penalty = kinds == {"hyper", "parameter"}
    if isinstance(node, Number):
        rank = 0 if isinstance(node.value, Fraction) else 4 + len(KINDS)
    elif t.core is not None and is_spread(t.core):
        rank = 3 + len(KINDS)
    elif isinstance(t.core, (Product, Total, Trace, Norm, Running)):
        rank = 1
    else:
        rank = 2 + min((KINDS.index(k) for k in kinds - {"hyper"}), default=len(KINDS))
    return "gradient" in kinds, penalty, t.negative, rank, weight(node), label(node)
