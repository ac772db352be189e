"""Regularizers on layers' tensors: what is refused, names of strengths, sharing."""

from __future__ import annotations

from typing import Any

import pytest

import symbackprop as sb
from symbackprop.declare.regularizers import (
    L1,
    L2,
    ElasticNet,
    Orthogonal,
    Penalized,
    Penalty,
    check_regularizer,
    penalized,
    penalty_parts,
    strengths,
)
from symbackprop.errors import DeclarationError, ShapeError

W, V, b = sb.parameter("W", (2, 3)), sb.parameter("V", (2, 3)), sb.parameter("b", (2,), decay=False)


@pytest.mark.parametrize(
    ("regularizer", "told"),
    [
        (0.1, "weight_regularizer: a regularizer is sb.L1, .*; got float 0.1"),
        (L2(-1.0), "L2's lam must be a finite number >= 0; got -1.0"),
        (ElasticNet(0.1, float("nan")), "ElasticNet's l2 must be a finite number"),
        (Penalty(), "a function of an entry, or tensor="),
        (Penalty(lambda w: w, tensor=lambda t: 1), "one of them"),
    ],
)
def test_what_is_refused(regularizer: Any, told: str) -> None:
    with pytest.raises(DeclarationError, match=told):
        check_regularizer(regularizer, "weight_regularizer")


def test_what_does_not_fit_its_tensor() -> None:
    j, k = sb.indices("j k")
    with pytest.raises(ShapeError, match=r"takes a matrix; b is \(2,\)"):
        penalty_parts((), penalized(Orthogonal(0.1), b), ())
    with pytest.raises(DeclarationError, match="it is one number: sum over j"):
        penalty_parts((), penalized(Penalty(tensor=lambda t: sb.Sum(t[j, k], k)), W), ())


def test_names_of_strengths() -> None:
    """Numbered by name in order; the same object once."""
    shared = L2(0.1)
    all_of_them = [shared, L2(0.2), L1(0.3), shared, ElasticNet(0.4, 0.5), Penalty(lambda w: w, lam=0.6)]
    named = strengths(all_of_them)
    assert named == {"lam": 0.1, "lam_2": 0.2, "lam1": 0.3, "lam1_2": 0.4, "lam_3": 0.5, "lam_4": 0.6}
    parts = penalty_parts(all_of_them[:2], [Penalized(r, W) for r in all_of_them[2:]], (W, b))
    assert {t.name: t.value for t in parts.hypers} == named


def test_a_networks_own_stands_on_weights_and_on_biases_if_told() -> None:
    assert "b[" not in str(penalty_parts((L2(0.1),), (), (W, b)).objective)
    assert "b[" in str(penalty_parts((L2(0.1, biases=True),), (), (W, b)).objective)
    assert penalty_parts((), (), (W, b)).objective == 0


def test_a_layer_used_twice_is_penalized_once() -> None:
    """Its weights; each output is one by itself."""
    r, out = L2(0.1), [sb.tensor(n, (sb.Dim("N"), 2)) for n in ("a1", "a2")]
    once = penalty_parts((), [Penalized(r, W)], ())
    assert str(penalty_parts((), [Penalized(r, W), Penalized(r, W)], ()).objective) == str(once.objective)
    both = str(penalty_parts((), [Penalized(r, a, True) for a in out], ()).objective)
    assert "a1[" in both and "a2[" in both


def test_one_matrix_in_two_orthogonal_penalties() -> None:
    """Their products have names of their own."""
    parts = penalty_parts((), [Penalized(Orthogonal(0.1), t) for t in (W, V, W)], ())
    names = [eq.lhs.name for eq in parts.equations]
    assert len(set(names)) == len(names) == 3


def test_keys_leave_out_the_strength() -> None:
    assert L2(0.1).key == L2(0.2).key != L2(0.1, half=False).key
    assert ElasticNet(1, 2).key == ElasticNet(3, 4).key != L1(1).key
    assert Penalty(lambda w: w).key is None
