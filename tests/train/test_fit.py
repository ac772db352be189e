from __future__ import annotations

import numpy as np
import pytest
from module_double import blobs, double, make, state

from symbackprop.errors import DataError
from symbackprop.train.loop import Pace


@pytest.mark.parametrize("kind", ["softmax", "logistic", "linear"])
def test_learns(kind: str) -> None:
    X, y = blobs(kind=kind)
    model = make(kind, hypers={"eta": 0.02})
    history = model.fit(X, y, epochs=30, batch_size=8, validation_data=(X, y), verbose=False)
    assert history.loss[-1] < 0.5 * history.loss[0]
    assert len(history) == len(history.val_loss) == 30
    told = model.evaluate(X, y)
    assert told["loss"] == history.val_loss[-1]
    if kind == "linear":
        assert set(told) == {"loss"} and not history.accuracy
    else:
        assert told["accuracy"] == history.val_accuracy[-1] == history.accuracy[-1] > 0.8


def test_steps_epochs_and_the_partial_batch() -> None:
    X, y = blobs(50)
    model = make()
    model.fit(X, y, epochs=3, batch_size=8, verbose=False)
    assert (model.step, model.epoch) == (21, 3)
    model.fit(X, y, epochs=2, batch_size=8, drop_last=True, verbose=False)
    assert (model.step, model.epoch) == (33, 5)


def test_loss_of_an_epoch_weighs_batches_by_rows() -> None:
    X, y = blobs(50)
    model = make(hypers={"eta": 0.0})
    history = model.fit(X, y, epochs=1, batch_size=8, verbose=False)
    np.testing.assert_allclose(history.loss[0], model.evaluate(X, y)["loss"], rtol=1e-12)


def test_two_fits_are_one() -> None:
    X, y = blobs(50)
    one, two = make(), make()
    long = one.fit(X, y, epochs=5, batch_size=8, verbose=False)
    losses = [*two.fit(X, y, epochs=2, batch_size=8, verbose=False).loss]
    losses += two.fit(X, y, epochs=3, batch_size=8, verbose=False).loss
    assert losses == list(long.loss)
    assert state(one) == state(two)


def test_shuffle_depends_on_seed_only_and_can_be_off() -> None:
    X, y = blobs(50)
    states = []
    for seed, shuffle in ((0, True), (0, True), (1, True), (0, False)):
        model = make(seed=seed)
        model.parameters = {"W": np.zeros((3, 4)), "b": np.zeros(3)}
        model.fit(X, y, epochs=1, batch_size=8, shuffle=shuffle, verbose=False)
        states.append(state(model))
    assert states[0] == states[1]
    assert len(set(states)) == 3


def test_other_data_and_batch_size_begin_a_whole_epoch() -> None:
    """The program would take up an epoch in its middle; each row must still be seen once an epoch."""
    X, _ = blobs(50)
    model = make("linear", hypers={"eta": 0.0, "lam": 0.0})
    model.fit(X[:20], X[:20, 0], epochs=1, batch_size=8, verbose=False)
    assert model.step == 3
    model.parameters = {"W": np.zeros((1, 4)), "b": np.zeros(1)}
    targets = np.arange(50.0)
    history = model.fit(X, targets, epochs=3, batch_size=7, verbose=False)
    assert model.step == 3 + 3 * 8
    np.testing.assert_allclose(history.loss, [np.mean(targets**2)] * 3, rtol=1e-12)


def test_chunks_stay_in_an_epoch_and_grow() -> None:
    X, y = blobs(64)
    model = make()
    model.fit(X, y, epochs=4, batch_size=4, verbose=False)
    chunks = [steps for what, steps in double(model).calls if what == "train"]
    assert chunks[0] == 1
    assert sum(chunks) == 64
    assert max(chunks) <= 16
    ends = np.cumsum(chunks)
    assert set(range(16, 65, 16)) <= set(ends.tolist())


def test_epochs_after_which_nothing_is_measured_share_a_chunk() -> None:
    X, y = blobs(16)
    apart, together = make(), make()
    measured = apart.fit(X, y, epochs=300, batch_size=4, verbose=False)
    plain = together.fit(X, y, epochs=300, batch_size=4, verbose=False, metrics=False)
    assert state(apart) == state(together)
    assert plain.loss == pytest.approx(measured.loss, rel=1e-12)
    chunks = [steps for what, steps in double(together).calls if what == "train"]
    assert sum(chunks) == 1200
    assert len(chunks) < 100


def test_pace_aims_at_its_time() -> None:
    pace = Pace()
    for _ in range(20):
        steps = pace.steps(10**9)
        pace.measured(steps, steps * 1e-4)
    assert 400 <= pace.steps(10**9) <= 500
    pace.measured(400, 400.0)
    assert pace.steps(10**9) == 1


def test_hypers_count_without_recompiling() -> None:
    X, y = blobs()
    model = make()
    model.hypers["eta"] = 0.0
    before = state(model)
    model.fit(X, y, epochs=1, batch_size=8, verbose=False)
    assert state(model)[0] == before[0]


def test_metrics_off_makes_no_predictions() -> None:
    X, y = blobs()
    model = make()
    history = model.fit(X, y, batch_size=8, verbose=False, metrics=False)
    assert history.accuracy == ()
    assert not [c for c in double(model).calls if c[0] == "predict"]


@pytest.mark.parametrize("batch", [0, -1, 61, 2.5, True, None, "8"])
def test_bad_batch_size(batch: object) -> None:
    X, y = blobs(60)
    model = make()
    with pytest.raises(DataError, match="batch_size"):
        model.fit(X, y, batch_size=batch, verbose=False)  # type: ignore[arg-type]
    assert not double(model).calls


@pytest.mark.parametrize("epochs", [0, -3, 1.0, True])
def test_bad_epochs(epochs: object) -> None:
    with pytest.raises(DataError, match="epochs"):
        make().fit(*blobs(), epochs=epochs, verbose=False)  # type: ignore[arg-type]


def test_bad_validation_data_is_found_before_training() -> None:
    X, y = blobs()
    model = make()
    with pytest.raises(DataError, match=r"validation X\[0, 1\] is nan"):
        bad = X.copy()
        bad[0, 1] = np.nan
        model.fit(X, y, validation_data=(bad, y), verbose=False)
    with pytest.raises(DataError, match="pair"):
        model.fit(X, y, validation_data=X, verbose=False)
    assert not double(model).calls


def test_other_exceptions_leave_the_model_as_before_the_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = blobs()
    model = make()
    before = state(model)
    step = type(double(model))._step

    def broken(self: object, run: object, place: int) -> bool:
        step(self, run, place)  # type: ignore[arg-type]
        raise MemoryError

    monkeypatch.setattr(type(double(model)), "_step", broken)
    with pytest.raises(MemoryError):
        model.fit(X, y, batch_size=8, verbose=False)
    assert state(model) == before
