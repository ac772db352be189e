"""Models in threads: two may train at once, and each gets what it gets alone, to the last bit."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.runtime import Run
from symbackprop.train import Model

Array = np.ndarray[Any, Any]

DRAW = np.random.default_rng(5)
X = DRAW.normal(size=(203, 13))
LABELS = (X @ DRAW.normal(size=(13, 4))).argmax(1)
VALUES = X @ DRAW.normal(size=(13, 2))


def classifier() -> sb.Network:
    return sb.Network([sb.Input(13), sb.Dense(33, "relu"), sb.Dense(4)], loss="softmax_cross_entropy")


def regression() -> sb.Network:
    return sb.Network([sb.Input(13), sb.Dense(21, "tanh"), sb.Dense(2)], loss="mse", weight_decay=1e-3)


def fresh(kind: Callable[[], sb.Network], seed: int, target: str = "c") -> Model:
    return sb.compile(kind(), target=target, optimizer=sb.Adam(0.01), dtype="float32", seed=seed)


def fit(model: Model, epochs: int = 4) -> Model:
    y = LABELS if model.manifest.metric else VALUES
    model.fit(X, y, epochs=epochs, batch_size=16, verbose=False)
    return model


def state(model: Model) -> tuple[bytes, bytes, int]:
    return model._blocks.params.tobytes(), model._blocks.state.tobytes(), model.step


def together(works: list[Callable[[], Any]]) -> list[Any]:
    """Results of functions that start at one moment, each in a thread of its own."""
    barrier = threading.Barrier(len(works))

    def start(work: Callable[[], Any]) -> Any:
        barrier.wait(60)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result(120) for future in [pool.submit(start, work) for work in works]]


def rounds(count: int, target: str) -> None:
    """One library in two threads, two libraries in two threads, again and again."""
    for kinds in ((classifier, classifier), (classifier, regression)):
        for turn in range(count):
            seeds = (2 * turn, 2 * turn + 1)
            alone = [state(fit(fresh(kind, seed, target))) for kind, seed in zip(kinds, seeds, strict=True)]
            models = [fresh(kind, seed, target) for kind, seed in zip(kinds, seeds, strict=True)]
            made = together([lambda model=model: state(fit(model)) for model in models])
            assert made == alone, f"{[k.__name__ for k in kinds]}, seeds {seeds}"


def test_two_models_train_at_once(target: str) -> None:
    rounds(10 if target == "c" else 2, target)


@pytest.mark.full
def test_two_models_train_at_once_many_times(c_compiler: None) -> None:
    rounds(1000, "c")


def test_predictions_beside_a_training(c_compiler: None) -> None:
    """Every thread has memory of its own for what a program computes on the way, whatever the sizes of batches."""
    trained = fit(fresh(classifier, 1))
    copies = [copy.deepcopy(trained) for _ in range(2)]
    alone = state(fit(copy.deepcopy(trained), 300))
    expected = {rows: trained.predict(X[:rows]) for rows in (1, 17, 203)}
    gradients = trained.gradients(X, LABELS)

    def ask() -> None:
        for _ in range(100):
            for rows, output in expected.items():
                np.testing.assert_array_equal(copies[0].predict(X[:rows]), output)
            for name, value in copies[0].gradients(X, LABELS).items():
                np.testing.assert_array_equal(value, gradients[name])

    made = together([lambda: state(fit(copies[1], 300)), ask])
    assert made[0] == alone


def test_one_model_is_asked_by_many_threads(c_compiler: None) -> None:
    model = fit(fresh(classifier, 1))
    expected = model.predict(X)

    def ask() -> bool:
        return all(np.array_equal(model.predict(X), expected) for _ in range(50))

    assert all(together([ask] * 4))


def test_threads_compile_at_once(target: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same new network and another one, first compiled by four threads at one moment."""
    monkeypatch.setenv("SYMBACKPROP_CACHE_DIR", str(tmp_path / "cache"))
    kinds = [classifier, classifier, regression, regression]
    made = together([lambda kind=kind: state(fit(fresh(kind, 3, target))) for kind in kinds])
    assert made[0] == made[1] == state(fit(fresh(classifier, 3, target)))
    assert made[2] == made[3] == state(fit(fresh(regression, 3, target)))


def test_the_interpreter_runs_on_while_c_trains(c_compiler: None) -> None:
    """One call of about half a second into C; a thread that counts meanwhile gets its turns."""
    model = fresh(classifier, 1)
    rows, y = np.ascontiguousarray(X, np.float32), np.eye(4, dtype=np.float32)[LABELS]
    blocks = model._blocks

    def call(steps: int) -> float:
        run = Run(
            params=blocks.params, state=blocks.state, hypers=blocks.hypers, data=(rows, y), rows=len(X), batch=16,
            seed=1, shuffle=True, drop_last=False, order=np.zeros(len(X), np.int64), order_epoch=-1,
            losses=np.zeros(steps),
        )  # fmt: skip
        begun = time.perf_counter()
        assert model._module.train(run, steps) == steps
        return time.perf_counter() - begun

    call(100)
    steps = int(100 * 0.5 / call(100))
    ticks, running = [0], [True]

    def tick() -> None:
        while running[0]:
            time.sleep(0.001)
            ticks[0] += 1

    thread = threading.Thread(target=tick)
    thread.start()
    seconds = call(steps)
    running[0] = False
    thread.join()
    assert ticks[0] > 50 * seconds
