"""The float evaluator rounds every operation; the reference is right to the digits asked for; the checker rejects."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy as sp
from mpmath import mp, mpf
from sympy import Abs, Max, Min, Piecewise, cosh, erf, erfc, exp, log, sign, sinh, sqrt, tanh
from sympy.codegen.cfunctions import expm1, log1p

from symbackprop.simplify.evaluate import (
    compare_at_random_points,
    equal_at_random_points,
    equal_where_defined,
    evaluate,
)
from symbackprop.simplify.probes import probe_for
from symbackprop.simplify.reference import UNRESOLVED, reference, resolve
from symbackprop.simplify.tape import UnknownNodeError

z, y = sp.symbols("z y", real=True)
POINTS = [-1e4, -90.0, -20.0, -2.5, -1e-6, 0.0, 1e-6, 0.3, 20.0, 90.0, 1e4]

FUNCTIONS = {
    exp(z): np.exp,
    expm1(z): np.expm1,
    tanh(z): np.tanh,
    sinh(z / 9): lambda x: np.sinh(x / 9),
    cosh(z / 9): lambda x: np.cosh(x / 9),
    sp.sin(z): np.sin,
    sp.cos(z): np.cos,
    sp.tan(z): np.tan,
    sp.atan(z): np.arctan,
    erf(z): np.vectorize(math.erf),
    erfc(Abs(z)): lambda x: np.vectorize(math.erfc)(np.abs(x)),
    Abs(z): np.abs,
    sign(z): np.sign,
    sp.floor(z): np.floor,
    sp.ceiling(z): np.ceil,
    Max(z, 0): lambda x: np.maximum(x, 0),
    Min(z, 1, z**2): lambda x: np.minimum(np.minimum(x, 1), x * x),
    sqrt(1 + z**2): lambda x: np.sqrt(1 + x * x),
    1 / sqrt(1 + z**2): lambda x: 1 / np.sqrt(1 + x * x),
    log(1 + z**2): lambda x: np.log(1 + x * x),
    log1p(z**2): lambda x: np.log1p(x * x),
    z**5 / (1 + z**6): lambda x: x**5 / (1 + x**6),
    Abs(z) ** sp.Rational(1, 3): lambda x: np.abs(x) ** (1 / 3),
    2**z: lambda x: 2.0**x,
    Piecewise((z, z > 0), (z**2, z >= -3), (1, True)): lambda x: np.where(x > 0, x, np.where(x >= -3, x * x, 1)),
    Piecewise((1, sp.And(z > -1, z < 1)), (2, sp.Or(z < -50, z > 50)), (3, True)): lambda x: np.where(
        np.abs(x) < 1, 1, np.where(np.abs(x) > 50, 2, 3)
    ),
    Piecewise((1, sp.Not(sp.Eq(z, 0, evaluate=False), evaluate=False)), (0, True)): lambda x: (x != 0).astype(float),
}


@pytest.mark.parametrize("expr", FUNCTIONS, ids=str)
def test_every_node_has_its_numpy_value_and_its_reference(expr: sp.Expr) -> None:
    points = np.array([-3.75, -1.5, -0.25, 0.5, 1.25, 4.0])
    with np.errstate(all="ignore"):
        wanted = np.asarray(FUNCTIONS[expr](points), dtype=float)
    np.testing.assert_allclose(evaluate(expr, {z: points}, np.float64), wanted, rtol=1e-14)
    exact = np.array([float(v) for v in reference(expr, {z: points.tolist()})])
    np.testing.assert_allclose(exact, wanted, rtol=1e-13)


def test_every_operation_is_rounded_to_the_dtype() -> None:
    assert evaluate(1 + z - 1, {z: 1e-8}, np.float32) == np.float32(1e-8)
    tiny = evaluate(log(1 + z), {z: 1e-8}, np.float32)
    assert tiny.dtype == np.float32
    assert tiny == 0
    assert evaluate(log(1 + z), {z: 1e-8}, np.float64) > 0
    assert np.isinf(evaluate(exp(z), {z: 90.0}, np.float32))
    assert evaluate(erf(z), {z: 0.5}, np.float32).dtype == np.float32


def test_arrays_broadcast_and_constants_fill_the_shape() -> None:
    grid = evaluate(z + y, {z: np.zeros((3, 1)), y: np.ones(4)}, np.float64)
    assert grid.shape == (3, 4)
    assert evaluate(sp.Integer(2) + 0 * z, {z: np.zeros(5)}, np.float64).shape == (5,)


def test_an_unknown_node_is_named() -> None:
    with pytest.raises(UnknownNodeError, match="gamma"):
        evaluate(sp.gamma(z), {z: 1.0})


@pytest.mark.parametrize(
    "expr",
    [
        log(1 + exp(z)),
        1 / (1 + exp(-z)) - 1,
        tanh(z) - 1,
        1 - tanh(z) ** 2,
        z * tanh(log(1 + exp(z))),
        exp(-(z**2)) * sinh(z / 20),
        erfc(z / 7),
        sqrt(z**2 + 1) - Abs(z),
    ],
    ids=str,
)
def test_the_reference_agrees_with_plain_high_precision(expr: sp.Expr) -> None:
    values = reference(expr, {z: POINTS})
    for point, value in zip(POINTS, values, strict=True):
        with mp.workdps(9000 if abs(point) > 100 else 200):
            plain = _by_mpmath(expr, mpf(point))
            assert value is not None
            assert abs(value - plain) <= mpf("1e-20") * abs(plain) + mpf("1e-45")


def _by_mpmath(expr: sp.Expr, point: mpf) -> mpf:
    """The definition, without error bounds: mpmath's functions called on the tree."""
    if expr.is_Symbol:
        return point
    if expr.is_Rational:
        return mpf(int(expr.p)) / int(expr.q)
    args = [_by_mpmath(a, point) for a in expr.args]
    if expr.is_Add:
        return mp.fsum(args)
    if expr.is_Mul:
        return mp.fprod(args)
    if expr.is_Pow:
        return mp.power(*args)
    return {exp: mp.exp, log: mp.log, tanh: mp.tanh, sinh: mp.sinh, erfc: mp.erfc, Abs: mp.fabs}[expr.func](*args)


