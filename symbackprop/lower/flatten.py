"""Name the sums: every sum, maximum and arg max becomes a statement of its own, equal ones share it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from sympy import Expr, Function, Mul, Piecewise

from ..errors import LoweringError
from ..language.brackets import At
from ..language.indices import canonical, entries_of, free_indices, refresh, substitute
from ..language.memo import Memo
from ..language.nodes import ArgMax, Entry, Held, Index, MaxOver, Over, Sum
from ..language.structure import Form, Instance, asked, expression_of, instance_of
from ..language.tensor import Dim, Tensor
from ..records import Derivation, Equation
from .guards import settled
from .positions import is_plain
from .program import ARGMAX, MAP, MAX, SELECTIONS, SUM, Statement

OPS = {Sum: SUM, MaxOver: MAX, ArgMax: ARGMAX, Held: MAP}
NAMES = {SUM: "sum", MAX: "top", ARGMAX: "arg", MAP: "part"}


class _Named(NamedTuple):
    """A sum, maximum or arg max, at its free indices: what its statement needs, once it has a tensor.

    `key` is the same for equal ones. One whose body is no statement yet, for it needs helpers itself, is kept as
    `node`.
    """

    key: Instance
    free: tuple[Index, ...]
    op: str
    bound: tuple[Index, ...]
    body: Form | None
    node: Form | None


class _Plan(NamedTuple):
    """What an equation becomes: its right side, and the sums in it, or the one that it is."""

    form: Form
    is_sum: bool
    sums: tuple[_Named, ...]


@dataclass
class _Table:
    """Statements so far, and the helper tensor of every sum that has one."""

    memo: Memo
    statements: list[Statement] = field(default_factory=list)
    helpers: dict[Instance, Tensor] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    numbers: dict[str, int] = field(default_factory=dict)

    def name(self, stem: str) -> str:
        number = self.numbers.get(stem, 0) + 1
        while f"{stem}{number}" in self.taken:
            number += 1
        self.numbers[stem] = number
        self.taken.add(f"{stem}{number}")
        return f"{stem}{number}"

    def add(self, key: Instance, stem: str, s: Callable[[Tensor], Statement], free: tuple[Index, ...]) -> None:
        """Give what has a key a tensor, and add the statement that makes it."""
        helper = self.helpers[key] = Tensor(self.name(stem), tuple(map(_dim, free)))
        self.statements.append(s(helper))


def flatten(derivation: Derivation, memo: Memo) -> tuple[Statement, ...]:
    """All equations of a derivation as statements, in order of computation."""
    equations = (*derivation.forward, derivation.objective, *derivation.adjoints, *derivation.gradients)
    table = _Table(memo)
    system = derivation.system
    for tensor in (*system.inputs, *system.targets, *system.parameters, *system.hypers):
        table.taken.add(tensor.name)
    table.taken.update(eq.lhs.name for eq in equations)
    for eq in equations:
        table.statements.append(_statement(eq, table))
    return tuple(table.statements)


def _statement(eq: Equation, table: _Table) -> Statement:
    """The equation itself: a sum where it is one and nothing else, else elementwise."""
    if asked(_is_elementwise, eq.form):
        return Statement(eq.lhs, eq.indices, MAP, (), eq.form, eq)
    inputs = (eq.form, *eq.indices)
    form, is_sum, sums = table.memo(("plan", len(eq.indices)), inputs, lambda: _plan(eq, table.memo))
    if not is_sum:
        return Statement(eq.lhs, eq.indices, MAP, (), _with_names(form, sums, eq, table), eq)
    (whole,) = sums
    if (known := table.helpers.get(whole.key)) is not None:
        return Statement(eq.lhs, eq.indices, MAP, (), Entry(known, *whole.free), eq)
    bound, body = whole.bound, whole.body
    if whole.node is not None:
        bound, body = _summed(expression_of(whole.node), eq, table)
    return Statement(eq.lhs, eq.indices, SUM, bound, body, eq)


def _is_elementwise(form: Expr) -> bool:
    """Whether nothing is left to be decided or named."""
    return not form.has(Over) and settled(form) is form


def _plan(eq: Equation, memo: Memo) -> _Plan:
    form = settled(eq.evaluated)
    is_sum = isinstance(form, Sum) and set(free_indices(form)) == set(eq.indices) and bool(eq.indices)
    if is_sum:
        return _Plan(form, True, (_named(form, eq, memo, _summed),))
    return _Plan(form, False, tuple(_named(node, eq, memo, _helped) for node in _outermost(form)))


def _outermost(expr: Expr) -> Iterator[Over]:
    """The sums, maxima and arg maxima that stand under no other."""
    if isinstance(expr, Over):
        yield expr
    elif not isinstance(expr, Entry):
        for a in expr.args:
            yield from _outermost(a)


def _named(node: Over, eq: Equation, memo: Memo, making: _Making) -> _Named:
    """What the statement of a sum needs; made by `making` if it needs no helpers."""

    def make() -> _Named:
        free = _in_order(node, eq.indices)
        apart = _Table(memo)
        bound, body = making(node, eq, apart)
        ready = not apart.statements
        key = instance_of(_key(node, free))
        op = OPS[type(node)]
        return _Named(key, free, op, bound, body, None) if ready else _Named(key, free, op, (), None, node)

    return memo(("named", making is _summed, len(eq.indices)), (node, *eq.indices), make)


def _with_names(form: Form, sums: tuple[_Named, ...], eq: Equation, table: _Table) -> Form:
    """`form` with an entry of a helper tensor for every sum."""
    if not sums:
        return form
    helpers = [_helper(s, eq, table) for s in sums]

    def make() -> tuple[Expr]:
        left = iter(zip(helpers, sums, strict=True))
        return (_replaced(expression_of(form), lambda _: _entry(*next(left))),)

    (made,) = table.memo(("with names", len(sums)), (form, *helpers, *(i for s in sums for i in s.free)), make)
    return made


def _entry(helper: Tensor, s: _Named) -> Entry:
    return Entry(helper, *s.free)


def _replaced(expr: Expr, entry: Callable[[Over], Expr]) -> Expr:
    """`expr` with something else for every outermost sum, maximum and arg max."""
    if isinstance(expr, Over):
        return entry(expr)
    if isinstance(expr, At):
        made = expr.func(*(_replaced(a, entry) for a in expr.args))
        return made.choice if expr.has(Over) else made
    if isinstance(expr, Entry) or not expr.args or not expr.has(Over):
        return expr
    return expr.func(*(_replaced(a, entry) for a in expr.args))


def _name_sums(expr: Expr, eq: Equation, table: _Table) -> Expr:
    def named(node: Over) -> Entry:
        s = _named(node, eq, table.memo, _helped)
        return _entry(_helper(s, eq, table), s)

    return _replaced(expr, named)


def _helper(s: _Named, eq: Equation, table: _Table) -> Tensor:
    """The tensor that holds a sum."""
    if s.key not in table.helpers:
        bound, body = s.bound, s.body
        if s.node is not None:
            bound, body = _helped(expression_of(s.node), eq, table)
        table.add(s.key, NAMES[s.op], lambda helper: Statement(helper, s.free, s.op, bound, body, eq), s.free)
    return table.helpers[s.key]


_Making = Callable[[Over, Equation, _Table], tuple[tuple[Index, ...], Expr]]


def _summed(node: Over, eq: Equation, table: _Table) -> tuple[tuple[Index, ...], Expr]:
    """The indices and the body of a sum that is an equation's right side."""
    fresh = refresh(node)
    assert isinstance(fresh, Over)
    return fresh.bound, _materialize(_name_sums(fresh.body, eq, table), fresh.bound, eq, table)


def _helped(node: Over, eq: Equation, table: _Table) -> tuple[tuple[Index, ...], Expr]:
    """The indices and the body of a sum that has a tensor of its own."""
    fresh = refresh(node)
    assert isinstance(fresh, Over)
    body = _lift_calls(_name_sums(fresh.body, eq, table), eq, table)
    return fresh.bound, _materialize(body, fresh.bound, eq, table) if OPS[type(node)] is SUM else body


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
    key = instance_of(substitute(value, places))
    if key not in table.helpers:
        table.add(key, NAMES[MAP], lambda helper: Statement(helper, free, MAP, (), value, eq), free)
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
