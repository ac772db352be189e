"""Schedules against their formulas, alone and in training; nothing is compiled again."""

from __future__ import annotations

import copy
import math
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy

import symbackprop as sb
from symbackprop import schedules
from symbackprop.declare.schedule import Clock, Schedule, as_schedule
from symbackprop.errors import DataError, DeclarationError, NonFiniteError
from symbackprop.runtime import Manifest
from symbackprop.train import Model
from symbackprop.train.blocks import bounds_of
from symbackprop.train.loop import Pace

Array = Any
PER, EPOCHS = 5, 12
STEPS = np.arange(PER * EPOCHS)
CLOCK = Clock.of(STEPS, 0, 0, PER)
t, e = sympy.symbols("t e")
Formula = Callable[[int, int, float], float]
"""The step and its epoch, from 1, and the epochs done -> the value."""


def half_cosine(first: float, last: float, x: float) -> float:
    return last + (first - last) * (1 + math.cos(math.pi * x)) / 2


def one_cycle(step: int, total: float, largest: float, start: float, end: float, rise: float) -> float:
    """PyTorch's OneCycleLR with two phases, cosine; `step` counts from 0."""
    first_end, last = rise * total - 1, total - 1
    if step <= first_end:
        return half_cosine(start, largest, step / first_end)
    return half_cosine(largest, end, (min(step, last) - first_end) / (last - first_end))


