"""Every line of an explanation is true: both sides are computed and compared, in notations and at all levels."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.document.floating import blocks as forms_for_floating_point
from symbackprop.document.floating import computed
from symbackprop.document.records import Derived, Formula, Paragraph
from symbackprop.document.setting import Setting
from symbackprop.document.steps import Explanations
from symbackprop.errors import PresentationError
from symbackprop.present import tree as t
from symbackprop.present.matrix import form
from symbackprop.present.notation import PROFILES, Notation
from symbackprop.present.view import View
from symbackprop.present.words import LANGUAGES, Words
from symbackprop.records import Derivation
from tests.document.steps_truth import Truth, sides
from tests.present.networks import NETWORKS

LEVELS = ("summary", "steps", "every-index")


def residual() -> sb.Network:
    x = sb.Input(4)
    h = sb.Dense(3, "tanh")(x)
    h = h + sb.Dense(3, "sigmoid")(h)
    return sb.Network(inputs=x, outputs=sb.Dense(2)(h), loss="softmax_cross_entropy")


def tied() -> sb.Network:
    encoder = sb.Dense(3, "tanh")
    return sb.Network([sb.Input(5), encoder, sb.layers.Tied(encoder, "sigmoid")], loss="mse")


CASES: dict[str, Any] = {
    "xor": lambda: NETWORKS["xor"],
    "softmax and L2": lambda: sb.Network(
        [sb.Input(4), sb.Dense(5, "relu"), sb.Dense(3)], loss="softmax_cross_entropy", weight_decay=1e-4
    ),
    "deep": lambda: NETWORKS["deep"],
    "residual": residual,
    "batch norm": lambda: NETWORKS["norm"],
    "batch norm of the library": lambda: sb.Network(
        [sb.Input(4), sb.Dense(3, bias=False), sb.layers.BatchNorm1d(), sb.Activation("relu"), sb.Dense(2)], loss="mse"
    ),
    "convolution": lambda: sb.Network(
        [
            sb.Input((1, 6, 6)),
            sb.layers.Conv2d(2, 3, activation="sigmoid"),  # no ties for the maxima: JAX would share them out
            sb.layers.MaxPool2d(2),
            sb.layers.Flatten(),
            sb.Dense(3),
        ],
        loss="softmax_cross_entropy",
    ),
    "embedding": lambda: sb.Network(
        [sb.Input(3, name="token", levels=6), sb.layers.Embedding(6, 4), sb.layers.Flatten(), sb.Dense(2)], loss="mse"
    ),
    "tied": tied,
    "huber": lambda: sb.Network([sb.Input(4), sb.Dense(3, "elu"), sb.Dense(2)], loss="huber"),
    "branches": lambda: NETWORKS["branches"],
}


@cache
def derived(name: str) -> Derivation:
    return CASES[name]().derive()  # type: ignore[no-any-return]


@cache
def truth(name: str) -> Truth:
    return Truth(derived(name))


def view_of(name: str, profile: str) -> View:
    return View(Notation(profile), derived(name))


def explanations(name: str, profile: str, level: str, language: str = "en") -> list[Derived]:
    made = derived(name)
    explain = Explanations(Setting(made, view_of(name, profile), Words(language), level))
    return [explain(eq) for eq in (*made.adjoints, *made.gradients)]


def wrong(formula: Formula, name: str, profile: str) -> bool:
    want, got = sides(formula, truth(name), view_of(name, profile))
    return want.shape != got.shape or not np.allclose(got, want, rtol=1e-8, atol=1e-10)


READ = [(name, profile, level) for name in CASES for profile in ("rows", "columns", "ng") for level in LEVELS[1:]]
READ += [(name, profile, "steps") for name in ("xor", "batch norm") for profile in ("torch", "keras", "lecture-1")]


@pytest.mark.parametrize(("name", "profile", "level"), READ)
def test_every_line_is_true(name: str, profile: str, level: str) -> None:
    lines = [f for d in explanations(name, profile, level) for f in d.lines]
    assert len(lines) >= len(derived(name).adjoints) + len(derived(name).gradients)
    assert [f for f in lines if wrong(f, name, profile)] == []


@pytest.mark.parametrize("profile", ["rows", "columns", "ng", "lecture-1"])
@pytest.mark.parametrize("name", CASES)
def test_no_line_repeats_the_one_before(name: str, profile: str) -> None:
    for level in LEVELS:
        for d in explanations(name, profile, level):
            for one, two in zip(d.lines, d.lines[1:], strict=False):
                assert (one.lhs, one.rhs) != (two.lhs, two.rhs)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", CASES)
def test_the_last_line_is_the_equation(name: str, profile: str) -> None:
    """As every other place prints it, or written with dL/da where the notation has that by itself."""
    made, view = derived(name), view_of(name, profile)
    for level in LEVELS:
        for eq, d in zip((*made.adjoints, *made.gradients), explanations(name, profile, level), strict=True):
            last = d.lines[-1]
            shown = form(view.shown(eq), view=view)
            assert last.number == str(eq.number)
            assert last.lhs == shown.lhs
            assert last.rhs == shown.rhs or (view.profile.products and reads_a_derivative_before(d))
            assert [f.number for f in d.lines[:-1]] == [f"{eq.number}.{k}" for k in range(1, len(d.lines))]
            assert {f.code for f in d.lines} == {eq.number}


def reads_a_derivative_before(derived: Derived) -> bool:
    told = [f.lhs.tensor for f in derived.lines[:-1] if isinstance(f.lhs, t.Leaf)]
    return any(isinstance(n, t.Leaf) and n.tensor in told for n in t.walk(derived.lines[-1].rhs))


def mutants(formula: Formula) -> list[Formula]:
    """The formula with a sign, a factor or a bracket changed."""
    two = t.Number(t.ONE.value * 2)  # type: ignore[operator]
    made = [t.Add(((-1, formula.rhs),)), t.Scale((two,), (), formula.rhs)]
    if isinstance(formula.rhs, t.Add) and len(formula.rhs.terms) > 1:
        made.append(replace(formula.rhs, terms=formula.rhs.terms[1:]))
        made.append(
            replace(formula.rhs, terms=((-formula.rhs.terms[0][0], formula.rhs.terms[0][1]), *formula.rhs.terms[1:]))
        )
    return [replace(formula, rhs=node) for node in made]


@pytest.mark.parametrize(("name", "level"), [("residual", "steps"), ("softmax and L2", "every-index")])
def test_a_wrong_line_is_found(name: str, level: str) -> None:
    lines = [f for d in explanations(name, "columns", level) for f in d.lines]
    for formula in lines:
        assert all(wrong(mutant, name, "columns") for mutant in mutants(formula)), formula


def test_a_lost_bracket_is_found() -> None:
    lines = [f for d in explanations("softmax and L2", "rows", "every-index") for f in d.lines]
    partial = next(
        f for f in lines if isinstance(f.lhs, t.Partial) and any(isinstance(n, t.Bracket) for n in t.walk(f.rhs))
    )
    assert isinstance(partial.rhs, t.Scale)
    kept = tuple(n for n in partial.rhs.numerator if not isinstance(n, t.Bracket))
    assert wrong(replace(partial, rhs=replace(partial.rhs, numerator=kept)), "softmax and L2", "rows")
    other = next(f for f in lines if isinstance(f.lhs, t.Through))
    assert isinstance(other.lhs, t.Through)
    assert wrong(replace(other, lhs=replace(other.lhs, number="5")), "softmax and L2", "rows")


def printed(formula: Formula) -> str:
    from symbackprop.present.text import show

    rule = "".join(p if isinstance(p, str) else show(p) for p in formula.rule)
    return f"({formula.number}) {show(formula.lhs)} = {show(formula.rhs)}   {rule}"


def test_the_steps_of_a_hidden_layer_and_of_softmax() -> None:
    lines = [printed(f) for d in explanations("softmax and L2", "rows", "steps") for f in d.lines]
    assert lines[:8] == [
        "(6.1) dp = -1/N y ⊘ p   derivative of (5)",
        "(6.2) ∂p[m, k]/∂z2[n, j] = p[m, k] ([k = j] - p[m, j]) [m = n]   derivative of (4); reuse of the output",
        "(6.3) δ2 = (p ⊙ (rowsum(y) 1ᵀ) - y)/N   chain rule through (4)",
        "(6) δ2 = (p - y)/N   rows of y sum to 1",
        "(7.1) da1 = δ2 W2   chain rule through (3)",
        "(7.2) ∂a1/∂z1 = [z1 > 0]   derivative of (2), entry by entry",
        "(7) δ1 = (δ2 W2) ⊙ [z1 > 0]   chain rule through (2)",
        "(8.1) dW1|(1) = δ1ᵀ x   chain rule through (1)",
    ]


def test_the_steps_entry_by_entry() -> None:
    lines = [printed(f) for f in explanations("xor", "rows", "every-index")[1].lines]
    assert lines == [
        "(7.1) da1[n, j] = Σ_m,k δ2[m, k] ∂z2[m, k]/∂a1[n, j]   chain rule through (3): sum over all entries of z2",
        "(7.2) ∂z2[m, k]/∂a1[n, j] = W2[k, j] [m = n]   derivative of (3)",
        "(7.3) da1[n, j] = Σ_k δ2[n, k] W2[k, j]   contraction of the Kronecker deltas",
        "(7.4) δ1[n, j] = Σ_m,k da1[m, k] ∂a1[m, k]/∂z1[n, j]   chain rule through (2): sum over all entries of a1",
        "(7.5) ∂a1[m, k]/∂z1[n, j] = (1 - σ(z1[m, k])) σ(z1[m, k]) [k = j] [m = n]   derivative of (2)",
        "(7.6) ∂a1[m, k]/∂z1[n, j] = a1[m, k] (1 - a1[m, k]) [k = j] [m = n]   reuse of the output",
        "(7.7) δ1[n, j] = da1[n, j] a1[n, j] (1 - a1[n, j])   contraction of the Kronecker deltas",
        "(7.8) δ1[n, j] = a1[n, j] (1 - a1[n, j]) Σ_k δ2[n, k] W2[k, j]   da1 put in",
        "(7) δ1 = (δ2 W2) ⊙ a1 ⊙ (1 - a1)   in matrix form",
    ]


def test_a_notation_with_products_writes_them_before() -> None:
    lines = [printed(f) for f in explanations("xor", "ng", "summary")[1].lines]
    assert lines == ["(7.1) da1 = W2ᵀ δ2   ", "(7) δ1 = da1 ⊙ a1 ⊙ (1 - a1)   "]


def setting_of(name: str, profile: str, level: str, language: str) -> Setting:
    return Setting(derived(name), view_of(name, profile), Words(language), level)


@pytest.mark.parametrize("name", CASES)
def test_the_computed_form_is_told(name: str) -> None:
    made = derived(name)
    for profile in ("rows", "ng"):
        setting = setting_of(name, profile, "steps", "en")
        for eq in (*made.forward, made.objective, *made.adjoints, *made.gradients):
            lines = computed(setting, eq)
            assert (lines == ()) == (eq.computed is None)
            for line in lines:
                assert line.number == f"F{eq.number}" and line.rule
                assert not wrong(line, name, profile)


def test_forms_for_floating_point_stand_in_one_place() -> None:
    opening, told = forms_for_floating_point(setting_of("softmax and L2", "rows", "every-index", "pl"))
    assert isinstance(opening, Paragraph) and isinstance(told, Derived)
    assert opening.sentence[0] == "".join(map(str, opening.sentence)) and "(F4) zastępuje (4)." in str(opening)
    assert told.heading == ("Zamiast (4), (5), (6)",)
    assert [line.number for line in told.lines] == ["F4", "F5", "F6"]
    assert told.lines[0].rule == ("przesunięcie log-sum-exp",)
    assert forms_for_floating_point(setting_of("softmax and L2", "rows", "summary", "pl")) == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_rules_are_told_in_every_language(language: str) -> None:
    english = {f.number: f.rule for d in explanations("batch norm", "rows", "every-index") for f in d.lines}
    for d in explanations("batch norm", "rows", "every-index", language):
        for f in d.lines:
            assert f.rule
            assert language == "en" or f.rule != english[f.number]


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(PresentationError, match="unknown level 'step'"):
        explanations("xor", "rows", "step")
