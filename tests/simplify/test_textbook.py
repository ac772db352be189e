"""Derived formulas are no longer than the textbook's, and their numbers are JAX's."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import sympy as sp

import symbackprop as sb
from symbackprop.language.indices import substitute
from symbackprop.language.nodes import Size
from symbackprop.language.tensor import BATCH
from symbackprop.load.compiler import find_compiler
from symbackprop.present.count import count
from symbackprop.present.matrix import form
from symbackprop.present.text import show
from symbackprop.records import Derivation
from symbackprop.simplify.facts import Facts
from symbackprop.simplify.inline import _shorter
from tests.calculus import reference_jax as ref
from tests.calculus.compare import assert_equal_gradients
from tests.calculus.programs import fresh_model

jnp = ref.jnp
Array = Any
Arrays = dict[str, Array]
EPS = 1e-5
n, j, k, i, c, o = sb.indices("n j k i c o")
u = sb.indices("u", size=3)


def length_of(text: str) -> int:
    """What a formula counts: operators, calls (functions and sums), comparisons; `@` is a product over an index."""
    counted = (ast.BinOp, ast.UnaryOp, ast.Call, ast.Compare)
    return sum(isinstance(node, counted) for node in ast.walk(ast.parse(text, mode="eval")))


def normalized(z: sb.Tensor, axis: int, form: str) -> Any:
    """(z - mean)/sqrt(variance + eps) over an axis, scaled and shifted along the last, in several spellings."""
    kept = (z.dim(1 - axis),)
    at, over = ((j,), n) if axis == 0 else ((n,), j)
    size = Size(z.dim(axis))
    gamma, beta = (sb.parameter(name, (z.dim(1),), decay=False) for name in ("gamma", "beta"))
    mu, var, s, r = (sb.tensor(name, kept) for name in ("mu", "var", "s", "r"))
    xhat, h, d = (sb.tensor(name, z.dims) for name in ("xhat", "h", "d"))
    spread = sb.Sum((z[n, j] - mu[at]) ** 2, over) / size
    mean = sb.equation(mu[at], sb.Sum(z[n, j], over) / size)
    variance = sb.equation(var[at], spread)
    root = sb.equation(s[at], sb.sqrt(var[at] + EPS))
    ratio = sb.equation(xhat[n, j], (z[n, j] - mu[at]) / s[at])
    out = sb.equation(h[n, j], gamma[j] * xhat[n, j] + beta[j])
    centered = sb.equation(d[n, j], z[n, j] - mu[at])
    spelled = {
        "named": (mean, variance, root, ratio, out),
        "moments": (mean, sb.equation(var[at], sb.Sum(z[n, j] ** 2, over) / size - mu[at] ** 2), root, ratio, out),
        "size inside": (mean, sb.equation(var[at], sb.Sum((z[n, j] - mu[at]) ** 2 / size, over)), root, ratio, out),
        "no root": (mean, variance, sb.equation(xhat[n, j], (z[n, j] - mu[at]) / sb.sqrt(var[at] + EPS)), out),
        "inverse root": (
            mean,
            variance,
            sb.equation(r[at], 1 / sb.sqrt(var[at] + EPS)),
            sb.equation(xhat[n, j], (z[n, j] - mu[at]) * r[at]),
            out,
        ),
        "centered": (
            mean,
            centered,
            sb.equation(var[at], sb.Sum(d[n, j] ** 2, over) / size),
            root,
            sb.equation(xhat[n, j], d[n, j] / s[at]),
            out,
        ),
        "no xhat": (mean, variance, root, sb.equation(h[n, j], gamma[j] * (z[n, j] - mu[at]) / s[at] + beta[j])),
    }
    return sb.layer(h, *spelled[form])


def root_mean_square(z: sb.Tensor) -> Any:
    """z/sqrt(mean of z^2 + eps), scaled."""
    gamma, s = sb.parameter("gamma", (z.dim(1),), decay=False), sb.tensor("s", (z.dim(0),))
    xhat, h = sb.tensor("xhat", z.dims), sb.tensor("h", z.dims)
    return sb.layer(
        h,
        sb.equation(s[n], sb.sqrt(sb.Sum(z[n, j] ** 2, j) / Size(z.dim(1)) + EPS)),
        sb.equation(xhat[n, j], z[n, j] / s[n]),
        sb.equation(h[n, j], gamma[j] * xhat[n, j]),
    )


def softmax(z: sb.Tensor) -> Any:
    """An own softmax, of which nothing is declared."""
    q = sb.tensor("q", z.dims)
    return sb.layer(q, sb.equation(q[n, j], sb.exp(z[n, j]) / sb.Sum(sb.exp(z[n, k]), k)))


def log_softmax(z: sb.Tensor) -> Any:
    """An own log-softmax."""
    q = sb.tensor("q", z.dims)
    return sb.layer(q, sb.equation(q[n, j], z[n, j] - sb.log(sb.Sum(sb.exp(z[n, k]), k))))


def unit(z: sb.Tensor) -> Any:
    """Rows of length 1."""
    s, h = sb.tensor("s", (z.dim(0),)), sb.tensor("h", z.dims)
    return sb.layer(h, sb.equation(s[n], sb.sqrt(sb.Sum(z[n, j] ** 2, j))), sb.equation(h[n, j], z[n, j] / s[n]))


def tied(x: sb.Tensor) -> Any:
    """r = sigmoid(x W^T + b) W + c."""
    z = sb.Tensor("z", (x.dim(0), sb.Dim("hidden", 3)), adjoint="delta1")
    r, h = sb.Tensor("r", x.dims, adjoint="delta2"), sb.tensor("h", z.dims)
    W, b = sb.parameter("W", (z.dim(1), x.dim(1))), sb.parameter("b", (z.dim(1),))
    shift = sb.parameter("c", (x.dim(1),))
    return sb.layer(
        r,
        sb.equation(z[n, j], sb.Sum(W[j, k] * x[n, k], k) + b[j]),
        sb.equation(h[n, j], 1 / (1 + sb.exp(-z[n, j]))),
        sb.equation(r[n, k], sb.Sum(W[j, k] * h[n, j], j) + shift[k]),
    )


def convolution(name: str, channels: int, stride: int = 1) -> Callable[[sb.Tensor], Any]:
    """A convolution along the last axis, window 3, padded by 1."""

    def layer(x: sb.Tensor) -> Any:
        W = sb.parameter(f"W_{name}", (sb.Dim(f"c_{name}", channels), x.dim(1), 3))
        places = sb.Dim(f"i_{name}", -(-int(x.dim(2).size or 0) // stride))
        z = sb.Tensor(name, (x.dim(0), W.dim(0), places), adjoint=f"delta_{name}")
        return sb.layer(z, sb.equation(z[n, o, i], sb.Sum(W[o, c, u] * x.padded[n, c, stride * i + u - 1], c, u)))

    return layer


@dataclass(frozen=True)
class Case:
    """A network, the equations that are judged, what a textbook writes for them, and the network in jax.numpy."""

    layers: tuple[Any, ...]
    names: tuple[str, ...]
    textbook: str
    forward: Callable[[Arrays, Array], Array]
    loss: Any = "half_mse"
    options: dict[str, Any] = field(default_factory=lambda: {"reduction": "batch_mean"})
    inputs: tuple[int, ...] = (3,)
    entry: Callable[[Array, Array], Array] = lambda p, y: ((p - y) ** 2).sum() / 2 / len(p)

    def net(self) -> sb.Network:
        """The network as declared."""
        return sb.Network([sb.Input(self.inputs), *self.layers], loss=self.loss, **self.options)


def dense(p: Arrays, x: Array, number: int = 1) -> Array:
    return x @ p[f"W{number}"].T + p[f"b{number}"]


def last(p: Arrays, h: Array, number: int = 2) -> Array:
    return dense(p, h, number)


def standard(axis: int) -> Callable[[Arrays, Array], Array]:
    def forward(p: Arrays, x: Array) -> Array:
        z = dense(p, x)
        xhat = (z - z.mean(axis, keepdims=True)) / jnp.sqrt(z.var(axis, keepdims=True) + EPS)
        return last(p, p["gamma"] * xhat + p["beta"])

    return forward


def layered(function: Callable[[Array], Array]) -> Callable[[Arrays, Array], Array]:
    return lambda p, x: last(p, function(dense(p, x)))


def norm(spelling: str, axis: int = 0) -> tuple[Any, ...]:
    return sb.Dense(4), lambda z: normalized(z, axis, spelling), sb.Dense(2)


def convolved(p: Arrays, name: str, x: Array, stride: int = 1) -> Array:
    wide = jnp.pad(x, ((0, 0), (0, 0), (1, 1)))
    places = range(0, x.shape[2], stride)
    windows = jnp.stack([wide[:, :, a : a + 3] for a in places], 2)
    return jnp.einsum("ncau,ocu->noa", windows, p[f"W_{name}"])


BATCH_NORM = "gamma/(N*s)*(N*g - sum(g) - xhat*sum(g*xhat))"
SILU = "g@W * (s(z) + z*s(z)*(1 - s(z)))"
HUBER = "where(abs(z - y) <= 1, z - y, sign(z - y))/(K*N)"
CASES: dict[str, Case] = {
    "softmax and cross-entropy": Case(
        (sb.Dense(4),),
        ("delta1",),
        "(p - y)/N",
        dense,
        "softmax_cross_entropy",
        {},
        entry=lambda z, y: -(y * jnp.log(jnp.exp(z) / jnp.exp(z).sum(1, keepdims=True))).sum() / len(z),
    ),
    **{
        f"batch norm, {spelling}": Case(norm(spelling), ("delta1",), BATCH_NORM, standard(0))
        for spelling in ("named", "moments", "size inside", "inverse root", "centered")
    },
    "batch norm, no root": Case(norm("no root"), ("delta1",), BATCH_NORM.replace("s", "sqrt(v + e)", 1), standard(0)),
    "batch norm, no xhat": Case(
        norm("no xhat"),
        ("delta1",),
        "gamma/(N*s)*(N*g - sum(g) - (z - m)/s*sum(g*(z - m)/s))",
        standard(0),
    ),
    "layer norm": Case(
        norm("named", 1), ("delta1",), "(K*gamma*g - g@gamma - xhat*((g*xhat)@gamma))/(K*s)", standard(1)
    ),
    "RMS norm": Case(
        (sb.Dense(4), root_mean_square, sb.Dense(2)),
        ("delta1",),
        "(gamma*g - xhat*((g*xhat)@gamma)/K)/s",
        lambda p, x: last(p, p["gamma"] * dense(p, x) / jnp.sqrt((dense(p, x) ** 2).mean(1, keepdims=True) + EPS)),
    ),
    "unit rows": Case(
        (sb.Dense(4), unit, sb.Dense(2)),
        ("delta1",),
        "(g - u*sum(g*u))/s",
        layered(lambda z: z / jnp.sqrt((z**2).sum(1, keepdims=True))),
    ),
    "softmax": Case(
        (sb.Dense(4), softmax, sb.Dense(2)),
        ("delta1",),
        "q*(g - sum(g*q))",
        layered(lambda z: jnp.exp(z) / jnp.exp(z).sum(1, keepdims=True)),
    ),
    "log-softmax": Case(
        (sb.Dense(4), log_softmax, sb.Dense(2)),
        ("delta1",),
        "g - exp(q)*sum(g)",
        layered(lambda z: z - jnp.log(jnp.exp(z).sum(1, keepdims=True))),
    ),
    "tied autoencoder": Case(
        (tied,),
        ("dW",),
        "h@delta2 + delta1@x",
        lambda p, x: 1 / (1 + jnp.exp(-(x @ p["W"].T + p["b"]))) @ p["W"] + p["c"],
    ),
    "convolutions": Case(
        (convolution("z", 3), convolution("r", 2)),
        ("delta_z", "dW_z", "dW_r"),
        "sum(d*W) + sum(d*x) + sum(d*x)",  # + joins the three: 2 more than they count
        lambda p, x: convolved(p, "r", convolved(p, "z", x)),
        inputs=(2, 6),
    ),
    "convolutions with strides": Case(
        (convolution("z", 3), convolution("r", 2, 2)),
        ("delta_z", "dW_z", "dW_r"),
        "sum(d*W) + sum(d*x) + sum(d*x)",
        lambda p, x: convolved(p, "r", convolved(p, "z", x), 2),
        inputs=(2, 6),
    ),
    "Huber": Case(
        (sb.Dense(4),),
        ("delta1",),
        HUBER,
        dense,
        lambda p, y: sb.where(sb.absolute(p - y) <= 1, (p - y) ** 2 / 2, sb.absolute(p - y) - sb.absolute(1) / 2),
        {},
        entry=lambda p, y: jnp.where(abs(p - y) <= 1, (p - y) ** 2 / 2, abs(p - y) - 0.5).mean(),
    ),
    "log-cosh": Case(
        (sb.Dense(4),),
        ("delta1",),
        "tanh(z - y)/(K*N)",
        dense,
        lambda p, y: sb.log(sb.cosh(p - y)),
        {},
        entry=lambda p, y: jnp.log(jnp.cosh(p - y)).mean(),
    ),
    "hinge": Case(
        (sb.Dense(4),),
        ("delta1",),
        "-y*(y*z < 1)/(K*N)",
        dense,
        lambda p, y: sb.maximum(0, 1 - y * p),
        {},
        entry=lambda p, y: jnp.maximum(0, 1 - y * p).mean(),
    ),
    "cosine": Case(
        (sb.Dense(4),),
        ("delta1",),
        "(c*z/r**2 - y/(r*s))/N",
        dense,
        sb.losses.cosine(eps=0),
        {},
        entry=lambda p, y: (1 - (p * y).sum(1) / jnp.sqrt((p**2).sum(1) * (y**2).sum(1))).mean(),
    ),
    "SiLU": Case(
        (sb.Dense(4, lambda z: z / (1 + sb.exp(-z))), sb.Dense(2)),
        ("delta1",),
        SILU,
        layered(lambda z: z / (1 + jnp.exp(-z))),
    ),
    "GELU": Case(
        (sb.Dense(4, lambda z: z * (1 + sb.erf(z / sb.sqrt(2))) / 2), sb.Dense(2)),
        ("delta1",),
        "g@W * ((1 + erf(z/sqrt(2)))/2 + z*exp(-z**2/2)/sqrt(2*pi))",
        layered(lambda z: z * (1 + ref.jax.scipy.special.erf(z / np.sqrt(2))) / 2),
    ),
}


def printed(derivation: Derivation, names: tuple[str, ...]) -> dict[str, Any]:
    """The right sides of the named equations as they are printed."""
    return {eq.lhs.name: form(eq).rhs for eq in (*derivation.adjoints, *derivation.gradients) if eq.lhs.name in names}


@pytest.mark.parametrize("name", CASES)
def test_no_formula_is_longer_than_the_textbooks(name: str) -> None:
    case = CASES[name]
    forms = printed(case.net().derive(), case.names)
    assert set(forms) == set(case.names)
    longest = length_of(case.textbook) - (len(case.names) - 1)
    text = {key: f"{show(node)}   ({count(node)})" for key, node in forms.items()}
    assert sum(map(count, forms.values())) <= longest, f"{text}, textbook {case.textbook} ({longest})"


@pytest.mark.parametrize("name", CASES)
def test_the_numbers_are_those_of_jax(name: str) -> None:
    case = CASES[name]
    model = fresh_model(case.net())
    rng = np.random.default_rng(3)
    parameters = {key: rng.normal(size=value.shape) for key, value in model.parameters.items()}
    x = rng.normal(size=(5, *case.inputs))
    y = rng.normal(size=case.forward(parameters, x).shape)
    if "cross-entropy" in name:
        y = np.exp(y) / np.exp(y).sum(1, keepdims=True)
    model.parameters.update(parameters)
    _, gradients, _ = ref.value_and_gradients(lambda p: (case.entry(case.forward(p, x), y), jnp.inf), parameters)
    assert_equal_gradients(model.gradients(x, y), gradients, name)


def batch_norm_by_hand(x: Array, y: Array, W: Array) -> Array:
    """The textbook's gradient of W for x W^T, normalized, half the squared error summed; in the type of the data."""
    z = x @ W.T
    s = np.sqrt(((z - z.mean(0)) ** 2).mean(0) + z.dtype.type(EPS))
    xhat = (z - z.mean(0)) / s
    g, rows = xhat - y, z.dtype.type(len(z))
    return ((rows * g - g.sum(0) - xhat * (g * xhat).sum(0)) / (rows * s)).T @ x


