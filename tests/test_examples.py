"""The examples: what they are built of runs on both targets and learns; in full, they give the README's numbers."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import symbackprop as sb
from symbackprop import streams
from symbackprop.load.compiler import find_compiler

ROOT = Path(__file__).resolve().parents[1]
NAMES = sorted(p.stem for p in (ROOT / "examples").glob("*.py") if p.stem not in {"networks", "gallery"})
POINTS, ERROR = 1.0, 0.002
"""How far a percentage and another number may be from the README's, on any machine."""

needs_compiler = pytest.mark.skipif(find_compiler() is None, reason="slow without a C compiler")


def example(name: str) -> ModuleType:
    """The script as a module; nothing of it runs."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", ROOT / "examples" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def readme_rows() -> dict[str, str]:
    """The result that the README's table states for each script."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| .* \| (.*?) \| `python examples/(\w+)\.py` \|$", readme, flags=re.MULTILINE)
    return {name: result for result, name in rows}


@needs_compiler
def test_a_convolutional_network_reads_digits(capsys: pytest.CaptureFixture[str]) -> None:
    accuracy = example("cnn_digits").main(epochs=3, splits=1)
    assert accuracy >= 0.95
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"mean test accuracy: {100 * accuracy:.1f} %"


@needs_compiler
def test_the_convolutional_network_is_the_same_on_both_targets() -> None:
    module = example("cnn_digits")
    rng = np.random.default_rng(0)
    x, y = rng.random((16, 1, 8, 8)), rng.integers(0, 10, 16)
    models = [sb.compile(module.network(), target=t, optimizer=sb.Adam(1e-3), dtype="float64") for t in ("c", "numpy")]
    losses = [m.fit(x, y, epochs=3, batch_size=8, verbose=False).loss for m in models]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-10)
    np.testing.assert_allclose(models[0].predict(x), models[1].predict(x), rtol=1e-8, atol=1e-10)


def test_the_autoencoder_takes_noise_away(target: str, tmp_path: Path) -> None:
    before, after = example("denoising_autoencoder").main(epochs=10, out=tmp_path, target=target)
    assert before == pytest.approx(0.16, abs=0.01)
    assert after < 0.04
    assert (tmp_path / "denoised.png").stat().st_size > 1000


def test_the_autoencoders_noise_is_gaussian_in_training_and_gone_at_inference(target: str) -> None:
    module = example("denoising_autoencoder")
    net = sb.Network([sb.Input(500), module.noisy, sb.Dense(500, bias=False)], loss="mse", reduction="sum")
    model = sb.compile(net, target=target, dtype="float64", seed=5)
    model.parameters["W1"] = np.eye(500)
    x = np.random.default_rng(0).random((40, 500))
    np.testing.assert_allclose(model.predict(x), x, rtol=1e-12)
    u, v = (streams.tensor(5, 0, name, x.shape) for name in ("u", "v"))
    noise = module.NOISE * np.sqrt(-2 * np.log(1 - u)) * np.cos(2 * np.pi * v)
    got = model.gradients(x, x)["W1"]
    np.testing.assert_allclose(got, 2 * noise.T @ (x + noise), rtol=1e-9, atol=1e-10)
    assert noise.mean() == pytest.approx(0, abs=0.012)
    assert noise.std() == pytest.approx(0.4, abs=0.01)
    assert np.mean(noise**4) == pytest.approx(3 * 0.4**4, rel=0.08)


@needs_compiler
def test_the_siamese_encoders_find_a_space() -> None:
    by_codes, by_pixels = example("siamese_digits").main(epochs=2, splits=1)
    assert by_codes >= 0.94
    assert by_pixels == pytest.approx(0.983, abs=0.001)


def test_siamese_encoders_have_one_set_of_weights() -> None:
    system = example("siamese_digits").network().system
    assert [p.name for p in system.parameters] == ["W1", "b1", "W3", "b3", "W5", "b5"]


def test_a_partner_is_of_the_same_class_and_a_rival_of_another() -> None:
    module = example("siamese_digits")
    rng = np.random.default_rng(0)
    made, y = rng.normal(size=(90, 3)), rng.integers(0, 3, 90)
    like, unlike = module.partners(made, y, rng)
    assert (y[like] == y).all() and (y[unlike] != y).all()
    distance = np.linalg.norm(made[:, None] - made[None], axis=2)
    nearer = (distance < distance[np.arange(90), unlike][:, None]) & (y[:, None] != y)
    assert nearer.sum(axis=1).max() == module.NEAR - 1
    assert len(set(like)) > 45


