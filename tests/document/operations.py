"""The operations in a formula as it is written: + - * / power, function, sum or product over an index are 1 each.

Transposes, columns of ones that only spread a column, and indices are none.
"""

from __future__ import annotations

from tests.document.judge.grammar import Grammar
from tests.document.judge.names import readings
from tests.document.judge.tokens import tokens
from tests.document.judge.tree import (
    Call,
    Cases,
    Compared,
    Entrywise,
    Joined,
    Modulo,
    Node,
    Number,
    Ones,
    Power,
    Product,
    Quotient,
    Running,
    Sum,
    Symbol,
    Transposed,
)


def operations(formula: str, known: set[str]) -> int:
    """The operations of a formula; `known` are the names whose raised numbers are no powers."""
    return _count(Grammar(tokens(formula), known).whole(), known)


def _count(node: Node, known: set[str]) -> int:
    if isinstance(node, Power) and isinstance(node.base, Number):
        return 0
    return _own(node, known) + sum(_count(kid, known) for kid in node.kids())


def _own(node: Node, known: set[str]) -> int:
    match node:
        case Symbol():
            return _raised(node, known)
        case Sum(terms, signs):
            return len(terms) - 1 + (signs[0] < 0)
        case Entrywise(factors, _) | Joined(_, factors):
            return len(factors) - 1
        case Product(factors):
            spreads = isinstance(factors[0], Ones), _is_row_of_ones(factors[-1])
            return max(len(factors) - 1 - sum(spreads) - sum(map(_is_reciprocal, factors)), 0)
        case Cases(values, _, otherwise):
            return len(values) - (otherwise is None)
        case Compared(_, signs):
            return len(signs)
        case Call("norm", _):
            return 1
        case Call("norm_1", _):
            return 2
        case Quotient() | Call() | Running() | Power() | Modulo():
            return 1
    return 0


def _raised(node: Symbol, known: set[str]) -> int:
    """The power in a name's scripts, and the function e."""
    if node.base == "e":
        return 1 + _count(Grammar(node.above, known).whole(), known)
    return int(bool(next((r.power for r in readings(node) if r.key in known), ())))


def _is_row_of_ones(node: Node) -> bool:
    return isinstance(node, Transposed) and isinstance(node.arg, Ones)


def _is_reciprocal(node: Node) -> bool:
    """1/N A is A/N: one operation."""
    return isinstance(node, Quotient) and node.above == Number(1.0)
