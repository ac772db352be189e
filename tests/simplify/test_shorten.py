"""The textbook's form comes out of algebra alone, and a wrong rewrite never does."""

from __future__ import annotations

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from sympy import Piecewise, cosh, erf, exp, log, sinh, sqrt, tanh

from symbackprop.simplify import shorten as shorten_module
from symbackprop.simplify.evaluate import equal_where_defined
from symbackprop.simplify.shorten import CANCEL, COMMON, LOGISTIC, REUSE, Short, shorten
from symbackprop.simplify.trees import inline, operations

z, y, t, a, p, s, N, K, alpha, d, r = sp.symbols("z y t a p s N K alpha d r", real=True)
zj, zk, aj, ak = sp.symbols("z_j z_k a_j a_k", real=True)
sigmoid = 1 / (1 + exp(-z))
entropy = -y / p + (1 - y) / (1 - p)


def elu(value: sp.Expr) -> sp.Expr:
    return Piecewise((z, z > 0), (value, True))


CASES = {
    "sigmoid": (sp.diff(sigmoid, z), {a: sigmoid}, a * (1 - a)),
    "sigmoid, other form": (sp.diff(sigmoid, z), {a: exp(z) / (1 + exp(z))}, a * (1 - a)),
    "tanh": (sp.diff(tanh(z), z), {a: tanh(z)}, 1 - a**2),
    "tanh from cosh": (cosh(z) ** -2, {a: tanh(z)}, 1 - a**2),
    "tanh of exponentials": (
        sp.diff(tanh(z), z),
        {a: (exp(z) - exp(-z)) / (exp(z) + exp(-z))},
        1 - a**2,
    ),
    "softplus": (sp.diff(log(1 + exp(z)), z), {a: log(1 + exp(z))}, sigmoid),
    "no output at hand": (exp(z) / (1 + exp(z)), {}, sigmoid),
    "elu": (
        Piecewise((1, z > 0), (alpha * exp(z), True)),
        {a: elu(alpha * (exp(z) - 1))},
        Piecewise((1, z > 0), (a + alpha, True)),
    ),
    "elu of 1": (Piecewise((1, z > 0), (exp(z), True)), {a: elu(exp(z) - 1)}, Piecewise((1, z > 0), (a + 1, True))),
    "elu of 0.1": (
        Piecewise((1, z > 0), (0.1 * exp(z), True)),
        {a: elu(0.1 * exp(z) - 0.1)},
        Piecewise((1, z > 0), (a + 0.1, True)),
    ),
    "elu inside a product": (
        t * Piecewise((1, z > 0), (alpha * exp(z), True)) / N,
        {a: elu(alpha * (exp(z) - 1))},
        t * Piecewise((1, z > 0), (a + alpha, True)) / N,
    ),
    "silu": (sp.diff(z * sigmoid, z), {a: sigmoid}, a + a * z * (1 - a)),
    "softmax, same": (exp(zj) / s - exp(2 * zj) / s**2, {aj: exp(zj) / s}, aj * (1 - aj)),
    "softmax, other": (-exp(zj) * exp(zk) / s**2, {aj: exp(zj) / s, ak: exp(zk) / s}, -aj * ak),
    "cross-entropy": (entropy * p * (1 - p), {}, p - y),
    "cross-entropy of logits": (entropy / N * exp(-z) / (1 + exp(-z)) ** 2, {p: sigmoid}, (p - y) / N),
    "cross-entropy of probabilities": (entropy, {}, (p - y) / (p * (1 - p))),
    "common denominator": (-y / (N * p) * p + p * 1 / N, {}, (p - y) / N),
    "literal power": (t * (s + 1) ** sp.Rational(-3, 2), {a: sqrt(s + 1)}, t / a**3),
    "common factor": (y * z + t * z, {}, z * (y + t)),
    "square": (p**2 - 2 * p * y + y**2, {}, (p - y) ** 2),
    "factored, with numbers": (2 * (p - y) / (N * K), {}, sp.Mul(2, p - y, 1 / N, 1 / K)),
    "number in front": (2 * p - 2 * y, {}, sp.Mul(2, p - y, evaluate=False)),
}
UNCHANGED = {
    "factored, with numbers": sp.Mul(2, p - y, 1 / N, 1 / K),
    "product of sums": (y + z) * (t + alpha),
    "product of sums, repeated": (y + z) * (y + t) * (z + t),
    "sum": y - alpha * t,
    "product": y * z * t,
    "sigmoid": sigmoid,
    "symbol": z,
    "number": sp.Integer(3),
    "exponential of a difference": y + (y - t) ** 2 * exp(y - t),
    "one of several": sp.diff(z * tanh(log(1 + exp(z))), z),
    "unknown function": sp.Function("f")(z) * (y + t),
}


