"""Reverse accumulation, equation by equation: bar(T)[p] += Sum(bar(lhs)[i] * d rhs / d T[p], i)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sympy import Add, Expr, Integer, Mul, Pow, preorder_traversal

from ..language.indices import canonical, entries_of
from ..language.nodes import Entry, Index, MaxOver, Sum
from ..language.structure import Memo
from ..language.tensor import Tensor
from ..records import Chain, Derivation, Equation, System
from .choices import Choices, without_detached
from .contract import contract
from .differentiate import Partial, partials
from .rules import check_supported

LETTERS = "jkmpqrs"
SHORT = 12  # nodes of an adjoint that may stand in several others
LONG = 8  # terms of a sum that holds too much to stand in its own derivative
InOutputs = Callable[[Equation, Expr], Expr]
Axes = tuple[Index, ...]


@dataclass
class _Sweep:
    """The state of one backward sweep (lives inside `differentiate` only)."""

    in_outputs: InOutputs
    choices: Choices
    memo: Memo
    indices: dict[Tensor, tuple[Index, ...]]
    bars: dict[Tensor, list[Expr]] = field(default_factory=dict)
    adjoints: list[Equation] = field(default_factory=list)
    chains: list[Chain] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)


def differentiate(system: System, in_outputs: InOutputs) -> Derivation:
    """The adjoint equations and the parameters' gradients, as differentiation gives them (not yet simplified).

    `in_outputs(equation, factor)` may rewrite a partial derivative in the equation's own output.
    """
    everything = (*system.forward, system.objective, *(system.inference or ()), *system.updates)
    for eq in everything:
        check_supported(eq.rhs, eq.lhs.name)
    indices = {eq.lhs: eq.indices for eq in system.forward}
    for theta in system.parameters:
        indices[theta] = tuple(Index(c, d) for c, d in zip(LETTERS, theta.dims, strict=False))
    taken = {t.name for t in (*system.inputs, *system.targets, *system.hypers, *system.states, *system.randoms)}
    taken |= {t.name for t in indices} | {eq.lhs.name for eq in everything}
    sweep = _Sweep(in_outputs, Choices(taken), Memo(), indices, taken=taken)
    _spread(sweep, system.objective, Integer(1))
    for eq in reversed(system.forward):
        if eq.lhs in sweep.bars:
            _spread(sweep, eq, None)
    gradients = tuple(_gradient(sweep, theta) for theta in system.parameters)
    forward = sweep.choices.beside((*system.forward, system.objective))
    return without_detached(
        Derivation(
            system,
            forward[:-1],
            forward[-1],
            tuple(sweep.adjoints),
            gradients,
            (),
            inference=system.inference,
            updates=system.updates,
            chains=tuple(sweep.chains),
        )
    )


def _spread(sweep: _Sweep, eq: Equation, adjoint: Expr | None) -> None:
    """Hand the adjoint of one equation's left side on to the tensors on its right side."""
    parts = [found for summand in _summands(sweep, eq) for found in _partials(sweep, eq, summand)]
    if adjoint is None:
        adjoint = _adjoint_of(sweep, eq, tuple(p for p, _ in parts))
    for p, before in parts:
        wanted = sweep.indices[p.entry.tensor]
        total = _contract(sweep, adjoint, eq.indices, p, wanted)
        sweep.bars.setdefault(p.entry.tensor, []).append(total)
        made = Chain(p.entry, eq.lhs, eq.indices, p.bound, before, p.factor, adjoint, wanted, total)
        sweep.chains.append(made)


def _partials(sweep: _Sweep, eq: Equation, rhs: Expr) -> tuple[tuple[Partial, Expr], ...]:
    """The partial derivatives, written in the equation's own output where that is shorter, and as they were before."""

    def make() -> tuple[tuple[Partial, Expr], ...]:
        parts = partials(rhs, lambda t: t in sweep.indices, lambda node: sweep.choices.position(eq, node))
        return tuple((replace(p, factor=sweep.in_outputs(eq, p.factor)), p.factor) for p in parts)

    return make() if rhs.has(MaxOver) else sweep.memo("partials", (_left(eq), rhs), make)