@pytest.mark.parametrize("target", ["numpy", "c"])
@pytest.mark.parametrize("spelling", ["named", "no root", "inverse root", "centered", "no xhat"])
def test_a_large_mean_costs_no_more_digits_than_by_hand(spelling: str, target: str) -> None:
    """Float32, inputs of 1000 and some noise: errors against float64."""
    if target == "c" and find_compiler() is None:
        pytest.skip("no C compiler")
    net = sb.Network(
        [sb.Input(4), sb.Dense(4, bias=False), lambda z: normalized(z, 0, spelling)], loss="half_mse", reduction="sum"
    )
    model = sb.compile(net, target=target, dtype="float32")
    rng = np.random.default_rng(5)
    x = (1000 + rng.normal(size=(256, 4))).astype(np.float32)
    y, W = rng.normal(size=(256, 4)).astype(np.float32), np.eye(4, dtype=np.float32)
    model.parameters.update({"W1": W, "gamma": np.ones(4), "beta": np.zeros(4)})
    exact = batch_norm_by_hand(*(a.astype(np.float64) for a in (x, y, W)))
    derived, by_hand = (np.abs(g - exact).max() for g in (model.gradients(x, y)["W1"], batch_norm_by_hand(x, y, W)))
    assert derived <= 2 * by_hand


