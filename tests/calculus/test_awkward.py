"""Equations that once came out wrong: nested sums of one dimension, bare and constant indices, names that meet.

C and NumPy against each other and against central differences, in float64.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.errors import BuildError, DeclarationError, EmissionError

n, i, j, k, m, p = sb.indices("n i j k m p")
D = 3


def layer(output: str, formula: Callable[..., Any], *names: str) -> Callable[[sb.Tensor], sb.Block]:
    """A layer a[n, j] = formula(x, parameters...)."""

    def build(x: sb.Tensor) -> sb.Block:
        a = sb.tensor(output, x.dims)
        weights = [sb.parameter(name, (D,), init=sb.init.normal(0, 1)) for name in names]
        return sb.layer(a, sb.equation(a[n, j], formula(x, *weights)))

    return build


def agrees(*layers: Any, loss: Any = "mse", rows: int = 5) -> None:
    net = sb.Network([sb.Input(D), *layers], loss=loss)
    rng = np.random.default_rng(0)
    models = {t: sb.compile(net, t, dtype="float64", seed=1) for t in ("numpy", "c")}
    X = rng.normal(size=(rows, D))
    y = rng.normal(size=(rows, *models["c"].manifest.targets[0].shape))
    gradients = {t: model.gradients(X, y) for t, model in models.items()}
    losses = {t: model.evaluate(X, y)["loss"] for t, model in models.items()}
    assert losses["c"] == pytest.approx(losses["numpy"], rel=1e-12)
    largest = max(float(np.abs(g).max()) for g in gradients["numpy"].values())
    for name, gradient in gradients["numpy"].items():
        np.testing.assert_allclose(gradients["c"][name], gradient, rtol=0, atol=1e-11 * largest)
        direction = rng.normal(size=gradient.shape)
        values, start = [], models["c"].parameters[name].copy()
        for sign in (1, -1):
            models["c"].parameters[name] = start + sign * 1e-6 * direction
            values.append(models["c"].evaluate(X, y)["loss"])
        models["c"].parameters[name] = start
        slope = (values[0] - values[1]) / 2e-6
        assert slope == pytest.approx(float((gradient * direction).sum()), abs=1e-6 * largest)


def log_of_sums(x: Any, w: Any) -> Any:
    inner = sb.log(sb.Sum(sb.exp(w[j] * x[n, k] * w[m] * w[p]), k))
    return sb.Sum(sb.Sum(inner, m), p)


def test_sums_of_one_dimension_do_not_capture_each_others_indices() -> None:
    agrees(layer("a", log_of_sums, "w"))
    agrees(layer("a", lambda x, w: sb.Sum(sb.Sum(sb.Sum(w[i] * x[n, k] * w[m] * w[j], k), m), i), "w"))


def test_two_sums_of_exponentials_in_one_equation() -> None:
    def formula(x: Any, w: Any, s: Any) -> Any:
        return s[j] + sb.Sum(sb.exp(x[n, k] * w[k]), k) + sb.Sum(sb.exp(x[n, i] * w[i]) * w[m] * x[n, m], m, i)

    agrees(layer("a", formula, "w", "s"))


def test_bare_and_constant_indices() -> None:
    agrees(layer("a", lambda x, w: x[n, j] * w[j] + w[0], "w"))
    agrees(
        layer("o", lambda x: sb.tanh(x[n, j])), layer("q", lambda x, w: (x[n, j] + j) * sb.Sum(w[k] * x[n, k], k), "w")
    )


def test_names_of_tensors_that_meet_when_joined() -> None:
    first = layer("z", lambda x, w: x[n, j] * w[j], "w")
    second = layer("b", lambda x: sb.tanh(x[n, j]))
    third = layer("z_b", lambda x, u: sb.Sum(x[n, k] * u[k], k) * x[n, j], "u")
    agrees(first, second, third)


def test_a_parameter_in_the_loss_alone_is_trained() -> None:
    s = sb.parameter("s", (), init=sb.init.constant(0.5))
    agrees(sb.Dense(2), loss=lambda prediction, target: (prediction - target) ** 2 * sb.exp(-s) + s)


def test_traits_and_formulas_are_part_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def net(traits: tuple[str, ...]) -> sb.Network:
        def build(x: sb.Tensor) -> sb.Block:
            q = sb.tensor("q", x.dims, traits=traits)
            return sb.layer(q, sb.equation(q[n, j], x[n, j] * sb.parameter("w", (D,))[j]))

        return sb.Network([sb.Input(D), build], loss="mse")

    assert net(()).key != net(("normalized",)).key
    plain = sb.Network([sb.Input(D), sb.Dense(2, "tanh")], loss="mse", weight_decay=0.1).key
    monkeypatch.setitem(sb.activations.ACTIVATIONS, "tanh", lambda z: z**3)
    assert sb.Network([sb.Input(D), sb.Dense(2, "tanh")], loss="mse", weight_decay=0.1).key != plain
    monkeypatch.undo()
    monkeypatch.setattr(sb.L2, "entry", lambda self, w: w**4)
    assert sb.Network([sb.Input(D), sb.Dense(2, "tanh")], loss="mse", weight_decay=0.1).key != plain


class Doubled(sb.Dense):
    """A layer of somebody's own that calls itself by our record's fields."""

    def build(self, x: Any, names: Any) -> Any:
        block = super().build(x, names)
        z = sb.tensor("zz", block.output.dims)
        return sb.layer(z, *block.equations, sb.equation(z[n, j], 2 * block.output[n, j]))


def test_a_subclass_of_a_layer_is_not_taken_for_the_layer() -> None:
    assert (
        sb.Network([sb.Input(D), Doubled(2)], loss="mse").key != sb.Network([sb.Input(D), sb.Dense(2)], loss="mse").key
    )


def test_an_output_over_pairs_of_samples_is_refused() -> None:
    def pairs(x: sb.Tensor) -> sb.Block:
        s = sb.tensor("S", (x.dim(0), x.dim(0)))
        w = sb.parameter("w", (D,))
        return sb.layer(s, sb.equation(s[n, m], sb.Sum(x[n, k] * x[m, k] * w[k], k)))

    with pytest.raises(DeclarationError, match="batch axis N first"):
        sb.Network([sb.Input(D), pairs], loss="mse").derive()


@pytest.mark.parametrize("name", ["i", "int", "real", "np", "state", "exp", "v1", "hyper"])
def test_states_of_an_optimizer_may_be_called_anything(name: str, target: str) -> None:
    class Own(sb.Optimizer):
        eta = sb.hyper("eta", 0.1)

        def update(self, theta: Any, g: Any) -> dict[Any, Any]:
            v = self.state(name, like=theta)
            rate = sb.where(self.t < 3, self.eta * self.t / 3, self.eta)
            return {v: v + g, theta: theta - rate * sb.next(v)}

    model = sb.compile(sb.Network([sb.Input(D), sb.Dense(2)], loss="mse"), target, optimizer=Own(), dtype="float64")
    history = model.fit(np.eye(D), np.ones((D, 2)), epochs=4, batch_size=D, verbose=False)
    assert np.isfinite(history.loss).all()


def test_sizes_beyond_an_int_do_not_overflow_in_c(tmp_path: Path) -> None:
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("no gcc")
    net = sb.Network([sb.Input(65536), sb.Dense(65536, "relu"), sb.Dense(65536)], loss="mse", weight_decay=0.1)
    source = tmp_path / "big.c"
    source.write_text(net.emit("c", sb.Adam()).text)
    command = [
        gcc,
        "-c",
        "-O1",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-Wno-maybe-uninitialized",
        "-fopenmp-simd",
        str(source),
    ]
    made = subprocess.run([*command, "-o", str(tmp_path / "big.o")], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr[:2000]


def test_constants_beyond_the_type_are_refused() -> None:
    for factor in (10**39, 10**400):
        net = sb.Network([sb.Input(D), sb.Dense(2, lambda z, factor=factor: z * factor)], loss="mse")
        with pytest.raises((EmissionError, BuildError), match="larger than any number"):
            net.emit("c")