def _summands(sweep: _Sweep, eq: Equation) -> tuple[Expr, ...]:
    """A long sum's terms, those with a tensor in common together: the penalties of a hundred weights are alike."""
    terms = Add.make_args(eq.rhs)
    if len(terms) <= LONG:
        return (eq.rhs,)
    groups: list[tuple[set[Tensor], list[Expr]]] = []
    for term in terms:
        tensors, own = {e.tensor for e in entries_of(term) if e.tensor in sweep.indices}, [term]
        apart = []
        for group in groups:
            if group[0] & tensors:
                tensors |= group[0]
                own = group[1] + own
            else:
                apart.append(group)
        groups = [*apart, (tensors, own)]
    return tuple(Add(*own) for _, own in groups)


def _left(eq: Equation) -> Entry:
    return Entry(eq.lhs, *eq.indices)


def _contract(sweep: _Sweep, adjoint: Expr, summed: Axes, p: Partial, wanted: Axes) -> Expr:
    inputs = (adjoint, p.factor, p.entry, *summed, *p.bound, *wanted)
    counts = (len(summed), len(p.bound))
    return sweep.memo(("contract", counts), inputs, lambda: contract(adjoint, summed, p, wanted))


def _adjoint_of(sweep: _Sweep, eq: Equation, parts: tuple[Partial, ...]) -> Expr:
    """The adjoint at the equation's indices: a named tensor, or its expression where it is used in place."""
    total = canonical(Add(*sweep.bars[eq.lhs]))
    if eq.lhs.adjoint is None and _used_in_place(total, eq, parts):
        return total
    name = eq.lhs.adjoint or f"delta_{eq.lhs.name}"
    while name in sweep.taken:
        name += "_"
    sweep.taken.add(name)
    bar = Tensor(name, eq.lhs.dims, "adjoint")
    sweep.adjoints.append(Equation(bar, eq.indices, total))
    return Entry(bar, *eq.indices)


def _used_in_place(total: Expr, eq: Equation, parts: tuple[Partial, ...]) -> bool:
    """An adjoint without sums is small; one with sums may be written out where it is used once, elementwise.

    One that is long and goes to several tensors gets a name too. Where entries are read at other places than the
    equation's own, all but a single entry get a name: it would be worked out again at each of them.
    """
    if not all(_is_plain(p.entry) for p in parts):
        factors = [f for f in Mul.make_args(total) if not f.is_number]
        return len(factors) == 1 and isinstance(factors[0], Entry) and _is_plain(factors[0])
    if _divides_by(total, eq.lhs) and any(_is_multiple(p.factor, eq.lhs) for p in parts):
        return True
    if not total.has(Sum):
        short = sum(bool(n.args) for n in preorder_traversal(total)) <= SHORT
        return len(parts) == 1 or short
    return len(parts) == 1 and not parts[0].bound and set(parts[0].entry.indices) == set(eq.indices)


def _divides_by(total: Expr, tensor: Tensor) -> bool:
    """Whether a tensor stands in a denominator: y/p times dp/dz is finite where p vanishes, y/p alone is not."""
    below = (n.base for n in total.atoms(Pow) if n.exp.could_extract_minus_sign())
    return any(e.tensor is tensor for base in below for e in entries_of(base))


def _is_multiple(factor: Expr, tensor: Tensor) -> bool:
    """Whether a partial derivative has the output itself as a factor, which a division by it cancels."""
    bases = (f.as_base_exp() for f in Mul.make_args(factor))
    return any(isinstance(base, Entry) and base.tensor is tensor and power.is_positive for base, power in bases)


def _is_plain(entry: Entry) -> bool:
    return all(isinstance(i, Index) for i in entry.indices)


def _gradient(sweep: _Sweep, theta: Tensor) -> Equation:
    name = f"d{theta.name}"
    while name in sweep.taken:
        name += "_"
    sweep.taken.add(name)
    total = canonical(Add(*sweep.bars.get(theta, [Integer(0)])))
    return Equation(Tensor(name, theta.dims, "gradient"), sweep.indices[theta], total)