def test_a_layer_that_cannot_be_shortened_keeps_its_adjoints() -> None:
    """The mean's adjoint is read by a gradient that is a sum over it: written out there, it would be longer."""

    def offset(z: sb.Tensor) -> Any:
        mu, h, a = sb.tensor("mu", (z.dim(1),)), sb.tensor("h", z.dims), sb.parameter("a", (z.dim(1), z.dim(1)))
        return sb.layer(
            h,
            sb.equation(mu[j], sb.exp(sb.Sum(a[j, k] * z[n, k], n, k))),
            sb.equation(h[n, j], sb.sin(z[n, j] * mu[j])),
        )

    derivation = sb.Network([sb.Input(3), sb.Dense(3), offset], loss="mse").derive()
    assert "delta_mu" in {eq.lhs.name for eq in derivation.adjoints}


def test_adjoints_that_nothing_reads_are_left_out() -> None:
    derivation = CASES["cosine"].net().derive()
    assert [eq.lhs.name for eq in derivation.adjoints] == ["delta1"]


def test_what_is_put_in_is_a_step() -> None:
    derivation = CASES["batch norm, named"].net().derive()
    steps = [step for step in derivation.steps if [r.key for r in step.rules] == ["put_in"]]
    assert [t.name for t in steps[0].rules[0].tensors] == ["delta_mu", "delta_var"]
    assert [step.tensor for step in steps] == ["delta1"]
    assert steps[0].after == next(eq.rhs for eq in derivation.adjoints if eq.lhs.name == "delta1")