def test_precision_is_raised_where_an_exponential_hides_beside_a_one() -> None:
    (value,) = reference(log(log(1 + exp(z))), {z: [-1e4]})
    assert value is not None
    assert abs(value + 10000) < 1e-15
    (ratio,) = reference((1 / (1 + exp(z)) - 1) / exp(z), {z: [-2e3]})
    assert ratio is not None
    assert abs(ratio + 1) < 1e-15
    assert resolve(log(log(1 + exp(z))), {z: [-1e4]}, 20, 1000) == [UNRESOLVED]


def test_undefined_points_have_no_value() -> None:
    assert reference(log(z), {z: [-1.0, 0.0]}) == [None, None]
    assert reference(1 / z, {z: [0.0]}) == [None]
    assert reference(exp(exp(exp(z))), {z: [1e4]}) == [None]
    assert reference(exp(-exp(z)) + 1, {z: [1e4]}) == [1]
    assert reference(sqrt(z), {z: [-1.0]}) == [None]
    assert reference(Piecewise((log(z), z > 0), (z, True)), {z: [-1.0]}) == [-1]
    assert reference(1 / (1 - y**z), {z: [2.0], y: [1.0]}) == [None]
    assert reference(sp.zoo * z, {z: [1.0]}) == [None]
    assert reference(sp.nan + z, {z: [1.0]}) == [None]


def test_functions_at_their_ends_take_no_memory() -> None:
    for function in (tanh, erf):
        assert reference(function(exp(exp(z))), {z: [30.0]}) == [1]
        assert reference(function(-exp(exp(z))), {z: [30.0]}) == [-1]


def test_exact_values_stay_exact_at_kinks() -> None:
    assert reference(sign(z - y), {z: [0.1], y: [0.1]}) == [0]
    assert reference(Piecewise((1, z > y), (2, True)), {z: [0.1], y: [0.1]}) == [2]
    assert reference(log(cosh(z)) + sign(tanh(z)), {z: [0.0]}) == [0]


def test_the_checker_accepts_identities() -> None:
    assert equal_at_random_points(exp(z) / (1 + exp(z)), 1 / (1 + exp(-z)))
    assert equal_at_random_points(cosh(z) ** 2 - sinh(z) ** 2, sp.Integer(1))
    assert equal_at_random_points(log(z * y), log(z) + log(y), {z: "positive", y: "positive"})


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (1 - tanh(z) ** 2, 1 - 2 * tanh(z) ** 2),
        (exp(z) / (1 + exp(z)), 1 / (1 + exp(z))),
        (Piecewise((z, z > 0), (exp(z), True)), Piecewise((z, z > 0), (exp(-z), True))),
        (sqrt(z**2), z),
        (tanh(z), tanh(z) * (1 + sp.Rational(1, 10**20))),
        (Max(z, 0), log(1 + exp(sp.Integer(20) * z)) / 20),
        (z - y, y - z),
        (log(z**2), 2 * log(z)),
    ],
    ids=str,
)
def test_the_checker_rejects_wrong_rewrites(right: sp.Expr, wrong: sp.Expr) -> None:
    assert not equal_at_random_points(right, wrong)
    assert not equal_where_defined(right, wrong)


def test_the_checker_does_not_guess_where_nothing_is_defined() -> None:
    expr = sqrt(-1 - z**2)
    assert compare_at_random_points(expr, expr + 1, {}) is None
    assert not equal_at_random_points(expr, expr)
    assert not equal_where_defined(expr, expr)
    assert equal_where_defined(log(z - 3), log((z**2 - 9) / (z + 3)))


def test_a_form_is_measured_in_every_order_of_its_sum() -> None:
    """-y*z + max(z, 0) + log1p(...) is right in one order of its terms and loses everything in another."""
    truth = log(1 + exp(z)) - y * z
    probe = probe_for(truth, {}, {y: "unit"})
    fragile = -y * z + Max(z, 0) + log1p(exp(-Abs(z)))
    robust = Max((1 - y) * z, -y * z) + log1p(exp(-Abs(z)))
    assert not probe.grade(fragile, truth).passes
    assert probe.grade(robust, truth).passes
