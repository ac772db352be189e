"""Reverse accumulation, equation by equation: bar(T)[p] += Sum(bar(lhs)[i] * d rhs / d T[p], i)."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sympy import Add, Expr, Integer, Mul, Pow, preorder_traversal

from ..language.indices import canonical, entries_of
from ..language.memo import Inputs, Memo, Result
from ..language.nodes import Entry, Index, MaxOver, Sum
from ..language.structure import Form, asked, expression_of, tensors_of
from ..language.tensor import Tensor
from ..records import Chain, Derivation, Equation, System
from .choices import Choices, without_detached
from .contract import contract
from .differentiate import Partial, partials
from .rules import check_supported, is_supported

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
    bars: dict[Tensor, list[Form]] = field(default_factory=dict)
    adjoints: list[Equation] = field(default_factory=list)
    chains: list[Chain] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)


class _Handed(NamedTuple):
    """What an equation adds to the adjoint of a tensor that it reads, as a `Chain` has it."""

    tensor: Tensor
    entry: Form
    bound: Axes
    partial: Form
    factor: Form
    total: Form


def differentiate(system: System, in_outputs: InOutputs) -> Derivation:
    """The adjoint equations and the parameters' gradients, as differentiation gives them (not yet simplified).

    `in_outputs(equation, factor)` may rewrite a partial derivative in the equation's own output.
    """
    everything = (*system.forward, system.objective, *(system.inference or ()), *system.updates)
    for eq in everything:
        if not asked(is_supported, eq.right):
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


def _spread(sweep: _Sweep, eq: Equation, adjoint: Form | Tensor | None) -> None:
    """Hand the adjoint of one equation's left side on to the tensors on its right side."""
    known = _afresh if asked(has_maximum, eq.right) else sweep.memo
    if adjoint is None:
        adjoint = _adjoint_of(sweep, eq, known)
    bar = Entry(adjoint, *eq.indices) if isinstance(adjoint, Tensor) else adjoint
    for summand in _summands(sweep, eq):
        for read, entry, bound, partial, factor, total in _handed(sweep, eq, summand, adjoint, known):
            wanted = sweep.indices[read]
            sweep.bars.setdefault(read, []).append(total)
            sweep.chains.append(Chain(eq.lhs, eq.indices, bound, wanted, entry, partial, factor, bar, total))


def _afresh(what: Hashable, inputs: Inputs, make: Callable[[], Result]) -> Result:
    """In the place of a `Memo`, for what names tensors of its own, as the position of a maximum is one."""
    return make()


def _handed(
    sweep: _Sweep, eq: Equation, rhs: Form, adjoint: Form | Tensor, known: Callable[..., tuple[_Handed, ...]]
) -> tuple[_Handed, ...]:
    """What one summand of an equation adds to the adjoints of the tensors in it."""
    wanted = [sweep.indices.get(t) for t in tensors_of(rhs)]
    places = [i for indices in wanted for i in indices or ()]

    def make() -> tuple[_Handed, ...]:
        bar = Entry(adjoint, *eq.indices) if isinstance(adjoint, Tensor) else expression_of(adjoint)
        return tuple(
            _Handed(
                t := p.entry.tensor, p.entry, p.bound, before, p.factor, contract(bar, eq.indices, p, sweep.indices[t])
            )
            for p, before in _partials(sweep, eq, rhs)
        )

    what = ("handed", len(eq.indices), *(indices is None for indices in wanted))
    return known(what, (rhs, adjoint, eq.lhs, *eq.indices, *places), make)


def _partials(sweep: _Sweep, eq: Equation, rhs: Form) -> tuple[tuple[Partial, Form], ...]:
    """The partial derivatives, written in the equation's own output where that is shorter, and as they were before."""

    def make() -> tuple[tuple[Partial, Expr], ...]:
        parts = partials(
            expression_of(rhs), lambda t: t in sweep.indices, lambda node: sweep.choices.position(eq, node)
        )
        return tuple((replace(p, factor=sweep.in_outputs(eq, p.factor)), p.factor) for p in parts)

    known = _afresh if asked(has_maximum, rhs) else sweep.memo
    return known(("partials", len(eq.indices)), (rhs, eq.lhs, *eq.indices), make)


def has_maximum(expr: Expr) -> bool:
    """Whether a maximum over indices stands in an expression."""
    return bool(expr.has(MaxOver))


def _terms(expr: Expr) -> int:
    return len(Add.make_args(expr))


def _summands(sweep: _Sweep, eq: Equation) -> tuple[Form, ...]:
    """A long sum's terms, those with a tensor in common together: the penalties of a hundred weights are alike."""
    if asked(_terms, eq.right) <= LONG:
        return (eq.right,)
    terms = Add.make_args(eq.rhs)
    groups: dict[int, tuple[set[Tensor], list[Expr]]] = {}
    home: dict[Tensor, int] = {}
    for number, term in enumerate(terms):
        tensors, own = {t for t in tensors_of(term) if t in sweep.indices}, [term]
        for place in sorted({home[t] for t in tensors if t in home}):
            more, before = groups.pop(place)
            tensors |= more
            own = before + own
        groups[number] = (tensors, own)
        home |= dict.fromkeys(tensors, number)
    return tuple(Add(*own) for _, own in groups.values())


def _adjoint_of(sweep: _Sweep, eq: Equation, known: Callable[..., tuple[Form, bool]]) -> Form | Tensor:
    """The adjoint at the equation's indices: a named tensor, or its expression where it is used in place."""
    bars = sweep.bars[eq.lhs]

    def make() -> tuple[Expr, bool]:
        total = canonical(Add(*map(expression_of, bars)))
        if eq.lhs.adjoint is not None:
            return total, False
        parts = [p for summand in _summands(sweep, eq) for p, _ in _partials(sweep, eq, summand)]
        return total, _used_in_place(total, eq, tuple(parts))

    total, in_place = known(("adjoint", len(eq.indices)), (eq.right, *bars, eq.lhs, *eq.indices), make)
    if in_place:
        return total
    name = eq.lhs.adjoint or f"delta_{eq.lhs.name}"
    while name in sweep.taken:
        name += "_"
    sweep.taken.add(name)
    bar = Tensor(name, eq.lhs.dims, "adjoint")
    sweep.adjoints.append(Equation(bar, eq.indices, total))
    return bar


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
    bars = sweep.bars.get(theta, [Integer(0)])
    (total,) = sweep.memo("gradient", bars, lambda: (canonical(Add(*map(expression_of, bars))),))
    return Equation(Tensor(name, theta.dims, "gradient"), sweep.indices[theta], total)
