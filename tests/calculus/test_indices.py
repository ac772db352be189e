"""Entries at computed places (windows, strides, reshapes, gathers) in NumPy and C against JAX in float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import pytest

import symbackprop as sb
from symbackprop.declare.optimizers import as_optimizer
from symbackprop.derive.adjoint import differentiate
from symbackprop.emit.c import emit_c
from symbackprop.emit.numpy import emit_numpy
from symbackprop.language.brackets import At, Inside
from symbackprop.language.tensor import BATCH, Dim, Tensor
from symbackprop.load.native import NativeModule
from symbackprop.load.numpy import NumpyModule
from symbackprop.lower import lower
from symbackprop.records import Equation, System
from symbackprop.simplify import simplify
from symbackprop.simplify.reuse import reuse_outputs

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")
jnp = jax.numpy

ROWS = 3
Value = Any


@dataclass(frozen=True)
class Case:
    """Equations that end in the output, and the same output as a function of x, whole numbers t and parameters."""

    equations: tuple[Equation, ...]
    inputs: tuple[Tensor, ...]
    parameters: tuple[Tensor, ...]
    reference: Callable[..., Value]


def made(name: str, *sizes: int, levels: int | None = None, kind: str = "intermediate") -> Tensor:
    """A tensor with a batch axis."""
    return Tensor(name, (BATCH, *(Dim(f"{name}{a}", s) for a, s in enumerate(sizes))), kind, levels=levels)


def given(*sizes: int) -> Tensor:
    return made("x", *sizes, kind="input")


def scaled(x: Tensor) -> tuple[Tensor, Tensor, Equation]:
    """A parameter for every entry of a sample, so that the gradient for x is seen: h = x*P."""
    P = sb.parameter("P", [d.size for d in x.dims[1:] if d.size is not None])
    h = made("h", *(d.size for d in x.dims[1:] if d.size is not None))
    n, *rest = sb.indices("n a b c")[: len(x.dims)]
    return h, P, sb.equation(h[n, *rest], x[n, *rest] * P[tuple(rest) if len(rest) > 1 else rest[0]])


def windows(x: Value, axis: int, places: Value) -> Value:
    """x at places along an axis, 0 outside; the axis becomes those of `places`."""
    inside = (places >= 0) & (places < x.shape[axis]) & (places == np.floor(places))
    taken = jnp.take(x, np.where(inside, places, 0).astype(int), axis=axis)
    mask = inside.reshape(inside.shape + (1,) * (x.ndim - axis - 1))
    return taken * mask


def spread(size: int, window: int, stride: float, step: float, shift: float) -> Value:
    return np.arange(size)[:, None] * stride + np.arange(window)[None, :] * step + shift


def conv2d(stride: int, pad: int, dilation: int, window: int, channels: int = 4) -> Case:
    n, c, o, i, j, u, v = sb.indices("n c o i j u v")
    x = given(2, 7, 6)
    h, P, first = scaled(x)
    sizes = [(s + 2 * pad - dilation * (window - 1) - 1) // stride + 1 for s in (7, 6)]
    W, b, y = (
        sb.parameter("W", (channels, 2, window, window)),
        sb.parameter("b", (channels,)),
        made("y", channels, *sizes),
    )
    at = [stride * a + dilation * w - pad for a, w in ((i, u), (j, v))]
    body = sb.Sum(W[o, c, u, v] * h.padded[n, c, at[0], at[1]], c, u, v)

    def reference(x: Value, P: Value, W: Value, b: Value) -> Value:
        return (
            jax.lax.conv_general_dilated(
                x * P, W, (stride, stride), [(pad, pad)] * 2, rhs_dilation=(dilation, dilation)
            )
            + b[:, None, None]
        )

    return Case((first, sb.equation(y[n, o, i, j], body + b[o])), (x,), (P, W, b), reference)


def conv1d_transposed(stride: int, window: int, pad: int) -> Case:
    n, c, o, q, u = sb.indices("n c o q u")
    x = given(3, 5)
    h, P, first = scaled(x)
    size = (5 - 1) * stride - 2 * pad + window
    W, y = sb.parameter("W", (3, 5, window)), made("y", 5, size)
    body = sb.Sum(W[c, o, u] * h.padded[n, c, (q + pad - u) / sb_integer(stride)], c, u)

    def reference(x: Value, P: Value, W: Value) -> Value:
        places = (np.arange(size)[:, None] + pad - np.arange(window)[None, :]) / stride
        return jnp.einsum("cou,ncqu->noq", W, windows(x * P, 2, places))

    return Case((first, sb.equation(y[n, o, q], body)), (x,), (P, W), reference)


def sb_integer(value: int) -> Any:
    import sympy

    return sympy.Integer(value)


def grouped() -> Case:
    n, g, c, o, i, u = sb.indices("n g c o i u")
    x = given(2, 3, 9)
    h, P, first = scaled(x)
    W, y = sb.parameter("W", (2, 4, 3, 3)), made("y", 2, 4, 9)
    body = sb.Sum(W[g, o, c, u] * h.padded[n, g, c, i + u - 1], c, u)
    return Case(
        (first, sb.equation(y[n, g, o, i], body)),
        (x,),
        (P, W),
        lambda x, P, W: jnp.einsum("gocu,ngciu->ngoi", W, windows(x * P, 3, spread(9, 3, 1, 1, -1))),
    )


def depthwise(stride: int) -> Case:
    n, c, i, j, u, v = sb.indices("n c i j u v")
    x = given(2, 8, 9)
    h, P, first = scaled(x)
    sizes = [(8 - 1) // stride + 1, (9 - 1) // stride + 1]
    W, y = sb.parameter("W", (2, 3, 3)), made("y", 2, *sizes)
    body = sb.Sum(W[c, u, v] * h.padded[n, c, stride * i + u - 1, stride * j + v - 1], u, v)

    def reference(x: Value, P: Value, W: Value) -> Value:
        wide = windows(x * P, 2, spread(sizes[0], 3, stride, 1, -1))
        return jnp.einsum("cuv,nciujv->ncij", W, windows(wide, 4, spread(sizes[1], 3, stride, 1, -1)))

    return Case((first, sb.equation(y[n, c, i, j], sb.tanh(body))), (x,), (P, W), lambda *a: jnp.tanh(reference(*a)))


def max_pool(window: int, stride: int, pad: int) -> Case:
    n, c, i, j = sb.indices("n c i j")
    u, v = sb.indices("u v", size=window)
    x = given(2, 7, 6)
    h, P, first = scaled(x)
    sizes = [(s + 2 * pad - window) // stride + 1 for s in (7, 6)]
    y = made("y", 2, *sizes)
    body = sb.MaxOver(h.lowest[n, c, stride * i + u - pad, stride * j + v - pad], u, v)

    def reference(x: Value, P: Value) -> Value:
        shape, strides, padding = (
            (1, 1, window, window),
            (1, 1, stride, stride),
            ((0, 0), (0, 0), (pad, pad), (pad, pad)),
        )
        return jax.lax.reduce_window(x * P, -jnp.inf, jax.lax.max, shape, strides, padding)

    return Case((first, sb.equation(y[n, c, i, j], body)), (x,), (P,), reference)


def max_of_shifted() -> Case:
    n, i = sb.indices("n i")
    u = sb.indices("u", size=3)
    x = given(7)
    h, P, first = scaled(x)
    b, y = sb.parameter("b", (3,)), made("y", 3)
    body = sb.MaxOver(h.lowest[n, 2 * i + u - 1] + b[u] ** 2, u)

    def reference(x: Value, P: Value, b: Value) -> Value:
        places = spread(3, 3, 2, 1, -1)
        inside = (places >= 0) & (places < 7)
        return jnp.where(inside, windows(x * P, 1, places) + b**2, -jnp.inf).max(-1)

    return Case((first, sb.equation(y[n, i], body)), (x,), (P, b), reference)


def average_pool() -> Case:
    n, c, i = sb.indices("n c i")
    u = sb.indices("u", size=3)
    x = given(2, 8)
    h, P, first = scaled(x)
    y = made("y", 2, 4)
    body = sb.Sum(h.padded[n, c, 2 * i + u - 1], u) / 3
    return Case(
        (first, sb.equation(y[n, c, i], body)),
        (x,),
        (P,),
        lambda x, P: windows(x * P, 2, spread(4, 3, 2, 1, -1)).mean(-1),
    )


def flatten() -> Case:
    n, j, k = sb.indices("n j k")
    x = given(2, 3, 4)
    h, P, first = scaled(x)
    f, W, y = made("f", 24), sb.parameter("W", (5, 24)), made("y", 5)
    second = sb.equation(f[n, j], sb.tanh(h[n, sb.part(j, 12, 2), sb.part(j, 4, 3), sb.part(j, 1, 4)]))
    return Case(
        (first, second, sb.equation(y[n, j], sb.Sum(W[j, k] * f[n, k], k))),
        (x,),
        (P, W),
        lambda x, P, W: jnp.tanh((x * P).reshape(ROWS, 24)) @ W.T,
    )


def reshape() -> Case:
    n, a, b = sb.indices("n a b")
    x = given(4, 6)
    h, P, first = scaled(x)
    y = made("y", 3, 8)
    flat = 8 * a + b
    return Case(
        (first, sb.equation(y[n, a, b], h[n, sb.part(flat, 6, 4), sb.part(flat, 1, 6)])),
        (x,),
        (P,),
        lambda x, P: (x * P).reshape(ROWS, 3, 8),
    )


def transpose() -> Case:
    n, a, b, c = sb.indices("n a b c")
    x = given(2, 3, 4)
    h, P, first = scaled(x)
    y = made("y", 4, 2, 3)
    return Case(
        (first, sb.equation(y[n, c, a, b], sb.exp(h[n, a, b, c]))),
        (x,),
        (P,),
        lambda x, P: jnp.exp((x * P).transpose(0, 3, 1, 2)),
    )


def concatenation() -> Case:
    n, j = sb.indices("n j")
    x = given(3)
    h, P, first = scaled(x)
    q, y = made("q", 4), made("y", 7)
    A = sb.parameter("A", (4,))
    second = sb.equation(q[n, j], A[j] * sb.Sum(h[n, k := sb.indices("k")], k))
    return Case(
        (first, second, sb.equation(y[n, j], h.padded[n, j] + q.padded[n, j - 3])),
        (x,),
        (P, A),
        lambda x, P, A: jnp.concatenate([x * P, A * (x * P).sum(1, keepdims=True)], axis=1),
    )


def embedding() -> Case:
    n, t, j, o = sb.indices("n t j o")
    tok = made("tok", 5, levels=7, kind="input")
    E, W = sb.parameter("E", (7, 6)), sb.parameter("W", (5, 6))
    e, y = made("e", 5, 6), made("y", 5, 5)
    first = sb.equation(e[n, t, j], E[tok[n, t], j])
    second = sb.equation(y[n, t, o], sb.Sum(W[o, j] * e[n, t, j], j))
    return Case((first, second), (tok,), (E, W), lambda t, E, W: E[t.astype(int)] @ W.T)


def looked_up_directly() -> Case:
    """A product with a gathered factor, a number for each level, and windows over the places."""
    n, t, j, o, u = sb.indices("n t j o u")
    tok = made("tok", 6, levels=7, kind="input")
    E, W, b = sb.parameter("E", (7, 6)), sb.parameter("W", (5, 6, 3)), sb.parameter("b", (7,))
    y = made("y", 4, 5)
    body = sb.Sum(W[o, j, u] * E[tok[n, t + u], j], j, u) * b[tok[n, t + 1]]

    def reference(t: Value, E: Value, W: Value, b: Value) -> Value:
        t = t.astype(int)
        return jnp.einsum("oju,ntuj->nto", W, E[t[:, spread(4, 3, 1, 1, 0).astype(int)]]) * b[t[:, 1:5], None]

    return Case((sb.equation(y[n, t, o], body),), (tok,), (E, W, b), reference)


def chosen_class() -> Case:
    n, k, o = sb.indices("n k o")
    x, label = given(4), made("label", levels=6, kind="input")
    W, w, z, y = sb.parameter("W", (6, 4)), sb.parameter("w", (6,)), made("z", 6), made("y")
    first = sb.equation(z[n, o], sb.Sum(W[o, k] * x[n, k], k))
    second = sb.equation(y[n], z[n, label[n]] ** 2 - sb.Sum(At(k, label[n]) * w[k] * z[n, k], k))

    def reference(x: Value, t: Value, W: Value, w: Value) -> Value:
        t = t.astype(int)
        z = (x @ W.T)[np.arange(ROWS), t]
        return z**2 - w[t] * z

    return Case((first, second), (x, label), (W, w), reference)


def scores() -> Case:
    n, i, j, k = sb.indices("n i j k")
    x = given(5, 6)
    h, P, first = scaled(x)
    y = made("y", 5, 5)
    body = sb.Sum(h[n, i, k] * h[n, j, k], k)
    return Case(
        (first, sb.equation(y[n, i, j], body)), (x,), (P,), lambda x, P: jnp.einsum("nik,njk->nij", x * P, x * P)
    )


def relative_places() -> Case:
    """A matrix of one number a diagonal, an axis backwards, a fixed row."""
    n, i, j = sb.indices("n i j")
    x = given(2, 5)
    h, P, first = scaled(x)
    T, y = sb.parameter("T", (9,)), made("y", 5)
    body = sb.Sum(T[i - j + 4] * h[n, 0, j], j) + h[n, 1, 4 - i]

    def reference(x: Value, P: Value, T: Value) -> Value:
        diagonals = T[np.arange(5)[:, None] - np.arange(5)[None, :] + 4]
        return (x * P)[:, 0] @ diagonals.T + (x * P)[:, 1, ::-1]

    return Case((first, sb.equation(y[n, i], body)), (x,), (P, T), reference)


def logarithms() -> Case:
    """Derivatives that are infinite where a window ends: the guards choose, they do not multiply."""
    n, i = sb.indices("n i")
    u = sb.indices("u", size=3)
    x = given(7)
    h, P, first = scaled(x)
    w, y = sb.parameter("w", (3,)), made("y", 5)
    return Case(
        (first, sb.equation(y[n, i], sb.Sum(w[u] * sb.log(h[n, i + u] ** 2), u))),
        (x,),
        (P, w),
        lambda x, P, w: windows(jnp.log((x * P) ** 2), 1, spread(5, 3, 1, 1, 0)) @ w,
    )


def guarded() -> Case:
    n, i, k = sb.indices("n i k")
    x = given(6)
    h, P, first = scaled(x)
    W, y = sb.parameter("W", (5, 6)), made("y", 5)
    body = sb.Sum(W[i, k] / (h[n, k] ** 2) * Inside(i - k, sb_integer(3)), k)

    def reference(x: Value, P: Value, W: Value) -> Value:
        gap = np.arange(5)[:, None] - np.arange(6)[None, :]
        return (((gap >= 0) & (gap < 3)) * W)[None] @ (1 / (x * P) ** 2)[:, :, None]

    return Case((first, sb.equation(y[n, i], body)), (x,), (P, W), lambda *a: reference(*a)[..., 0])


CASES: dict[str, Callable[[], Case]] = {
    **{
        f"conv2d-{s}-{p}-{d}-{w}": lambda s=s, p=p, d=d, w=w: conv2d(s, p, d, w)  # type: ignore[misc]
        for s, p, d, w in ((1, 1, 1, 3), (2, 1, 1, 3), (3, 2, 1, 2), (1, 2, 2, 3), (2, 0, 1, 2), (2, 3, 2, 3))
    },
    "conv2d-few": lambda: conv2d(1, 1, 1, 3, channels=2),
    "conv2d-many": lambda: conv2d(2, 1, 1, 3, channels=150),
    **{
        f"transposed-{s}-{w}-{p}": lambda s=s, w=w, p=p: conv1d_transposed(s, w, p)  # type: ignore[misc]
        for s, w, p in ((2, 3, 1), (3, 2, 0), (1, 3, 1), (2, 4, 1))
    },
    "grouped": grouped,
    "depthwise-1": lambda: depthwise(1),
    "depthwise-2": lambda: depthwise(2),
    "depthwise-3": lambda: depthwise(3),
    **{
        f"max_pool-{w}-{s}-{p}": lambda w=w, s=s, p=p: max_pool(w, s, p)  # type: ignore[misc]
        for w, s, p in ((2, 2, 0), (3, 2, 1), (3, 1, 1), (2, 3, 0))
    },
    "max_of_shifted": max_of_shifted,
    "average_pool": average_pool,
    "flatten": flatten,
    "reshape": reshape,
    "transpose": transpose,
    "concatenation": concatenation,
    "embedding": embedding,
    "looked_up_directly": looked_up_directly,
    "chosen_class": chosen_class,
    "scores": scores,
    "relative_places": relative_places,
    "logarithms": logarithms,
    "guarded": guarded,
}


def system_of(case: Case) -> System:
    """The case with the sum of its output's squares and a third of their cubes for objective."""
    output = case.equations[-1].lhs
    over = sb.indices("n i j k m")[: len(output.dims)]
    y = output[tuple(over)]
    objective = sb.equation(Tensor("L")[()], sb.Sum(y**2 + y**3 / 3, *over))
    return System(case.equations, objective, case.inputs, (), (output,), case.parameters, (), None)