CASES: dict[str, tuple[Any, Formula]] = {
    "constant": (schedules.constant(0.3), lambda t, e, past: 0.3),
    "inverse": (schedules.inverse(0.3), lambda t, e, past: 0.3 / e),
    "robbins_monro": (
        schedules.robbins_monro(0.3, decay=0.5, power=0.75),
        lambda t, e, past: 0.3 / (1 + 0.5 * t) ** 0.75,
    ),
    "step": (schedules.step(0.3, 0.5, every=3), lambda t, e, past: 0.3 * 0.5 ** ((e - 1) // 3)),
    "exponential": (schedules.exponential(0.3, 0.9), lambda t, e, past: 0.3 * 0.9 ** (e - 1)),
    "cosine, steps": (
        schedules.cosine(0.3, steps=40, minimum=0.1),
        lambda t, e, past: half_cosine(0.3, 0.1, min(1, (t - 1) / 40)),
    ),
    "cosine, epochs": (schedules.cosine(0.3, epochs=6), lambda t, e, past: half_cosine(0.3, 0, min(1, past / 6))),
    "one_cycle, steps": (
        schedules.one_cycle(0.3, steps=50),
        lambda t, e, past: one_cycle(t - 1, 50, 0.3, 0.3 / 25, 0.3 / 25e4, 0.3),
    ),
    "one_cycle, epochs": (
        schedules.one_cycle(0.3, epochs=8, start=0.1, end=0.01, rise=0.5),
        lambda t, e, past: one_cycle(t - 1, 40, 0.3, 0.1, 0.01, 0.5),
    ),
    "warm_up to a number": (schedules.warm_up(0.3, steps=7), lambda t, e, past: 0.3 * min(1, t / 7)),
    "warm_up by steps": (
        schedules.warm_up(schedules.robbins_monro(0.3), steps=7),
        lambda t, e, past: 0.15 * t / 7 if t <= 7 else 0.3 / (1 + t - 7),
    ),
    "warm_up by epochs": (
        schedules.warm_up(schedules.inverse(0.3), epochs=2),
        lambda t, e, past: 0.3 * t / 10 if t <= 10 else 0.3 / (e - 2),
    ),
    "warm_up, cosine": (
        schedules.warm_up(schedules.cosine(0.3, epochs=5), epochs=2.5),
        lambda t, e, past: (
            0.3 * min(1, (past + 0.2) / 2.5) if past < 2.5 else half_cosine(0.3, 0, min(1, (past - 2.5) / 5))
        ),
    ),
    "plateau": (schedules.reduce_on_plateau(0.3), lambda t, e, past: 0.3),
    "an expression": (0.3 / sympy.sqrt(t), lambda t, e, past: 0.3 / math.sqrt(t)),
    "an expression, named": (
        schedules.expression(sympy.Piecewise((t / 10, t <= 10), (sympy.exp(-e) + sympy.Max(0.1, sympy.cos(t)), True))),
        lambda t, e, past: t / 10 if t <= 10 else math.exp(-e) + max(0.1, math.cos(t)),
    ),
    "an expression, other": (
        sympy.floor(t / 3) * sympy.Rational(1, 7) + sympy.Mod(t, 4) * sympy.pi + sympy.Abs(2 - e) ** 1.5 + sympy.log(t),
        lambda t, e, past: t // 3 / 7 + t % 4 * math.pi + abs(2 - e) ** 1.5 + math.log(t),
    ),
    "a constant expression": (sympy.sqrt(2) + sympy.Symbol("t") * 0, lambda t, e, past: math.sqrt(2)),
    "a function of t": (lambda t: 0.3 / t, lambda t, e, past: 0.3 / t),
    "a function of t and e": (lambda t, e: 0.3 / t + e, lambda t, e, past: 0.3 / t + e),
    "a function with an option": (lambda t, power=2.0: 0.3 / t**power, lambda t, e, past: 0.3 / t**2),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_values(case: str) -> None:
    given, formula = CASES[case]
    schedule = as_schedule(given)
    if schedule is None:
        assert float(given) == formula(1, 1, 0)
        return
    expected = [formula(int(s) + 1, int(s) // PER + 1, s / PER) for s in STEPS]
    values = schedule.at(CLOCK)
    assert values.dtype == np.float64 and values.shape == STEPS.shape
    np.testing.assert_allclose(values, expected, rtol=1e-13, atol=1e-16)
    parts = [schedule.at(Clock.of(part, 0, 0, PER)) for part in np.array_split(STEPS, 7)]
    np.testing.assert_array_equal(np.concatenate(parts), values, err_msg="depends on the chunks")


def test_every_schedule_has_a_case() -> None:
    public = {n for n, v in vars(schedules).items() if getattr(v, "__module__", "") == schedules.__name__}
    named = {n for n in public if not n.startswith("_")}
    assert len(named) == 10
    tested = {case.split(",")[0].split()[0] for case in CASES}
    assert named - {"reduce_on_plateau", "expression"} <= tested


def test_a_later_call_of_fit_counts_on() -> None:
    """Its first step is the 8th, its first epoch the 3rd."""
    clock = Clock.of(np.arange(7, 11), 7, 2, 2)
    assert clock.t.tolist() == [8, 9, 10, 11] and clock.e.tolist() == [3, 3, 4, 4]
    assert clock.past.tolist() == [2, 2.5, 3, 3.5]


def network(**options: Any) -> sb.Network:
    return sb.Network([sb.Input(3), sb.Dense(4, "tanh"), sb.Dense(2)], "mse", weight_decay=0.01, **options)


def compiled(eta: Any, target: str = "numpy", **options: Any) -> Model:
    return sb.compile(network(), target=target, optimizer=sb.Momentum(eta, **options), dtype="float64", seed=3)


def data(rows: int = 23) -> tuple[Array, Array]:
    draw = np.random.default_rng(8)
    return draw.normal(size=(rows, 3)), draw.normal(size=(rows, 2))


def parameters(model: Model) -> dict[str, Array]:
    return {name: np.array(v) for name, v in model.parameters.items()}


def test_training_takes_each_steps_value(target: str) -> None:
    """Against the same steps with the numbers set by hand, one at a time; partial batches, momentum and decay too."""
    X, y = data()
    model = compiled(0.1 / sympy.sqrt(t) + 0.01 * e, target, mu=lambda t: 0.9 - 0.5 / t)
    model.hypers["lam"] = schedules.exponential(0.02, 0.5)
    by_hand = compiled(0.0, target)
    history = model.fit(X, y, epochs=3, batch_size=5, shuffle=False, verbose=False)
    step = 0
    for epoch in range(1, 4):
        for first in range(0, 23, 5):
            step += 1
            eta, mu, lam = 0.1 / math.sqrt(step) + 0.01 * epoch, 0.9 - 0.5 / step, 0.02 * 0.5 ** (epoch - 1)
            by_hand.hypers.update({"eta": eta, "mu": mu, "lam": lam})
            rows = slice(first, first + 5)
            by_hand.fit(X[rows], y[rows], batch_size=len(X[rows]), shuffle=False, verbose=False)
    for name, expected in by_hand.parameters.items():
        np.testing.assert_allclose(model.parameters[name], expected, rtol=1e-12, atol=1e-14)
    assert dict(model.hypers) == pytest.approx(dict(by_hand.hypers))
    assert history["eta"] == pytest.approx([0.1 / math.sqrt(5 * k) + 0.01 * k for k in (1, 2, 3)])
    assert history["lam"] == (0.02, 0.01, 0.005)
    assert "eta" in list(history) and "eta" in history.to_dict()


def test_c_does_what_numpy_does() -> None:
    X, y = data(50)
    pytest.importorskip("cffi")
    made = []
    for target in ("numpy", "c"):
        model = compiled(schedules.one_cycle(0.2, epochs=6), target, groups={"b*": {"eta": schedules.inverse(0.1)}})
        model.fit(X, y, epochs=7, batch_size=7, verbose=False)
        made.append(parameters(model))
    for name, expected in made[0].items():
        np.testing.assert_allclose(made[1][name], expected, rtol=1e-11, atol=1e-13)


def test_the_same_library_whatever_the_schedule() -> None:
    folder = Path(os.environ["SYMBACKPROP_CACHE_DIR"])
    X, y = data(40)
    compiled(0.1, "c").fit(X, y, batch_size=8, verbose=False)
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file() and "lock" not in str(p)}
    model = compiled(schedules.cosine(0.3, epochs=4), "c", mu=0.5 / t)
    model.fit(X, y, epochs=2, batch_size=8, verbose=False)
    model.hypers["eta"] = schedules.inverse(0.5)
    model.fit(X, y, epochs=2, batch_size=8, verbose=False)
    after = {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file() and "lock" not in str(p)}
    assert after == before
    assert sb.SGD(0.1).key == sb.SGD(schedules.inverse(0.1)).key == sb.SGD(0.1 / t).key


@pytest.mark.parametrize("metrics", [True, False])
def test_chunks_do_not_matter(metrics: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = data()
    made = []
    for chunk in (1, 3, 100):
        monkeypatch.setattr(Pace, "steps", lambda self, left, chunk=chunk: min(chunk, left))
        model = compiled(schedules.warm_up(schedules.cosine(0.2, epochs=9), steps=4))
        history = model.fit(X, y, epochs=4, batch_size=6, verbose=False, metrics=metrics)
        model.fit(X, y, epochs=6, batch_size=4, verbose=False, metrics=metrics)
        made.append((parameters(model), history["eta"], model.hypers["eta"]))
    for theta, etas, eta in made[1:]:
        assert etas == made[0][1] and eta == made[0][2]
        for name, expected in made[0][0].items():
            np.testing.assert_array_equal(theta[name], expected)


def test_the_current_value_is_shown_and_a_number_replaces_the_schedule() -> None:
    X, y = data(40)
    model = compiled(schedules.inverse(0.4))
    assert model.hypers["eta"] == 0.4
    history = model.fit(X, y, epochs=2, verbose=False)
    assert model.hypers["eta"] == 0.2 and history["eta"] == (0.4, 0.2)
    model.hypers["eta"] = 0.3
    history = model.fit(X, y, epochs=2, verbose=False)
    assert model.hypers["eta"] == 0.3
    with pytest.raises(KeyError, match="'eta'"):
        history["eta"]
    model.hypers["eta"] = schedules.inverse(0.5)
    assert model.hypers["eta"] == 0.1, "the next epoch is the fifth"


def learn_nothing(eta: Any) -> Model:
    """Its losses stay as they are, so every epoch after the first is without progress."""
    model = sb.compile(network(), target="numpy", optimizer=sb.SGD(eta), dtype="float64")
    model.hypers["lam"] = 0.0
    model.parameters = {name: np.zeros_like(v) for name, v in model.parameters.items()}
    return model


def test_reduce_on_plateau_in_training() -> None:
    """Zero targets and zero parameters: the loss is 0 from the first epoch on."""
    X, y = data(40)[0], np.zeros((40, 2))
    given = schedules.reduce_on_plateau(0.8, factor=0.5, patience=2, minimum=0.15)
    model = learn_nothing(given)
    etas = [*model.fit(X, y, epochs=6, verbose=False, metrics=False)["eta"]]
    etas += model.fit(X, y, epochs=8, verbose=False)["eta"]
    assert etas == [0.8] * 4 + [0.4] * 3 + [0.2] * 3 + [0.15] * 4
    assert learn_nothing(given).fit(X, y, verbose=False)["eta"] == (0.8,), "the schedule itself has not changed"


def test_reduce_on_plateau_watches_the_validation_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    losses = iter([3.0, 2.0, 2.0 * (1 - 1e-5), 1.9, 1.9, 1.9, 1.9, 1.0])
    monkeypatch.setattr("symbackprop.train.loop.objective", lambda *args: next(losses))
    X, y = data(40)
    history = learn_nothing(schedules.reduce_on_plateau(1.0, patience=1)).fit(
        X, y, epochs=8, validation_data=(X, y), verbose=False
    )
    assert history["eta"] == pytest.approx([1, 1, 1, 1, 1, 1, 0.1, 0.1])


def test_warm_up_hands_losses_on() -> None:
    X, y = data(40)[0], np.zeros((40, 2))
    then = schedules.reduce_on_plateau(0.8, factor=0.5, patience=1)
    model = learn_nothing(schedules.warm_up(then, epochs=2))
    assert model.fit(X, y, epochs=6, verbose=False)["eta"] == (0.4, 0.8, 0.8, 0.4, 0.4, 0.2)


def test_saved_models_go_on(tmp_path: Path) -> None:
    X, y = data(40)[0], np.zeros((40, 2))
    schedule = schedules.reduce_on_plateau(0.8, factor=0.5, patience=2)
    whole, first = learn_nothing(schedule), learn_nothing(schedule)
    expected = whole.fit(X, y, epochs=11, verbose=False)["eta"]
    etas = first.fit(X, y, epochs=6, verbose=False)["eta"]
    first.save(tmp_path / "model.safetensors")
    copies: list[Model] = [copy.deepcopy(first), pickle.loads(pickle.dumps(first))]
    copies.append(learn_nothing(schedule))
    copies[-1].load(tmp_path / "model.safetensors")
    for model in copies:
        assert model.hypers["eta"] == first.hypers["eta"]
        assert etas + model.fit(X, y, epochs=5, verbose=False)["eta"] == expected
    fresh = learn_nothing(schedules.inverse(0.1))
    fresh.load(tmp_path / "model.safetensors")
    assert fresh.fit(X, y, verbose=False)["eta"] == pytest.approx([0.1 / 7])


def test_a_value_that_is_not_finite_is_named() -> None:
    X, y = data(20)
    model = compiled(sympy.log(30 - t))
    before = parameters(model)
    with pytest.raises(NonFiniteError, match=r"schedule of eta gives -inf at training step 30 \(epoch 8\)") as caught:
        model.fit(X, y, epochs=10, batch_size=5, verbose=False)
    assert caught.value.step == 30 and caught.value.tensor == "eta"
    assert model.step < 30 and all(np.isfinite(v).all() for v in model.parameters.values())
    assert any((before[n] != v).any() for n, v in model.parameters.items())


BEYOND: dict[str, tuple[Any, str, int, str]] = {
    "eta": (lambda t: 0.35 - 0.1 * t, "eta", 4, ">= 0"),
    "b1.eta": ({"groups": {"b1": {"eta": 3 - t}}}, "b1.eta", 4, ">= 0"),
    "clip_norm": ({"clip_norm": lambda t: 1.5 - t}, "clip_norm", 2, "> 0"),
    "lam": (lambda t: 2.5 - t, "lam", 3, ">= 0"),
    "drop2": (lambda t: t / 3 - 0.2, "drop2", 4, r"in \[0, 1\)"),
}


@pytest.mark.parametrize("case", BEYOND)
def test_a_schedule_that_leaves_its_bounds_is_named(case: str, target: str) -> None:
    given, name, step, bound = BEYOND[case]
    p = given if case == "drop2" else 0.1
    net = sb.Network(
        [sb.Input(3), sb.Dense(8, "tanh"), sb.layers.Dropout(p), sb.Dense(2)],
        "mse",
        weight_decay=given if case == "lam" else 0.0,
    )
    optimizer = sb.SGD(**given) if isinstance(given, dict) else sb.SGD(given if case == "eta" else 0.01)
    model = sb.compile(net, target=target, optimizer=optimizer)
    X, y = data(20)
    told = rf"schedule of {name} gives \S+ at training step {step} .* must be a finite number {bound}: "
    with pytest.raises(NonFiniteError, match=told) as caught:
        model.fit(X, y, epochs=3, batch_size=5, verbose=False)
    assert (caught.value.step, caught.value.tensor) == (step, name)


def test_a_number_beyond_its_bounds_cannot_be_set(target: str) -> None:
    net = sb.Network([sb.Input(3), sb.Dense(8), sb.layers.Dropout(0.1), sb.Dense(2)], "mse", weight_decay=0.1)
    model = sb.compile(net, target=target, optimizer=sb.Adam(clip_value=1.0))
    before = dict(model.hypers)
    for _ in range(2):  # compiled, then from the cache
        for name, value, told in (
            ("drop2", 5, r"in \[0, 1\); got 5"),
            ("lam", -5, ">= 0; got -5"),
            ("eta", -0.1, ">= 0; got -0.1"),
            ("eta", lambda t: -0.1 * t, ">= 0; got -0.1"),
            ("beta2", 1.0, r"in \[0, 1\); got 1"),
            ("clip_value", 0, "> 0; got 0"),
        ):
            with pytest.raises(DataError, match=rf"hyper-parameter '{name}' must be a finite number {told}"):
                model.hypers[name] = value
        assert dict(model.hypers) == before
        model = sb.compile(net, target=target, optimizer=sb.Adam(clip_value=1.0))
    model.hypers.update({"drop2": 0.0, "lam": 0.0, "eta": 0.0})


def test_the_manifest_carries_the_bounds() -> None:
    net = sb.Network([sb.Input(3), sb.Dense(2)], "mse", weight_decay=0.1, loss_weights=2.0)
    manifest = sb.compile(net, target="numpy", optimizer=sb.Adam(clip_norm=1.0))._module.manifest
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert {name: str(b) for name, b in bounds_of(manifest).items()} == {
        "lam": ">= 0", "loss_weight": "", "eta": ">= 0", "beta1": "in [0, 1)", "beta2": "in [0, 1)", "eps": ">= 0",
        "clip_norm": "> 0",
    }  # fmt: skip


def refused() -> dict[str, tuple[Callable[[], Any], tuple[str, ...]]]:
    return {
        "another symbol": (lambda: sb.SGD(0.1 / sympy.Symbol("k")), ("holds k", "t (the step)")),
        "no value at first": (lambda: sb.SGD(sympy.log(t - 1)), ("eta", "-inf", "first step")),
        "unknown function": (lambda: sb.SGD(sympy.gamma(t)), ("gamma",)),
        "text": (lambda: sb.SGD("0.1/t"), ("finite number", "'0.1/t'")),
        "an uncalled schedule": (lambda: sb.SGD(schedules.inverse), ("schedules.inverse", "numbers")),
        "three arguments": (lambda: sb.SGD(lambda t, e, k: t), ("(t) or (t, e)", "(t, e, k)")),
        "a wrong shape": (lambda: sb.SGD(lambda t: np.ones(3)), ("shape (2,)", "ndarray of shape (3,)")),
        "neither": (lambda: schedules.cosine(0.1), ("epochs= or steps=",)),
        "both": (lambda: schedules.cosine(0.1, epochs=1, steps=1), ("epochs= or steps=",)),
        "no steps": (lambda: schedules.cosine(0.1, steps=0), ("steps >= 1", "0")),
        "half a step": (lambda: schedules.one_cycle(0.1, steps=1.5), ("whole steps", "1.5")),  # type: ignore[arg-type]
        "nan": (lambda: schedules.inverse(math.nan), ("inverse: value", "nan")),
        "negative epochs": (lambda: schedules.warm_up(0.1, epochs=-1), ("epochs > 0",)),
        "factor": (lambda: schedules.reduce_on_plateau(0.1, factor=1.0), ("0 < factor < 1",)),
        "rise": (lambda: schedules.one_cycle(0.1, steps=5, rise=2), ("rise",)),
        "no formula": (lambda: schedules.expression(0.1), ("SymPy expression", "0.1")),
    }


@pytest.mark.parametrize("case", refused())
def test_wrong_schedules(case: str) -> None:
    make, words = refused()[case]
    with pytest.raises(DeclarationError) as caught:
        make()
    assert all(word in str(caught.value) for word in words), caught.value


def test_wrong_values_set_by_hand() -> None:
    model = compiled(0.1)
    with pytest.raises(DataError, match="'eta'"):
        model.hypers["eta"] = sympy.log(t - 1)
    with pytest.raises(DataError, match="eta"):
        model.hypers["etta"] = schedules.inverse(0.1)
    assert model.hypers["eta"] == 0.1 and not model._blocks.schedules


def test_schedules_are_values() -> None:
    assert schedules.cosine(0.1, epochs=3) == schedules.cosine(0.1, epochs=3)
    assert "0.1" in repr(schedules.inverse(0.1))
    for schedule in (schedules.one_cycle(0.1, steps=5), schedules.warm_up(0.1, steps=5), as_schedule(0.1 / t)):
        assert isinstance(schedule, Schedule)
        twin = pickle.loads(pickle.dumps(schedule))
        assert twin == schedule and copy.deepcopy(schedule) == schedule


def test_penalties_and_dropout_have_schedules(target: str) -> None:
    """Their numbers change as the optimizer's do, and are no part of what is compiled."""

    def declared(decay: Any, lam: Any, p: Any) -> sb.Network:
        hidden = sb.Dense(8, "tanh", weight_regularizer=sb.L1(lam))
        return sb.Network([sb.Input(3), hidden, sb.layers.Dropout(p), sb.Dense(2)], "mse", weight_decay=decay)

    net = declared(0.1 / e, schedules.step(0.2, 0.5, every=2), lambda t, e: 0.5 / e)
    assert net.key == declared(0.3, 0.4, 0.1).key
    X, y = data(40)
    model = sb.compile(net, target=target, dtype="float64")
    history = model.fit(X, y, epochs=4, batch_size=10, verbose=False)
    assert history["lam"] == pytest.approx([0.1, 0.05, 0.1 / 3, 0.025])
    assert history["lam1"] == (0.2, 0.2, 0.1, 0.1)
    assert history["drop2"] == pytest.approx([0.5, 0.25, 0.5 / 3, 0.125])
    assert model.hypers["drop2"] == 0.125
    with pytest.raises(DeclarationError, match="lam must not be negative"):
        sb.Network([sb.Input(1), sb.Dense(1)], "mse", regularizers=[sb.L2(-1 / t)])
    with pytest.raises(DeclarationError, match="0 <= p < 1"):
        sb.layers.Dropout(t)
