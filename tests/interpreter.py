"""Equations evaluated by their definition: every index a NumPy axis, every sum a sum over its whole range.

Nothing of derive/, simplify/, lower/ or emit/ is used, so this is a judge of what they make. It is slow and takes
memory in the product of all ranges: small shapes only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import sympy
from sympy import Expr

from symbackprop.language import brackets, nodes
from symbackprop.language.tensor import Tensor
from symbackprop.records import Equation

Array = np.ndarray[Any, Any]
Values = Mapping[Tensor, Array]


def run(
    equations: Iterable[Equation], values: Values, rows: int, computed: bool = False, xp: Any = np
) -> dict[Tensor, Array]:
    """`values` with the left sides of `equations` added in order; `computed` takes the forms that kernels evaluate.

    `xp` is NumPy, or `jax.numpy`, so that JAX can differentiate what the equations define.
    """
    known = dict(values)
    for eq in equations:
        expr = eq.evaluated if computed else eq.rhs
        known[eq.lhs] = evaluate(expr, eq.indices, known, rows, xp)
        assert known[eq.lhs].shape == tuple(rows if d.size is None else d.size for d in eq.lhs.dims), eq
    return known


def evaluate(expr: Expr, indices: tuple[nodes.Index, ...], values: Values, rows: int, xp: Any = np) -> Array:
    """The array of `expr` over the ranges of `indices`."""
    with np.errstate(all="ignore"):
        return Walk(values, rows, indices, xp).full(expr)


def read_by(equations: Iterable[Equation]) -> tuple[Tensor, ...]:
    """The tensors that the equations read and do not define, by name."""
    known = list(equations)
    made = {eq.lhs for eq in known}
    found = {ref.tensor for eq in known for ref in eq.rhs.atoms(nodes.TensorRef)} - made
    return tuple(sorted(found, key=lambda t: t.name))


class Walk:
    """The evaluation of one expression; `axes` are the indices at hand, the last being the last axis."""

    def __init__(self, values: Values, rows: int, axes: tuple[nodes.Index, ...], xp: Any = np) -> None:
        self.values, self.rows, self.axes, self.xp = values, rows, axes, xp
        assert len(set(axes)) == len(axes), f"an index is bound twice: {axes}"

    def size(self, dim: Any) -> int:
        """The size of a dimension; the batch is the only one without."""
        assert dim is not None, "an index without a dimension"
        return self.rows if dim.size is None else int(dim.size)

    def full(self, expr: Expr) -> Any:
        """The array over all axes, constants repeated."""
        shape = tuple(self.size(i.dim) for i in self.axes)
        return self.xp.array(self.xp.broadcast_to(self(expr), shape), dtype=float)

    def __call__(self, expr: Any) -> Any:
        """The array, which broadcasts to the axes."""
        for kind, visit in VISITS:
            if isinstance(expr, kind):
                return visit(self, expr)
        raise NotImplementedError(f"{type(expr).__name__}: {expr}")

    def all(self, args: Iterable[Any]) -> list[Any]:
        """Every one of several expressions."""
        return [self(a) for a in args]

    def index(self, index: nodes.Index) -> Any:
        """0, 1, ... along the index's own axis."""
        assert index in self.axes, f"{index} is free in an equation over {self.axes}"
        behind = len(self.axes) - 1 - self.axes.index(index)
        return np.arange(self.size(index.dim), dtype=float).reshape((-1,) + (1,) * behind)

    def entry(self, node: nodes.Entry) -> Any:
        """Read at positions that must be inside, unless the entry says what stands outside."""
        array = self.values[node.tensor]
        inside: Any = True
        places = []
        positions = Walk(self.values, self.rows, self.axes).all(node.indices)
        for position, size in zip(positions, array.shape, strict=True):
            fits = whole_inside(position, size)
            assert node.outside is not None or np.all(fits), f"{node} is read at {position} of {size}"
            inside = inside & fits
            places.append(np.where(fits, np.rint(position), 0).astype(int))
        found = array[tuple(np.broadcast_arrays(*places))] if places else array
        return found if node.outside is None else self.xp.where(inside, found, float(node.outside))

    def over(self, node: nodes.Over) -> Any:
        """The body with the bound indices as the first axis, flat in row-major order."""
        inner = Walk(self.values, self.rows, (*node.bound, *self.axes), self.xp).full(node.body)
        return inner.reshape((math.prod(inner.shape[: len(node.bound)]), *inner.shape[len(node.bound) :]))

    def constant(self, value: Any) -> Any:
        """A value that JAX differentiates no further."""
        if self.xp is np:
            return value
        from jax.lax import stop_gradient

        return stop_gradient(value)

    def piecewise(self, node: sympy.Piecewise) -> Any:
        """The first branch whose condition holds."""
        result: Any = math.nan
        for value, condition in reversed(node.args):
            result = self.xp.where(self(condition), self(value), result)
        return result

    def fold(self, args: Iterable[Any], operation: Callable[[Any, Any], Any]) -> Any:
        """The operation between neighbors."""
        first, *rest = self.all(args)
        for value in rest:
            first = operation(first, value)
        return first