def modules(case: Case, dtype: str = "float64") -> Iterator[Any]:
    derivation = simplify(differentiate(system_of(case), reuse_outputs))
    program = lower(derivation, as_optimizer("sgd").equations())
    numpy, c = emit_numpy(program, dtype), emit_c(program, dtype)
    yield NumpyModule(numpy)
    yield NativeModule(c, numpy)


def data_for(case: Case) -> list[Value]:
    draw = np.random.default_rng(7)
    shapes = [(ROWS, *(d.size for d in t.dims[1:])) for t in case.inputs]
    return [
        draw.normal(size=s) if t.levels is None else draw.integers(0, t.levels, size=s).astype(float)
        for t, s in zip(case.inputs, shapes, strict=True)
    ]


@pytest.mark.parametrize("name", CASES)
def test_outputs_and_gradients_are_jax_s(name: str) -> None:
    case = CASES[name]()
    data = data_for(case)
    draw = np.random.default_rng(11)
    values = [draw.normal(size=[d.size for d in t.dims]) for t in case.parameters]

    def objective(parameters: list[Value]) -> Value:
        y = case.reference(*data, *parameters)
        return (y**2).sum() + (y**3).sum() / 3

    expected, wanted = jax.value_and_grad(objective)(values)
    output = np.asarray(case.reference(*data, *values))
    for module in modules(case):
        params = np.zeros(module.manifest.block)
        grads = np.zeros_like(params)
        for slot, value in zip(module.manifest.parameters, values, strict=True):
            params[slot.offset : slot.offset + value.size] = value.ravel()
        hypers = np.array([v for _, v in module.manifest.hypers])
        (got,) = module.predict(params, hypers, tuple(data))
        assert np.abs(got - output).max() <= 1e-12 * max(1, np.abs(output).max()), module.target
        loss = module.gradients(params, hypers, tuple(data), grads)
        assert abs(loss - expected) <= 1e-11 * max(1, abs(expected)), module.target
        for slot, want in zip(module.manifest.parameters, wanted, strict=True):
            here = grads[slot.offset : slot.offset + want.size].reshape(slot.shape)
            size = max(float(np.abs(want).max()), 1e-12)
            assert np.abs(here - want).max() <= 1e-10 * size, (module.target, slot.name)


