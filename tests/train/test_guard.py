from __future__ import annotations

import numpy as np
import pytest
from module_double import D, blobs, double, make, manifest, state

from symbackprop.errors import NonFiniteError
from symbackprop.train.blocks import Blocks, aligned, first_not_finite
from symbackprop.train.feed import Feed, Plan
from symbackprop.train.loop import Pace


def reference(steps: int) -> tuple[bytes, bytes, int]:
    """The state after so many steps of the runs below."""
    model = make("linear", hypers={"eta": 8.0, "lam": 0.0})
    X, y = blobs(40, "linear")
    module = double(model)
    feed = Feed(module, model._blocks, (X, y[:, None]), Plan(100, 8, True, False, 40))
    for _ in range(steps):
        if model.step % 5 == 0:
            feed.begin_epochs()
        assert feed.train(np.empty(1)) == 1
    return state(model)


@pytest.mark.parametrize("chunk", [1, 2, 5])
def test_divergence_names_the_first_bad_step(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the chunks, the same step is named and the parameters from before it are kept."""
    monkeypatch.setattr(Pace, "steps", lambda self, left: min(chunk, left))
    X, y = blobs(40, "linear")
    model = make("linear", hypers={"eta": 8.0, "lam": 0.0})
    with pytest.raises(NonFiniteError) as caught:
        model.fit(X, y, epochs=100, batch_size=8, verbose=False)
    error = caught.value
    assert model.step == error.step - 1
    assert all(np.isfinite(a).all() for a in model.parameters.values())
    assert state(model) == reference(error.step - 1)
    epoch, batch = divmod(error.step - 1, 5)
    assert f"training step {error.step} (epoch {epoch + 1}, batch {batch + 1} of 5)" in str(error)
    assert "eta = 8" in str(error)
    assert error.tensor == "L"
    assert "begins in tensor L" in str(error)
    np.testing.assert_array_equal(np.isfinite(model.predict(X)), True)


def test_all_chunks_name_the_same_step(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = set()
    for chunk in (1, 2, 3, 100):
        monkeypatch.setattr(Pace, "steps", lambda self, left, chunk=chunk: min(chunk, left))
        X, y = blobs(40, "linear")
        with pytest.raises(NonFiniteError) as caught:
            make("linear", hypers={"eta": 8.0}).fit(X, y, epochs=100, batch_size=8, verbose=False)
        steps.add(caught.value.step)
    assert len(steps) == 1


def test_huge_data_begins_in_the_forward_pass() -> None:
    X, y = blobs(40, "linear")
    X[13] = 1e308
    model = make("linear")
    model.parameters["W"] = np.full((1, D), 10.0)
    with pytest.raises(NonFiniteError, match=r"tensor z, where 1 of 8 entries.*1e\+308") as caught:
        model.fit(X, y, epochs=1, batch_size=8, shuffle=False, verbose=False)
    assert (caught.value.tensor, caught.value.step) == ("z", 2)


def test_an_update_that_overflows_is_named_by_the_parameter() -> None:
    X, y = blobs(40, "linear")
    model = make("linear", hypers={"eta": 1e308, "lam": 0.0})
    before = state(model)
    with pytest.raises(NonFiniteError) as caught:
        model.fit(X, y, epochs=1, batch_size=8, verbose=False)
    assert (caught.value.tensor, caught.value.step) == ("W", 1)
    assert state(model) == before


def test_fit_goes_on_after_a_lower_rate() -> None:
    X, y = blobs(40, "linear")
    model = make("linear", hypers={"eta": 8.0})
    with pytest.raises(NonFiniteError):
        model.fit(X, y, epochs=100, batch_size=8, verbose=False)
    model.parameters = {"W": np.zeros((1, D)), "b": np.zeros(1)}
    model._blocks.state[...] = 0
    model.hypers["eta"] = 0.02
    history = model.fit(X, y, epochs=20, batch_size=8, verbose=False)
    assert history.loss[-1] < history.loss[0]


def test_replay_after_a_fit_on_other_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = blobs(40, "linear")
    model = make("linear", hypers={"eta": 0.0})
    model.fit(X[:9], y[:9], batch_size=3, verbose=False)
    model.hypers["eta"] = 1e200
    monkeypatch.setattr(Pace, "steps", lambda self, left: left)
    with pytest.raises(NonFiniteError) as caught:
        model.fit(X, y, epochs=3, batch_size=7, verbose=False)
    assert caught.value.step > 3 == len(X[:9]) // 3
    assert model.step == caught.value.step - 1
    assert all(np.isfinite(a).all() for a in model.parameters.values())


def test_gaps_of_the_block_do_not_count() -> None:
    made = manifest()
    blocks = Blocks(aligned((32,), "float64"), aligned((1, 32), "float64"), np.zeros(3), 0)
    blocks.params[14] = np.nan
    assert first_not_finite(made, blocks) is None
    blocks.state[0, 17] = np.inf
    assert first_not_finite(made, blocks) == "v of b"
    blocks.params[3] = np.nan
    assert first_not_finite(made, blocks) == "W"