NAMES = {
    "Abs": "abs",
    "ceiling": "ceil",
    **{a: f"arc{a[1:]}" for a in ("asinh", "acosh", "atanh", "asin", "acos", "atan")},
}
SPECIAL = {"erf": math.erf, "erfc": math.erfc, "gamma": math.gamma, "loggamma": math.lgamma}
RELATIONS: dict[Any, str] = {
    sympy.Eq: "equal",
    sympy.Ne: "not_equal",
    sympy.Ge: "greater_equal",
    sympy.Gt: "greater",
    sympy.Le: "less_equal",
    sympy.Lt: "less",
}


def whole_inside(position: Any, size: Any) -> Any:
    """Whether it is a whole number from 0 to size - 1; denominators are small, so the rounding is."""
    whole = np.abs(position - np.rint(position)) < 1e-9
    return whole & (np.rint(position) >= 0) & (np.rint(position) < size)


def _part(walk: Walk, node: brackets.Part) -> Any:
    flat, stride, size = walk.all(node.args)
    return np.floor(flat / stride) % size


def _function(walk: Walk, node: Any) -> Any:
    name = type(node).__name__
    if name in SPECIAL:
        return _special(walk, name, walk(node.args[0]))
    return getattr(walk.xp, NAMES.get(name, name))(*walk.all(node.args))


def _special(walk: Walk, name: str, x: Any) -> Any:
    if walk.xp is np:
        return np.vectorize(SPECIAL[name], otypes=[float])(x)
    from jax.scipy import special

    return getattr(special, name)(x)


def _power(walk: Walk, node: Any) -> Any:
    """An integer exponent stays one: a negative base has no other powers."""
    base, exponent = node.args
    if exponent.is_Integer:
        return walk.xp.power(walk.xp.asarray(walk(base), dtype=float), int(exponent) + 0.0)
    return walk.xp.power(walk.xp.asarray(walk(base), dtype=float), walk(exponent))


VISITS: tuple[tuple[Any, Callable[[Walk, Any], Any]], ...] = (
    (nodes.Index, Walk.index),
    (nodes.Size, lambda walk, e: float(walk.size(e.dim))),
    (nodes.Entry, Walk.entry),
    (brackets.Part, _part),
    (brackets.Inside, lambda walk, e: 1.0 * whole_inside(*walk.all(e.args))),
    (brackets.NotAt, lambda walk, e: 1.0 * walk.xp.not_equal(*walk.all(e.args))),
    (brackets.At, lambda walk, e: 1.0 * walk.xp.equal(*walk.all(e.args))),
    (nodes.Detached, lambda walk, e: walk.constant(walk(e.args[0]))),
    (nodes.Sum, lambda walk, e: walk.over(e).sum(0)),
    (nodes.MaxOver, lambda walk, e: walk.over(e).max(0)),
    (nodes.ArgMax, lambda walk, e: walk.over(e).argmax(0).astype(float)),
    (nodes.Held, lambda walk, e: walk(e.body)),
    (sympy.Add, lambda walk, e: walk.fold(e.args, walk.xp.add)),
    (sympy.Mul, lambda walk, e: walk.fold(e.args, walk.xp.multiply)),
    (sympy.Pow, _power),
    (sympy.Max, lambda walk, e: walk.fold(e.args, walk.xp.maximum)),
    (sympy.Min, lambda walk, e: walk.fold(e.args, walk.xp.minimum)),
    (sympy.Piecewise, Walk.piecewise),
    (sympy.core.relational.Relational, lambda walk, e: getattr(walk.xp, RELATIONS[e.func])(*walk.all(e.args))),
    (sympy.And, lambda walk, e: walk.fold(e.args, walk.xp.logical_and)),
    (sympy.Or, lambda walk, e: walk.fold(e.args, walk.xp.logical_or)),
    (sympy.Not, lambda walk, e: walk.xp.logical_not(walk(e.args[0]))),
    (sympy.logic.boolalg.BooleanAtom, lambda walk, e: bool(e)),
    (sympy.exp, lambda walk, e: walk.xp.exp(walk(e.args[0]))),
    (sympy.core.function.Function, _function),
    (sympy.Number, lambda walk, e: float(e)),
    (sympy.NumberSymbol, lambda walk, e: float(e)),
)
"""How each kind of node is evaluated; the first kind that fits counts."""
