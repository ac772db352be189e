"""Random equations for hypothesis: products, sums, quotients, functions and brackets over four different dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from symbackprop.declare.equation import equation
from symbackprop.language.functions import Sum
from symbackprop.language.nodes import Entry, Index, Size, TensorRef
from symbackprop.language.tensor import Dim, Tensor, hyper_tensor
from symbackprop.records import Equation
from tests.present.evaluate import size_of

DIMS = (Dim("N"), Dim("a", 2), Dim("b", 3), Dim("c", 5))
INDICES = tuple(Index(c, d) for c, d in zip("nijk", DIMS, strict=True))
LAM = hyper_tensor("lam", 0.3)


def _pool() -> dict[tuple[Dim, ...], tuple[Tensor, ...]]:
    """Two tensors for every one or two dimensions in either order, one for some three."""
    made: dict[tuple[Dim, ...], tuple[Tensor, ...]] = {}
    kinds = ("intermediate", "input", "parameter", "target", "adjoint")
    for d in DIMS:
        made[(d,)] = tuple(Tensor(f"{c}_{d.name}", (d,), kinds[k]) for k, c in enumerate("uv"))
        for e in DIMS:
            names = (f"{c}{d.name}{e.name}" for c in "AB")
            made[(d, e)] = tuple(Tensor(n, (d, e), kinds[(len(made) + k) % 5]) for k, n in enumerate(names))
    made[DIMS[:3]] = (Tensor("T", DIMS[:3]),)
    return made


POOL = _pool()


@st.composite
def entries(draw: Any, free: tuple[Index, ...]) -> Any:
    axes = tuple(draw(st.permutations(free))[: draw(st.sampled_from((1, 1, 2, 2, 2, 2, 2, 2, 3)))])
    if len(axes) == 3:
        axes = tuple(i for d in DIMS[:3] for i in free if i.dim == d) or axes
        axes = axes if tuple(i.dim for i in axes) in POOL else axes[:2]
    return draw(st.sampled_from(POOL[tuple(i.dim for i in axes)]))[axes]


@st.composite
def scalars(draw: Any) -> Any:
    numbers = [sp.Integer(2), sp.Rational(3, 2), sp.Float(0.25), sp.Integer(-1), sp.sqrt(2), sp.pi]
    return draw(st.sampled_from([*numbers, Entry(LAM), Size(DIMS[0]), 1 / Size(DIMS[1]), -Entry(LAM)]))


@st.composite
def expressions(draw: Any, free: tuple[Index, ...], depth: int = 3) -> Any:
    """An expression with free indices among `free`; small, and far from poles and kinks."""
    if depth == 0 or not free:
        return draw(entries(free) if free and draw(st.integers(0, 5)) else scalars())
    deeper = expressions(free, depth - 1)
    kind = draw(st.sampled_from(("entry", "product", "product", "sum", "contract", "contract", "function", "bracket")))
    if kind == "entry":
        return draw(entries(free))
    if kind == "product":
        return draw(deeper) * draw(deeper) * draw(st.sampled_from([1, 1, 2, sp.Rational(-1, 2), Entry(LAM)]))
    if kind == "sum":
        return draw(deeper) + draw(st.sampled_from([1, -1, 2])) * draw(deeper)
    if kind == "contract":
        return draw(contractions(free, depth - 1))
    if kind == "function":
        return draw(functions(draw(deeper), free))
    one, two = draw(entries(free)), draw(deeper)
    return draw(
        st.sampled_from(
            [
                sp.Piecewise((1, one > sp.Float(0.5)), (0, True)),
                sp.Piecewise((0, one <= sp.Float(0.5)), (1, True)),
                sp.Piecewise((two, one > sp.Float(0.5)), (one, True)),
                sp.Max(0, one - sp.Float(0.5)),
                sp.Abs(one - sp.Float(0.5)),
            ]
        )
    )


@st.composite
def functions(draw: Any, z: Any, free: tuple[Index, ...]) -> Any:
    """A function, a power or a quotient of z."""
    x = draw(entries(free))
    forms = [sp.exp(-(x**2)), sp.tanh(z), sp.log(1 + sp.exp(x)), 1 / (1 + sp.exp(-x)), sp.exp(x) / (1 + sp.exp(x))]
    forms += [z / (1 + x**2), 1 / (2 + x), x**2, x**3, sp.sqrt(1 + x), z * x**-2, (x + 1) ** -1 * z]
    j = draw(st.sampled_from(sorted(x.indices, key=lambda i: i.name)))
    k = Index("k", j.dim)
    there = Entry(x.tensor, *(k if i == j else i for i in x.indices))
    forms.append(sp.exp(x) / Sum(sp.exp(there), k))
    return draw(st.sampled_from(forms))


@st.composite
def contractions(draw: Any, free: tuple[Index, ...], depth: int) -> Any:
    """A sum over one or two more indices of a product of up to four factors."""
    new = draw(st.lists(st.sampled_from(INDICES), min_size=1, max_size=2, unique_by=lambda i: i.name))
    bound = tuple(i.fresh() for i in new if i.dim not in {f.dim for f in free}) or (new[0].fresh(),)
    scope = (*free, *bound) if len(bound) + len(free) <= 4 else bound
    body = sp.Integer(1)
    for _ in range(draw(st.integers(1, 3))):
        body *= draw(entries(scope) if draw(st.booleans()) or depth < 2 else expressions(scope, depth - 1))
    for i in [i for i in bound if not body.has(i)]:
        body = sp.Integer(2) if body == 0 else body
        body *= draw(st.sampled_from(POOL[(i.dim,)]))[i]
    return Sum(body, *bound)


@st.composite
def equations(draw: Any) -> Equation:
    """An equation with zero, one or two free indices."""
    free = tuple(draw(st.permutations(INDICES)))[: draw(st.sampled_from((0, 1, 2, 2, 2)))]
    rhs = draw(expressions(free)) if free else draw(contractions((), 3))
    return equation(Tensor("r", tuple(i.dim for i in free))[free], rhs)


def random_values(equation: Equation, seed: int) -> dict[Tensor, Any]:
    """Values between 0.2 and 1.2 for every tensor of an equation."""
    rng = np.random.default_rng(seed)
    tensors = sorted({ref.tensor for ref in equation.rhs.atoms(TensorRef)}, key=lambda t: t.name)
    return {t: 0.2 + rng.random(tuple(map(size_of, t.dims))) for t in tensors}