def test_batch_norm_and_dropout_on_tables(target: str) -> None:
    tumors, wines = example("tabular").main(epochs=15, splits=1, target=target)
    assert tumors >= 0.93
    assert wines >= 0.93


def test_a_normalization_and_a_loss_of_ones_own_learn(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    own, known = example("own_equations").main(epochs=10, splits=1, target=target)
    assert own >= 0.9
    assert known >= 0.75
    printed = capsys.readouterr().out
    assert "δ_s = " in printed and "spread⁺ = " in printed


def test_the_gradients_of_ones_own_equations_are_right(target: str) -> None:
    """Against JAX's autodiff of the same formulas, written out here."""
    module = example("own_equations")
    model = sb.compile(module.network(), target=target, dtype="float64", seed=1)
    rng = np.random.default_rng(0)
    x, y = rng.random((24, 64)), np.eye(10)[rng.integers(0, 10, 24)]

    def objective(theta: dict[str, Any]) -> Any:
        z = x @ theta["W1"].T + theta["b1"]
        c = z - z.mean(axis=0)
        h = c / (jnp.abs(c).mean(axis=0) + 1e-3)
        p = jax.nn.softmax(jnp.maximum(h, 0) @ theta["W3"].T + theta["b3"])
        return jnp.sum(y * ((1 - p) + (1 - p) ** 2 / 2)) / len(x)

    with jax.enable_x64(True):
        wanted = jax.grad(objective)({name: jnp.asarray(value) for name, value in model.parameters.items()})
        got = model.gradients(x, y)
        assert sorted(got) == ["W1", "W3", "b1", "b3"]
        for name, gradient in got.items():
            np.testing.assert_allclose(gradient, wanted[name], rtol=1e-9, atol=1e-13, err_msg=name)


def test_the_running_values_of_ones_own_normalization(target: str) -> None:
    module = example("own_equations")
    model = sb.compile(module.network(), target=target, optimizer=sb.SGD(0.0), dtype="float64", seed=1)
    x = np.random.default_rng(0).random((24, 64))
    model.fit(x, np.eye(10)[np.arange(24) % 10], epochs=1, batch_size=24, verbose=False)
    z = x @ model.parameters["W1"].T + model.parameters["b1"]
    mean, spread = 0.1 * z.mean(axis=0), 0.9 + 0.1 * np.abs(z - z.mean(axis=0)).mean(axis=0)
    np.testing.assert_allclose(model.states["mean"], mean, rtol=1e-9)
    np.testing.assert_allclose(model.states["spread"], spread, rtol=1e-9)
    h = np.maximum((z - mean) / (spread + 1e-3), 0) @ model.parameters["W3"].T + model.parameters["b3"]
    np.testing.assert_allclose(model.predict(x), np.exp(h) / np.exp(h).sum(axis=1, keepdims=True), rtol=1e-9)


def test_every_example_is_in_the_readme_and_in_the_makefile() -> None:
    assert sorted(readme_rows()) == NAMES
    listed = re.search(r"^EXAMPLES = (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert listed and sorted(listed[1].split()) == NAMES


def test_the_readme_states_no_less_than_is_wanted() -> None:
    assert min(percentages(readme_rows()["cnn_digits"])) >= 98.5


@needs_compiler
@pytest.mark.full
@pytest.mark.parametrize("name", NAMES)
def test_the_readmes_numbers_are_what_the_example_prints(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / f"{name}.py")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed, stated = done.stdout.splitlines()[-1], readme_rows()[name]
    number = r"\d+\.\d+"
    assert re.sub(number, "#", printed) == re.sub(number, "#", stated)
    tolerance = POINTS if "%" in stated else ERROR
    for got, wanted in zip(re.findall(number, printed), re.findall(number, stated), strict=True):
        assert float(got) == pytest.approx(float(wanted), abs=tolerance), printed
    if name == "cnn_digits":
        assert min(percentages(printed)) >= 98.5


def percentages(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"(\d+\.\d) %", text)]
