"""What the matrix form and the index form share: scalars, powers, functions, brackets and cases.

`Builder.term(expr, axes)` gives the term of an expression whose free indices are exactly `axes`; in index form
`axes` is always empty, since every entry is a scalar there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import sympy as sp
from sympy import Expr, Mul, Piecewise, Pow
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Or

from ..language.brackets import At
from ..language.indices import free_indices
from ..language.nodes import Entry, Index, NextEntry, Over
from ..language.nodes import Size as SizeNode
from .algebra import settle
from .roots import split_root
from .terms import Term, add, is_plain, turned_from_target
from .tree import Apply, Bracket, Cases, Constant, Leaf, Logic, Node, Number, Power, Relation, Size
from .view import View

Axes = tuple[Index, ...]

NAMES: dict[Any, str] = {sp.Max: "max", sp.Min: "min", sp.Abs: "abs", sp.floor: "floor", sp.ceiling: "ceiling"}
"""Functions whose class is not called as they are printed; others go by their class's name in small letters."""

ODD = ("sign", "tanh", "sinh", "sin", "atan", "erf")
EVEN = ("abs", "cosh", "cos")

SIGNS: dict[Any, str] = {sp.Eq: "=", sp.Ne: "!=", sp.Gt: ">", sp.Ge: ">=", sp.Lt: "<", sp.Le: "<="}
OPPOSITE = {"=": "!=", "!=": "=", ">": "<=", "<=": ">", "<": ">=", ">=": "<"}
MIRRORED = {">": "<", "<": ">", ">=": "<=", "<=": ">="}


class NoForm(Exception):  # noqa: N818  (a way out of the recursion, never shown to a user)
    """An expression, or a part of it, that the form at hand cannot write."""


