"""Hoist what does not change inside a loop nest, and name what is computed twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sympy import Add, Expr, Function, Mul, Number, Piecewise, Symbol
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import Boolean, BooleanAtom

from ..language.brackets import At, Inside, Part
from ..language.nodes import Entry, Index, Size
from .program import SELECTIONS

IsScalar = Callable[[Expr], bool]


@dataclass(frozen=True, slots=True)
class Named:
    """One named value: `name = value`."""

    name: str
    value: Expr


@dataclass(frozen=True, slots=True)
class Shared:
    """`scalars` stand before the loops, `values` inside them in order; `bodies` use both by name."""

    scalars: tuple[Named, ...]
    values: tuple[Named, ...]
    bodies: tuple[Expr, ...]


def share(bodies: Sequence[Expr], is_scalar: IsScalar, first: int = 0) -> Shared:
    """Bodies of one scope of a loop nest; `is_scalar` says which leaves are the same in every iteration.

    Names are c{first}, c{first + 1}, ... for scalars (eta_0 for one that is just eta) and v{first}, ... for values.
    """
    hoist = _Hoist(is_scalar, first)
    lifted = [hoist.lift(b) for b in bodies]
    values, final = _name_common(lifted, first)
    return Shared(tuple(hoist.named), values, final)


class _Hoist:
    """Replaces the largest unchanging subexpressions by symbols."""

    def __init__(self, is_scalar: IsScalar, first: int) -> None:
        self.is_scalar = is_scalar
        self.first = first
        self.named: list[Named] = []
        self.known: dict[Expr, Symbol] = {}

    def lift(self, e: Expr) -> Expr:
        if isinstance(e, (BooleanAtom, ExprCondPair)):
            return e.func(*map(self.lift, e.args)) if e.args else e
        if _is_leaf(e) or isinstance(e, Number):
            return self._symbol(e) if self._unchanging(e) and not isinstance(e, Number) else e
        if self._unchanging(e) and not isinstance(e, Boolean):
            return e if e.is_number else self._symbol(e)
        if isinstance(e, (Add, Mul)):
            still = [a for a in e.args if self._unchanging(a)]
            if len(still) > 1 and not all(a.is_number for a in still):
                moving = [self.lift(a) for a in e.args if a not in still]
                return e.func(self._symbol(e.func(*still)), *moving)
        return e.func(*map(self.lift, e.args))

    def _unchanging(self, e: Expr) -> bool:
        if isinstance(e, BooleanAtom):
            return True
        if _is_leaf(e):
            return self.is_scalar(e)
        return all(self._unchanging(a) for a in e.args)

    def _symbol(self, e: Expr) -> Symbol:
        if e not in self.known:
            number = self.first + len(self.named)
            name = f"{e.tensor.name}_{number}" if isinstance(e, Entry) else f"c{number}"
            self.known[e] = Symbol(name, real=True)
            self.named.append(Named(name, e))
        return self.known[e]


def _is_leaf(e: Expr) -> bool:
    return isinstance(e, (At, Entry, Index, Inside, Part, Size)) or (not e.args and not isinstance(e, Number))


def _name_common(bodies: Sequence[Expr], first: int) -> tuple[tuple[Named, ...], tuple[Expr, ...]]:
    """Every non-trivial node with two readers gets a name, and every call in one branch of a choice."""
    readers: Counter[Expr] = Counter()
    seen: set[Expr] = set()

    def count(e: Expr) -> None:
        readers[e] += 1
        if e in seen or _is_leaf(e) or isinstance(e, Number):
            return
        seen.add(e)
        for a in e.args:
            count(a)

    for body in bodies:
        count(body)
        for call in _guarded_calls(body):
            readers[call] += 1
    named: list[Named] = []
    done: dict[Expr, Expr] = {}

    def build(e: Expr) -> Expr:
        if e in done:
            return done[e]
        if _is_leaf(e) or isinstance(e, Number):
            return e
        made = e.func(*map(build, e.args), **({"evaluate": False} if isinstance(e, (Add, Mul)) else {}))
        if readers[e] > 1 and not isinstance(e, Boolean) and not _is_cheap(e):
            symbol = Symbol(f"v{first + len(named)}", real=True)
            named.append(Named(symbol.name, made))
            made = symbol
        done[e] = made
        return made

    final = tuple(build(b) for b in bodies)
    return tuple(named), final


def _guarded_calls(body: Expr) -> set[Expr]:
    """Calls in one branch of a choice; computed before it, whole vectors of them can be."""
    return {f for choice in body.atoms(Piecewise) for f in choice.atoms(Function) if not isinstance(f, SELECTIONS)}


def _is_cheap(e: Expr) -> bool:
    """Nodes that are no work to repeat: a negated leaf, a condition's pair."""
    if isinstance(e, Mul) and len(e.args) == 2 and e.args[0] == -1 and _is_leaf(e.args[1]):
        return True
    return not hasattr(e, "is_commutative") or isinstance(e, ExprCondPair)
