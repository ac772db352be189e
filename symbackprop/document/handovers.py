"""What the steps of an explanation are made of: the recorded uses of the chain rule, gathered by equation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Add, Expr, Integer, Mul

from ..derive.contract import contract
from ..derive.differentiate import Partial
from ..language.brackets import At
from ..language.indices import canonical, make_sum, substitute
from ..language.nodes import Entry, Index, Size
from ..language.tensor import Tensor
from ..records import Chain, Derivation, Equation
from ..simplify.inline import written_out
from ..simplify.tidy import tidy

Axes = tuple[Index, ...]


@dataclass(frozen=True, slots=True)
class Handover:
    """All that one equation, number `number`, adds to the derivative of the loss by a tensor that it reads."""

    number: int
    chains: tuple[Chain, ...]

    @property
    def through(self) -> Tensor:
        """The equation's left side."""
        return self.chains[0].through

    @property
    def indices(self) -> Axes:
        """The indices of the equation's left side."""
        return self.chains[0].indices

    @property
    def wanted(self) -> Axes:
        """The indices at which the derivative is wanted."""
        return self.chains[0].wanted

    @property
    def adjoint(self) -> Expr:
        """The derivative of the loss by the equation's left side: 1, an entry of a tensor, or an expression."""
        return self.chains[0].adjoint

    @property
    def total(self) -> Expr:
        """What is added."""
        return canonical(Add(*(c.total for c in self.chains)))

    @property
    def is_last(self) -> bool:
        """Whether the equation is the objective's, of which nothing else is made."""
        return bool(self.adjoint == 1)

    @property
    def is_rewritten(self) -> bool:
        """Whether the equation's own output was put into its derivative."""
        return any(c.partial != c.factor and _reads(c.factor, c.through) for c in self.chains)

    @property
    def is_plain(self) -> bool:
        """Whether every derivative is a number or an entry of a tensor: nothing that has to be shown."""
        return all(_is_plain(c.factor) for c in self.chains)

    @property
    def is_entrywise(self) -> bool:
        """Whether every entry of the left side depends on the entry at the same place only."""
        return all(not c.bound and c.entry.indices == c.indices for c in self.chains)

    def contracted(self, derivative: Tensor) -> Expr:
        """`total` with a tensor that stands for the derivative by the left side."""
        adjoint = Entry(derivative, *self.indices)
        terms = (contract(adjoint, c.indices, Partial(c.bound, c.factor, c.entry), c.wanted) for c in self.chains)
        return canonical(Add(*terms))

    def jacobian(self, own: Axes, field: str = "factor") -> Expr:
        """d left side at the indices `own` / d tensor at `wanted`, with brackets for the Kronecker deltas."""
        return canonical(Add(*(_bracketed(c, own, getattr(c, field)) for c in self.chains)))

    def local(self) -> tuple[Axes, Entry, Expr] | None:
        """The derivative by an entry that is read, as (indices, the entry, derivative); None where several are one."""
        if len(self.chains) > 1:
            return None
        (c,) = self.chains
        absent = tuple(b for b in c.bound if not c.entry.has(b))
        present = tuple(b for b in c.bound if b not in absent)
        if not all(any(set(_bound_in(p, present)) == {b} for p in c.entry.indices) for b in present):
            return None
        return (*c.indices, *present), c.entry, make_sum(c.factor, absent)


def _bound_in(position: Expr, bound: Axes) -> Iterator[Index]:
    return (i for i in position.atoms(Index) if i in bound)


def _is_plain(factor: Expr) -> bool:
    entries = [f for f in Mul.make_args(factor) if isinstance(f, Entry) and f.indices]
    rest = (f.as_base_exp()[0] for f in Mul.make_args(factor) if f not in entries)
    return len(entries) < 2 and all(f.is_Number or isinstance(f, (Size, Entry)) for f in rest)


def _reads(expr: Expr, tensor: Tensor) -> bool:
    return any(e.tensor is tensor for e in expr.atoms(Entry))


def _bracketed(chain: Chain, own: Axes, factor: Expr) -> Expr:
    renamed = dict(zip(chain.indices, own, strict=True))
    factor, entry = substitute(factor, renamed), substitute(chain.entry, renamed)
    assert isinstance(entry, Entry)
    values: dict[Expr, Expr] = {}
    deltas = []
    for position, target in zip(entry.indices, chain.wanted, strict=True):
        if position in chain.bound and position not in values:
            values[position] = target
        else:
            deltas.append(At(position, target))
    return make_sum(substitute(Mul(factor, *deltas), values), tuple(b for b in chain.bound if b not in values))


class Handovers:
    """The uses of the chain rule in a derivation, by the tensor that is read."""

    def __init__(self, derivation: Derivation) -> None:
        self._numbers = {eq.lhs: eq.number for eq in (*derivation.forward, derivation.objective)}
        self._own = {eq.lhs for eq in derivation.adjoints}
        self._found: dict[Tensor, dict[Tensor, list[Chain]]] = {}
        self._derivatives: dict[Tensor, Tensor] = {}
        for c in derivation.chains:
            self._found.setdefault(c.source, {}).setdefault(c.through, []).append(c)
            if _is_named(c):
                self._derivatives.setdefault(c.through, c.adjoint.tensor)

    def of(self, source: Tensor) -> tuple[Handover, ...]:
        """What the equations that read a tensor add to the derivative by it, in their order."""
        found = self._found.get(source, {})
        parts = (Handover(self._numbers[through], tuple(chains)) for through, chains in found.items())
        return tuple(sorted(parts, key=lambda part: part.number))

    def derivative(self, tensor: Tensor) -> Tensor:
        """The tensor of dL/d(a tensor of the forward pass), which need not have an equation of its own."""
        if tensor not in self._derivatives:
            self._derivatives[tensor] = Tensor(f"d{tensor.name}", tensor.dims, "gradient")
        return self._derivatives[tensor]

    def is_told(self, tensor: Tensor) -> bool:
        """Whether the derivative by a tensor has an equation of its own in the derivation."""
        return self._derivatives.get(tensor) in self._own

    def written_out(self, expr: Expr) -> tuple[Expr, list[Tensor]]:
        """`expr` without derivatives that have no equation of their own, and the tensors that those are taken by."""
        gone = {t: d for t, d in self._derivatives.items() if d.kind == "adjoint" and d not in self._own}
        group = tuple(Equation(d, self.of(t)[0].wanted, tidied(self.total(t))) for t, d in gone.items() if self.of(t))
        after = written_out(expr, group)
        return after, [t for t, d in gone.items() if _reads(expr, d)]

    def total(self, source: Tensor) -> Expr:
        """The derivative by a tensor before any simplification."""
        return canonical(Add(Integer(0), *(h.total for h in self.of(source))))


def _is_named(chain: Chain) -> bool:
    """Whether the derivative by the equation's left side had a name when it was handed on."""
    named = isinstance(chain.adjoint, Entry) and chain.adjoint.tensor.kind == "adjoint"
    return named and chain.adjoint.tensor.name.rstrip("_") == _name(chain.through)


def _name(tensor: Tensor) -> str:
    return tensor.adjoint or f"delta_{tensor.name}"


def tidied(expr: Expr) -> Expr:
    """A shorter form of an expression by itself."""
    return tidy(Equation(Tensor("derivative"), (), expr))[0].rhs


def axes_of(tensor: Tensor, letter: str) -> Axes:
    """Indices for a tensor that are no equation's."""
    return tuple(Index(f"{letter}{axis}", dim) for axis, dim in enumerate(tensor.dims))