def test_layers_of_one_structure_are_thought_about_once() -> None:
    def numbered(number: int) -> Callable[[sb.Tensor], Any]:
        def layer(z: sb.Tensor) -> Any:
            mu, h = sb.tensor(f"mu{number}", (z.dim(1),)), sb.tensor(f"e{number}", z.dims)
            return sb.layer(
                h,
                sb.equation(mu[j], sb.Sum(z[n, j], n) / Size(z.dim(0))),
                sb.equation(h[n, j], (z[n, j] - mu[j]) ** 3),
            )

        return layer

    _shorter.cache_clear()
    layers = [layer for a in range(4) for layer in (sb.Dense(6 + a), numbered(a))]
    derivation = sb.Network([sb.Input(3), *layers], loss="mse").derive()
    assert {eq.lhs.name for eq in derivation.adjoints} >= {"delta1"}
    assert not any(eq.lhs.name.startswith("delta_mu") for eq in derivation.adjoints)
    info = _shorter.cache_info()
    assert (info.misses, info.hits) == (2, 2)  # the last layer's adjoint is the loss's


@pytest.mark.parametrize(
    ("rhs", "expected"),
    [
        (lambda W, v: sb.Sum(W[j, k] * v[k], k), 1),
        (lambda W, v: W[j, 0] * v[j] ** 2 / 3, 3),
        (lambda W, v: sb.Sum(W[j, k] ** 2, k), 2),
        (lambda W, v: -v[j] - 1, 2),
        (lambda W, v: 1 / (1 + sb.exp(-v[j])), 1),
        (lambda W, v: sb.where(v[j] > 0, v[j], 2 * v[j]), 3),
        (lambda W, v: sb.where(v[j] > 0, 1, 0), 1),
        (lambda W, v: sb.tanh(v[j]) * sb.sqrt(v[j]), 3),
    ],
)
def test_a_printed_form_counts_what_a_reader_counts(rhs: Callable[[Any, Any], Any], expected: int) -> None:
    W, v, h = sb.parameter("W", (3, 3)), sb.parameter("v", (3,)), sb.tensor("h", (3,))
    assert count(form(sb.equation(h[j], rhs(W, v))).rhs) == expected


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (sb.sqrt(2) / 2, "1/√2 v"),
        (3 / sb.sqrt(2), "3/√2 v"),
        (-1 / sb.sqrt(3), "-1/√3 v"),
        (sb.sqrt(2) / sb.sqrt(sp.pi), "√(2/π) v"),
        (1 / sb.sqrt(2 * sp.pi), "1/√(2 π) v"),
        (2 / sb.sqrt(sp.pi), "2/√π v"),
        (sb.sqrt(2), "√2 v"),
        (sb.sqrt(6) / 3, "√6/3 v"),
        (sb.sqrt(sp.pi), "√π v"),
    ],
)
def test_roots_stand_as_people_write_them(number: Any, text: str) -> None:
    v, h = sb.parameter("v", (3,)), sb.tensor("h", (3,))
    assert show(form(sb.equation(h[j], number * v[j])).rhs) == text


def test_sums_are_known_by_their_definitions() -> None:
    z, mu = sb.tensor("z", (BATCH, 4)), sb.tensor("mu", (4,))
    s, xhat = sb.tensor("s", (4,)), sb.tensor("xhat", z.dims)
    mean = sb.equation(mu[j], sb.Sum(z[n, j], n) / Size(z.dim(0)))
    ratio = sb.equation(xhat[n, j], (z[n, j] - mu[j]) / s[j])
    facts = Facts((mean, ratio))
    (column,) = mean.indices

    def value(body: Any) -> Any:
        total = sb.equation(sb.tensor("t", (4,))[j], sb.Sum(body, n))
        return facts.value_of(substitute(total.rhs, {total.indices[0]: column}))

    assert value(xhat[n, j]) == 0
    assert value(z[n, j] - mu[j]) == 0
    assert value(z[n, j]) == Size(z.dim(0)) * mu[column]
    assert value(xhat[n, j] ** 2) is None
    assert value(z[n, j] * xhat[n, j]) is None