def params_of(module: Any, values: list[Value]) -> Value:
    params = np.zeros(module.manifest.length, np.dtype(module.manifest.dtype))
    for slot, value in zip(module.manifest.parameters, values, strict=True):
        params[slot.offset : slot.offset + value.size] = value.ravel()
    return params


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_first_of_equal_maxima_counts(dtype: str) -> None:
    """All entries are equal: each window's gradient goes to its first entry inside, in the order of its places."""
    case = max_pool(3, 2, 1)
    x = np.ones((ROWS, 2, 7, 6), dtype)
    for module in modules(case, dtype):
        params = params_of(module, [np.ones((2, 7, 6))])
        grads = np.zeros_like(params)
        module.gradients(params, np.array([v for _, v in module.manifest.hypers]), (x,), grads)
        expected = np.zeros((7, 6))
        for i, j in np.ndindex(4, 3):
            expected[max(2 * i - 1, 0), max(2 * j - 1, 0)] += 3 * ROWS  # d(y^2 + y^3/3)/dy = 3 at 1
        assert np.array_equal(grads[:84].reshape(2, 7, 6), [expected] * 2), module.target


def test_a_maximum_carries_a_nan_on() -> None:
    case = max_pool(2, 2, 0)
    x = np.random.default_rng(3).normal(size=(ROWS, 2, 7, 6))
    x[0, 0, 1, 1], x[1, 1, 2, 3], x[2, 0, 0, 0] = np.nan, np.nan, -np.inf
    with np.errstate(all="ignore"):
        expected = np.max([x[:, :, a : a + 6 : 2, b::2][:, :, :, :3] for a in (0, 1) for b in (0, 1)], axis=0)
    for module in modules(case):
        (got,) = module.predict(params_of(module, [np.ones((2, 7, 6))]), np.zeros(1), (x,))
        assert np.array_equal(got, expected, equal_nan=True), module.target