class Builder:
    """Expressions to terms; a subclass says what an entry, a sum and a product are."""

    def __init__(self, view: View) -> None:
        self.view = view

    def axes(self, expr: Expr, within: Axes) -> Axes:
        """The free indices of a part, in the order of those of the whole."""
        free = set(free_indices(expr))
        return tuple(i for i in within if i in free)

    def entry(self, entry: Entry, axes: Axes) -> Term:
        """A tensor with indices."""
        raise NotImplementedError

    def over(self, node: Over, axes: Axes) -> Term:
        """A sum or a maximum over bound indices."""
        raise NotImplementedError

    def product(self, expr: Expr, axes: Axes) -> Term:
        """An elementwise product of factors, or a power."""
        raise NotImplementedError

    def spread(self, term: Term, have: Axes, want: Axes) -> Term:
        """A part with the axes `have` as a summand or an argument beside parts with the axes `want`."""
        raise NotImplementedError

    def atom(self, expr: Expr) -> Term:
        """A number, a size, or what only one of the forms knows."""
        if isinstance(expr, sp.Rational):
            return Term(Fraction(int(expr.p), int(expr.q)))
        if isinstance(expr, sp.Float):
            return Term(float(expr))
        if isinstance(expr, (sp.NumberSymbol, sp.core.numbers.Exp1)):
            return Term(numerator=(Constant(str(expr).lower()),))
        if isinstance(expr, SizeNode):
            return Term() if expr.dim.size == 1 else Term(numerator=(Size(expr.dim),))
        raise NoForm(f"no printed form is known for {type(expr).__name__} {expr}")

    def term(self, expr: Expr, axes: Axes) -> Term:
        """The term of an expression with exactly these free indices; raises `NoForm` where it has none."""
        if isinstance(expr, Mul):
            split = split_root(expr)
            return self.product(expr, axes) if split is None else self.term(split[1], axes).scaled(split[0])
        if isinstance(expr, Pow):
            return self.product(expr, axes)
        if isinstance(expr, sp.Add):
            return self._sum(expr, axes)
        if isinstance(expr, At):
            expr = expr.choice
        if isinstance(expr, Over):
            return self.over(expr, axes)
        if isinstance(expr, Entry):
            leaf = Leaf(expr.tensor, isinstance(expr, NextEntry))
            return self.entry(expr, axes) if expr.indices else Term(numerator=(leaf,))
        if isinstance(expr, Piecewise):
            return self._piecewise(expr, axes)
        if isinstance(expr, sp.core.function.Application):
            return self._function(expr, axes)
        return self.atom(expr)

    def _function(self, expr: Expr, axes: Axes) -> Term:
        """A function; |y - p| and sign(y - p), as SymPy orders them, are turned to |p - y| and -sign(p - y)."""
        name = NAMES.get(expr.func, expr.func.__name__.lower())
        if name not in (*ODD, *EVEN):
            ordered = sorted(expr.args, key=lambda a: not a.is_Number)
            return self.wrapped(Apply(name, self.nodes(ordered, axes)), axes)
        arg = self.term(expr.args[0], axes)
        turned = turned_from_target(arg)
        made = self.wrapped(Apply(name, ((turned or arg).node(),)), axes)
        return made.flipped() if turned is not None and name in ODD else made

    def _sum(self, expr: sp.Add, axes: Axes) -> Term:
        total = add(self.part(a, axes) for a in expr.args)
        if total.core is not None and axes:
            return replace(total, core=settle(total.core))
        if total.core is None or not is_plain(total.core):
            return total
        return Term(total.number, (*total.numerator, total.core), total.denominator)

    def part(self, expr: Expr, axes: Axes) -> Term:
        """A summand or an argument, spread to the axes of the whole."""
        have = self.axes(expr, axes)
        return self.spread(self.term(expr, have), have, axes)

    def nodes(self, exprs: Iterable[Expr], axes: Axes) -> tuple[Node, ...]:
        """Parts as nodes."""
        return tuple(self.part(e, axes).node() for e in exprs)

    def wrapped(self, node: Node, axes: Axes) -> Term:
        """A composed node as a term: a plain factor where it is a scalar, else a core."""
        return Term(core=settle(node)) if axes else Term(numerator=(node,))

    def power(self, base: Expr, exponent: Expr, axes: Axes) -> Term:
        """A power with an exponent other than 1 that has no minus in front."""
        if exponent == sp.Rational(1, 2):
            return self.wrapped(Apply("sqrt", self.nodes((base,), axes)), axes)
        if self.axes(exponent, axes):
            raise NoForm(f"an exponent with indices: {base}**{exponent}")
        below = self.term(base, axes).node()
        return self.wrapped(Power(below, self.term(exponent, ()).node(), bool(axes)), axes)

    def _piecewise(self, expr: Piecewise, axes: Axes) -> Term:
        branches = [(value, condition) for value, condition in expr.args if condition != sp.true]
        other = expr.args[-1][0] if expr.args[-1][1] == sp.true else None
        if len(branches) == 1:
            value, condition = branches[0]
            if other == 0 and (value == 1 or _on_indices(condition)):
                return self._bracketed(value, self.condition(condition, axes), axes)
            if value == 0 and isinstance(condition, Relational) and (other == 1 or _on_indices(condition)):
                return self._bracketed(other, _opposite(self.condition(condition, axes)), axes)
        values = self.nodes((value for value, _ in branches), axes)
        conditions = (self.condition(c, axes) for _, c in branches)
        otherwise = None if other is None else self.part(other, axes).node()
        return self.wrapped(Cases(tuple(zip(values, conditions, strict=True)), otherwise), axes)

    def _bracketed(self, value: Expr, condition: Node, axes: Axes) -> Term:
        bracket = self.wrapped(Bracket(condition), axes)
        return bracket if value == 1 else self.term(value, axes).scaled(bracket)

    def condition(self, condition: Any, axes: Axes) -> Node:
        """A relation, or several joined by `and` or `or`."""
        if isinstance(condition, (And, Or)):
            parts = sorted(condition.args, key=sp.default_sort_key)
            word = "and" if isinstance(condition, And) else "or"
            return Logic(word, tuple(self.condition(c, axes) for c in parts))
        if isinstance(condition, sp.ITE):
            return self.condition(condition.to_nnf(), axes)
        if not isinstance(condition, Relational):
            raise NoForm(f"no printed form is known for the condition {condition}")
        sign, sides = SIGNS[condition.func], self.nodes((condition.lhs, condition.rhs), axes)
        if isinstance(sides[0], Number) and not isinstance(sides[1], Number):
            return Relation(MIRRORED.get(sign, sign), sides[1], sides[0])
        return Relation(sign, *sides)


def split_power(factor: Expr) -> tuple[Expr, Expr, bool]:
    """(base, exponent, inverse) with an exponent that has no minus in front: x**-2 is (x, 2, True)."""
    if isinstance(factor, sp.exp) or factor.is_Number:
        return factor, sp.S.One, False
    base, exponent = factor.as_base_exp()
    inverse = exponent.could_extract_minus_sign()
    return base, (-exponent if inverse else exponent), inverse


def _on_indices(condition: Any) -> bool:
    """Whether a condition is about where an entry stands, not about its value."""
    if isinstance(condition, And):
        return all(map(_on_indices, condition.args))
    return isinstance(condition, Relational) and any(isinstance(a, Index) for a in condition.args)


def _opposite(relation: Node) -> Node:
    assert isinstance(relation, Relation)
    return Relation(OPPOSITE[relation.sign], relation.left, relation.right)
