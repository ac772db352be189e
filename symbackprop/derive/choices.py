"""What a derivative must know of the forward pass besides its tensors: where a maximum was attained."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from sympy import Expr

from ..language.indices import canonical, free_indices, rewrite
from ..language.nodes import ArgMax, Detached, Entry, MaxOver
from ..language.structure import Form, asked, expression_of
from ..language.tensor import Tensor
from ..records import Chain, Derivation, Equation


@dataclass
class Choices:
    """The positions of maxima as equations of their own, each computed once, beside the maximum's equation."""

    taken: set[str]
    made: dict[Tensor, list[Equation]] = field(default_factory=dict)

    def position(self, eq: Equation, node: MaxOver) -> Entry:
        """The entry that says at which place of its bound indices a maximum of `eq` is attained."""
        largest = canonical(ArgMax.raw(node.body, node.bound))
        beside = self.made.setdefault(eq.lhs, [])
        for known in beside:
            if known.rhs == largest:
                return Entry(known.lhs, *known.indices)
        free = tuple(sorted(free_indices(largest), key=lambda i: (i not in eq.indices, _place(eq, i))))
        sizes = [None if i.dim is None else i.dim.size for i in node.bound]
        levels = None if None in sizes else math.prod(s for s in sizes if s is not None)
        arg = Tensor(self._name(f"arg_{eq.lhs.name}"), tuple(i.dim for i in free if i.dim is not None), levels=levels)
        beside.append(Equation(arg, free, largest))
        return Entry(arg, *free)

    def beside(self, forward: tuple[Equation, ...]) -> tuple[Equation, ...]:
        """The forward equations, each after the positions that belong to it."""
        return tuple(e for eq in forward for e in (*self.made.get(eq.lhs, ()), eq))

    def _name(self, wish: str) -> str:
        while wish in self.taken:
            wish += "_"
        self.taken.add(wish)
        return wish


def _place(eq: Equation, index: Expr) -> int:
    return eq.indices.index(index) if index in eq.indices else 0


def _has_detached(expr: Expr) -> bool:
    return bool(expr.has(Detached))


def without_detached(derivation: Derivation) -> Derivation:
    """The derivation with values in the place of values held constant: nothing differentiates them any more."""

    def value(form: Form) -> Expr:
        return canonical(rewrite(expression_of(form), lambda e: e.args[0] if isinstance(e, Detached) else e))

    def plain(eq: Equation) -> Equation:
        return replace(eq, rhs=value(eq.right)) if asked(_has_detached, eq.right) else eq

    def held(chain: Chain) -> Chain:
        parts = {name: value(form) for name, form in chain.forms.items() if asked(_has_detached, form)}
        return replace(chain, **parts) if parts else chain

    def all_of(equations: tuple[Equation, ...]) -> tuple[Equation, ...]:
        return tuple(map(plain, equations))

    inference = derivation.inference
    return replace(
        derivation,
        forward=all_of(derivation.forward),
        objective=plain(derivation.objective),
        adjoints=all_of(derivation.adjoints),
        gradients=all_of(derivation.gradients),
        inference=None if inference is None else all_of(inference),
        updates=all_of(derivation.updates),
        chains=tuple(map(held, derivation.chains)),
    )