@pytest.mark.parametrize("name", CASES)
def test_the_textbook_form(name: str) -> None:
    expr, definitions, wanted = CASES[name]
    short = shorten(expr, definitions)
    assert short.expr == wanted
    assert short.rules
    assert set(short.rules) <= {REUSE, CANCEL, COMMON}
    if short.expr.free_symbols - expr.free_symbols:
        assert REUSE in short.rules


@pytest.mark.parametrize("name", UNCHANGED)
def test_what_is_short_comes_back_itself(name: str) -> None:
    short = shorten(UNCHANGED[name], {})
    assert short.expr is UNCHANGED[name]
    assert short.rules == ()


def test_an_output_with_a_logistic_factor_stands_in_its_derivative() -> None:
    expr = sp.diff(z * sigmoid, z)
    assert shorten(expr, {a: z * sigmoid}) == Short(a + sigmoid * (1 - a), (REUSE,))
    assert shorten(expr, {}) == Short(sigmoid * (1 + z * (1 - sigmoid)), (LOGISTIC,))
    assert shorten(expr, {a: z * sigmoid + z}).rules != (REUSE,)


def test_an_output_that_depends_on_more_than_the_exponential_is_not_solved() -> None:
    expr = sp.diff(z * tanh(z), z)
    short = shorten(expr, {a: z * tanh(z)})
    assert a not in short.expr.free_symbols


def test_a_result_is_the_same_for_other_symbols_and_comes_from_the_cache() -> None:
    u, b = sp.Dummy("u", real=True), sp.Dummy("b", real=True)
    shorten(sp.diff(sigmoid, z), {a: sigmoid})
    before = shorten_module._shortened.cache_info().hits
    assert shorten(sp.diff(1 / (1 + exp(-u)), u), {b: 1 / (1 + exp(-u))}).expr == b * (1 - b)
    assert shorten_module._shortened.cache_info().hits > before


def test_a_wrong_rewrite_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_module._shortened.cache_clear()
    monkeypatch.setattr(shorten_module, "_solved", lambda expr, definitions: iter([definitions[0][0]]))
    monkeypatch.setattr(shorten_module, "_logistic", lambda expr, definitions: iter(()))
    expr = sp.diff(sigmoid, z)
    assert shorten(expr, {a: sigmoid}).expr == expr
    assert shorten(expr, {a: sigmoid}).rules == ()
    shorten_module._shortened.cache_clear()


def test_unknown_functions_stay_whole() -> None:
    f = sp.Function("f")(z, y)
    assert shorten(f * y + f * t, {}).expr == f * (y + t)
    assert shorten(erf(z) * y + erf(z) * t, {}).expr == erf(z) * (y + t)


@pytest.mark.parametrize(
    ("expr", "count"),
    [
        (a * (1 - a), 2),
        (1 - a**2, 2),
        (sigmoid, 1),
        (sigmoid**2, 2),
        (exp(z) / (1 + exp(z)), 4),
        ((p - y) / N, 2),
        (-y / p, 2),
        (2 * z / 3, 2),
        (Piecewise((1, z > 0), (0, True)), 1),
        (1 / sqrt(z), 2),
        (-a - y, 2),
    ],
    ids=str,
)
def test_operations_are_counted_as_a_reader_does(expr: sp.Expr, count: int) -> None:
    assert operations(expr) == count


_leaves = st.sampled_from([z, y, a, sp.Integer(2), exp(z), exp(-z), tanh(z), sigmoid, sp.Rational(1, 3)])
_expressions = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(sum),
        st.tuples(inner, inner).map(lambda pair: pair[0] * pair[1]),
        st.tuples(inner, inner).map(lambda pair: pair[0] - pair[1]),
        inner.map(lambda e: e / (2 + e**2)),
        inner.map(lambda e: Piecewise((e, z > 0), (e**2, True))),
        inner.map(sinh),
    ),
    max_leaves=6,
)


@given(_expressions, st.sampled_from([{}, {a: sigmoid}, {a: tanh(z)}, {a: 2 * exp(z) + 1}]))
def test_any_result_is_equal_and_no_longer(expr: sp.Expr, definitions: dict[sp.Symbol, sp.Expr]) -> None:
    short = shorten(expr, definitions)
    assert operations(short.expr) <= operations(expr)
    if short.rules:
        assert equal_where_defined(inline(expr, definitions), inline(short.expr, definitions))
    else:
        assert short.expr is expr
