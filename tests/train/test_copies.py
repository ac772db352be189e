"""Threads, processes and copies."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import threading
import time
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import pytest
from module_double import blobs, double, make, state

from symbackprop.errors import SymbackpropError
from symbackprop.train import History, Model


def fit(model: Model, epochs: int = 3) -> History:
    return model.fit(*blobs(), epochs=epochs, batch_size=8, verbose=False)


@pytest.mark.parametrize("how", ["deepcopy", "pickle"])
def test_a_copy_trains_alike_and_apart(how: str) -> None:
    model = make()
    fit(model)
    twin = copy.deepcopy(model) if how == "deepcopy" else pickle.loads(pickle.dumps(model))
    assert state(twin) == state(model)
    before = state(model)
    fit(twin)
    assert state(model) == before != state(twin)
    fit(model)
    assert state(model) == state(twin)
    assert (twin.source, twin.target, repr(twin)) == (model.source, model.target, repr(model))
    assert twin._blocks.params.ctypes.data % 64 == twin._blocks.state.ctypes.data % 64 == 0


def in_process(pipe: Connection, model: Model) -> None:
    fit(model)
    pipe.send(state(model))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_child_process_trains_alike(method: str) -> None:
    model = make()
    fit(model)
    context: Any = multiprocessing.get_context(method)
    ours, theirs = context.Pipe()
    child = context.Process(target=in_process, args=(theirs, model))
    child.start()
    assert ours.poll(60)
    got = ours.recv()
    child.join(60)
    assert child.exitcode == 0
    fit(model)
    assert got == state(model)


def test_two_fits_of_one_model_are_refused() -> None:
    meet = threading.Barrier(2)
    model = make(meet=meet)
    thread = threading.Thread(target=fit, args=(model, 8))
    thread.start()
    while not meet.n_waiting:
        time.sleep(0.001)
    for work in (
        lambda: fit(model),
        lambda: model.predict(blobs()[0]),
        lambda: model.evaluate(*blobs()),
        lambda: model.parameters.update({"b": np.zeros(3)}),
    ):
        with pytest.raises(SymbackpropError, match="training in another thread"):
            work()
    double(model).meet = None
    meet.wait(20)
    thread.join()
    other = make()
    fit(other, 8)
    assert state(other) == state(model)
    fit(model)


def test_short_work_waits() -> None:
    model = make()
    X, _ = blobs()
    with model._busy.hold():
        results: list[Any] = []
        thread = threading.Thread(target=lambda: results.append(model.predict(X)))
        thread.start()
        time.sleep(0.1)
        assert not results
    thread.join()
    np.testing.assert_array_equal(results[0], model.predict(X))


def test_two_models_train_in_two_threads() -> None:
    """Every step of one waits for a step of the other, so neither can keep the other out."""
    meet = threading.Barrier(2)
    models = [make(seed=s, meet=meet) for s in range(2)]
    threads = [threading.Thread(target=fit, args=(m,)) for m in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, model in enumerate(models):
        alone = make(seed=seed)
        fit(alone)
        assert state(model) == state(alone)


def test_a_forked_child_is_free_while_the_parent_trains() -> None:
    model = make()
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    with model._busy.hold(fitting=True):
        child = context.Process(target=in_process, args=(theirs, model))
        child.start()
    assert ours.poll(60)
    child.join(60)
    fit(model)
    assert ours.recv() == state(model)
