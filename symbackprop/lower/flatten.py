"""Name the sums: every sum, maximum and arg max becomes a statement of its own, equal ones share it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sympy import Expr, Function, Mul, Piecewise

from ..errors import LoweringError
from ..language.brackets import At
from ..language.indices import canonical, entries_of, free_indices, refresh, substitute
from ..language.nodes import ArgMax, Entry, Held, Index, MaxOver, Over, Sum
from ..language.tensor import Dim, Tensor
from ..records import Derivation, Equation
from .guards import settled
from .positions import is_plain
from .program import ARGMAX, MAP, MAX, SELECTIONS, SUM, Statement

OPS = {Sum: SUM, MaxOver: MAX, ArgMax: ARGMAX, Held: MAP}
NAMES = {SUM: "sum", MAX: "top", ARGMAX: "arg", MAP: "part"}


@dataclass
class _Table:
    """Statements so far, and the helper tensor of every sum that has one."""

    statements: list[Statement] = field(default_factory=list)
    helpers: dict[Expr, Tensor] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    numbers: dict[str, int] = field(default_factory=dict)

    def name(self, stem: str) -> str:
        number = self.numbers.get(stem, 0) + 1
        while f"{stem}{number}" in self.taken:
            number += 1
        self.numbers[stem] = number
        self.taken.add(f"{stem}{number}")
        return f"{stem}{number}"


def flatten(derivation: Derivation) -> tuple[Statement, ...]:
    """All equations of a derivation as statements, in order of computation."""
    equations = (*derivation.forward, derivation.objective, *derivation.adjoints, *derivation.gradients)
    table = _Table()
    system = derivation.system
    for tensor in (*system.inputs, *system.targets, *system.parameters, *system.hypers):
        table.taken.add(tensor.name)
    table.taken.update(eq.lhs.name for eq in equations)
    for eq in equations:
        table.statements.append(_statement(eq, table))
    return tuple(table.statements)


def _statement(eq: Equation, table: _Table) -> Statement:
    """The equation itself: a sum where it is one and nothing else, else elementwise."""
    form = settled(eq.evaluated)
    if isinstance(form, Sum) and set(free_indices(form)) == set(eq.indices) and eq.indices:
        free = _in_order(form, eq.indices)
        if (known := table.helpers.get(_key(form, free))) is not None:
            return Statement(eq.lhs, eq.indices, MAP, (), Entry(known, *free), eq)
        fresh = refresh(form)
        assert isinstance(fresh, Sum)
        body = _materialize(_name_sums(fresh.body, eq, table), fresh.bound, eq, table)
        return Statement(eq.lhs, eq.indices, SUM, fresh.bound, body, eq)
    return Statement(eq.lhs, eq.indices, MAP, (), _name_sums(form, eq, table), eq)


def _name_sums(expr: Expr, eq: Equation, table: _Table) -> Expr:
    """`expr` with an entry of a helper tensor for every sum."""
    if isinstance(expr, Over):
        return _helper(expr, eq, table)
    if isinstance(expr, At):
        made = expr.func(*(_name_sums(a, eq, table) for a in expr.args))
        return made.choice if expr.has(Over) else made
    if isinstance(expr, Entry) or not expr.args or not expr.has(Over):
        return expr
    return expr.func(*(_name_sums(a, eq, table) for a in expr.args))


def _helper(node: Over, eq: Equation, table: _Table) -> Entry:
    free = _in_order(node, eq.indices)
    key = _key(node, free)
    if key not in table.helpers:
        fresh = refresh(node)
        assert isinstance(fresh, Over)
        body = _lift_calls(_name_sums(fresh.body, eq, table), eq, table)
        op = OPS[type(node)]
        if op is SUM:
            body = _materialize(body, fresh.bound, eq, table)
        helper = Tensor(table.name(NAMES[op]), tuple(_dim(i) for i in free))
        table.helpers[key] = helper
        table.statements.append(Statement(helper, free, op, fresh.bound, body, eq))
    return Entry(table.helpers[key], *free)


def _key(node: Over, free: tuple[Index, ...]) -> Expr:
    """The same for sums that differ in the names of their indices only."""
    return canonical(substitute(node, {i: Index(f"f{a}", i.dim, ("free", a)) for a, i in enumerate(free)}))


def _materialize(body: Expr, bound: tuple[Index, ...], eq: Equation, table: _Table) -> Expr:
    """Turn `f(W[j, k]) * g(x[n, k])` into a product of two tensors, so that it is a matrix product.

    A tensor of all windows of another, or of a delta's ones and zeros, would be large: a body that reads elsewhere
    than at its own indices, or has a delta, stays as it is.
    """
    if body.has(At) or not all(is_plain(e) for e in entries_of(body)):
        return body
    groups: dict[frozenset[Index], list[Expr]] = {}
    for f in Mul.make_args(body):
        groups.setdefault(frozenset(free_indices(f)), []).append(f)
    groups.pop(frozenset(), None)
    if len(groups) != 2:
        return body
    (one, ones), (two, twos) = groups.items()
    shared = one & two
    if not shared or not shared <= set(bound) or not one - two or not two - one:
        return body
    scalars = [f for f in Mul.make_args(body) if not free_indices(f)]
    pair = [
        factors[0] if len(factors) == 1 and isinstance(factors[0], Entry) else _map_helper(Mul(*factors), eq, table)
        for factors in (ones, twos)
    ]
    return Mul(*scalars, *pair)


def _lift_calls(body: Expr, eq: Equation, table: _Table) -> Expr:
    """Give a call that does not run with all indices of a body a helper, so that it is made once."""
    if isinstance(body, (Entry, Piecewise)) or not body.args:
        return body
    if isinstance(body, Function) and not isinstance(body, SELECTIONS):
        return body
    everything = set(free_indices(body))
    calls = {
        f: _map_helper(f, eq, table)
        for f in sorted(body.atoms(Function), key=lambda f: f.sort_key())
        if not isinstance(f, SELECTIONS) and 0 < len(free_indices(f)) < len(everything)
    }
    return substitute(body, calls) if calls else body


def _map_helper(value: Expr, eq: Equation, table: _Table) -> Entry:
    free = _in_order(value, eq.indices)
    places: dict[Expr, Expr] = {i: Index(f"f{a}", i.dim, ("free", a)) for a, i in enumerate(free)}
    key = substitute(value, places)
    if key not in table.helpers:
        helper = Tensor(table.name("part"), tuple(_dim(i) for i in free))
        table.helpers[key] = helper
        table.statements.append(Statement(helper, free, MAP, (), value, eq))
    return Entry(table.helpers[key], *free)


def _in_order(expr: Expr, leading: tuple[Index, ...]) -> tuple[Index, ...]:
    """Free indices: the batch first, then those of the equation in their order, then the others."""
    free = free_indices(expr)
    first = [i for i in leading if i in free] + [i for i in free if i not in leading]
    return tuple(sorted(first, key=lambda i: _dim(i).size is not None))


def _dim(index: Index) -> Dim:
    if index.dim is None:
        raise LoweringError(f"the index {index} has no dimension; equations are made by sb.equation")
    return index.dim