@pytest.mark.parametrize(
    ("name", "tensor", "form"),
    [("embedding", "dE", "scatter"), ("looked_up_directly", "db", "scatter"), ("conv2d-1-1-1-3", "dW", "gathered")],
)
def test_a_gradient_costs_what_it_must(name: str, tensor: str, form: str) -> None:
    """A table's gradient adds at the rows that were read, and nothing is as long as the table but the table."""
    case = CASES[name]()
    program = lower(simplify(differentiate(system_of(case), reuse_outputs)), as_optimizer("sgd").equations())
    forms = {s.lhs.name: k.form.name for k in program.kernels for s in k.statements}
    assert forms[tensor] == form, forms
    wide = {s.lhs.name for s in program.statements if {7, 5} <= set(s.lhs.sizes) and None in s.lhs.sizes}
    assert name != "embedding" or not wide


def test_a_sum_with_a_delta_is_one_read() -> None:
    program = lower(simplify(differentiate(system_of(chosen_class()), reuse_outputs)), as_optimizer("sgd").equations())
    (y,) = (s for s in program.statements if s.lhs.name == "y")
    assert not any(s.op == "sum" and s.lhs.name.startswith("sum") and 6 in [i.dim.size for i in s.over if i.dim]
                   for s in program.statements if s.source.lhs is y.lhs)  # fmt: skip
