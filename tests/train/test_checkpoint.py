from __future__ import annotations

import dataclasses
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from module_double import blobs, changed, make, state
from safetensors.numpy import load_file, save_file

from symbackprop.errors import ModelFileError
from symbackprop.records import Initializer
from symbackprop.runtime import Slot
from symbackprop.train import Model, checkpoint


@pytest.fixture
def trained() -> Model:
    model = make(seed=3)
    model.fit(*blobs(), epochs=2, batch_size=8, verbose=False)
    return model


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_training_goes_on_as_if_never_stopped(trained: Model, path: Path) -> None:
    trained.hypers["eta"] = 0.05
    trained.save(path)
    fresh = make(seed=99)
    fresh.load(path)
    assert state(fresh) == state(trained)
    assert (fresh.seed, fresh.epoch, dict(fresh.hypers)) == (3, 2, dict(trained.hypers))
    one, two = (m.fit(*blobs(), epochs=3, batch_size=8, verbose=False) for m in (trained, fresh))
    assert one.loss == two.loss
    assert state(fresh) == state(trained)


def test_resume_where_the_counter_is_inside_an_epoch(trained: Model, path: Path) -> None:
    X, y = blobs(37)
    trained.save(path)
    fresh = make()
    fresh.load(path)
    trained.fit(X, y, epochs=4, batch_size=6, verbose=False)
    fresh.fit(X, y, epochs=2, batch_size=6, verbose=False)
    fresh.save(path)
    again = make()
    again.load(path)
    again.fit(X, y, epochs=2, batch_size=6, verbose=False)
    assert state(again) == state(trained)


def test_file_is_plain_safetensors_and_the_same_each_time(trained: Model, path: Path) -> None:
    trained.save(path)
    tensors = load_file(path)
    assert set(tensors) == {"parameters.W", "parameters.b", "state.v.W", "state.v.b"}
    np.testing.assert_array_equal(tensors["parameters.W"], trained.parameters["W"])
    first = path.read_bytes()
    trained.save(path)
    assert path.read_bytes() == first


def test_read_gives_the_record(trained: Model, path: Path) -> None:
    trained.save(path)
    saved = checkpoint.read(path)
    assert saved.manifest == trained.manifest
    assert (saved.seed, saved.step, saved.epoch) == (3, 16, 2)
    np.testing.assert_array_equal(saved.parameters["W"], trained.parameters["W"])
    trained.parameters = saved.parameters


def test_every_truncation_is_found(trained: Model, path: Path) -> None:
    trained.save(path)
    raw = path.read_bytes()
    for length in [*range(0, 64), *range(64, len(raw), 41), len(raw) - 1]:
        path.write_bytes(raw[:length])
        with pytest.raises(ModelFileError, match=r"model.safetensors"):
            checkpoint.read(path)
    path.write_bytes(raw + b"\0")
    with pytest.raises(ModelFileError):
        checkpoint.read(path)


def test_every_flipped_byte_is_found(trained: Model, path: Path) -> None:
    trained.save(path)
    raw = path.read_bytes()
    before = state(trained)
    for place in range(len(raw)):
        changed_raw = bytearray(raw)
        changed_raw[place] ^= 1 << place % 8
        path.write_bytes(bytes(changed_raw))
        with pytest.raises(ModelFileError):
            trained.load(path)
    assert state(trained) == before


@given(st.binary(max_size=300))
def test_any_bytes_give_the_error(raw: bytes) -> None:
    import tempfile

    with tempfile.NamedTemporaryFile() as file:
        file.write(raw)
        file.flush()
        with pytest.raises(ModelFileError):
            checkpoint.read(file.name)


def test_foreign_missing_and_odd_files(tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    save_file({"layer.weight": np.ones(3)}, other)
    with pytest.raises(ModelFileError, match=r"another program; it holds layer\.weight"):
        checkpoint.read(other)
    save_file({"a": np.ones(3)}, other, {"symbackprop": "[1]"})
    with pytest.raises(ModelFileError):
        checkpoint.read(other)
    save_file({"a": np.ones(3)}, other, {"symbackprop": '{"format": 99}'})
    with pytest.raises(ModelFileError, match="newer"):
        checkpoint.read(other)
    with pytest.raises(ModelFileError, match="No such file"):
        checkpoint.read(tmp_path / "none")
    with pytest.raises(ModelFileError):
        checkpoint.read(tmp_path)
    with pytest.raises(ModelFileError, match="not a regular file"):
        make().save(tmp_path)
    with pytest.raises(ModelFileError, match="cannot save"):
        make().save(tmp_path / "no" / "folder")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"dtype": "float32"}, "dtype: file 'float64', model 'float32'"),
        ({"optimizer": "adam", "states": ("m", "v")}, "optimizer: file 'momentum', model 'adam'"),
        ({"hypers": (("eta", 0.1),)}, "hyper-parameters"),
        (
            {"parameters": (Slot("W", (2, 4), 0, Initializer("constant", (0.0,))),)},
            r"parameter W: file \(3, 4\), model \(2, 4\); parameter b: file \(3,\), model none",
        ),
        ({"inputs": ()}, r"inputs: file x \(4,\) real, model"),
    ],
)
def test_another_network_is_named(fields: dict[str, object], told: str, trained: Model, path: Path) -> None:
    trained.save(path)
    other = changed(make(), **fields)
    before = state(other)
    with pytest.raises(ModelFileError, match=told):
        other.load(path)
    assert state(other) == before


def test_layout_and_initializers_need_not_agree(trained: Model, path: Path) -> None:
    trained.save(path)
    slots = (
        dataclasses.replace(trained.manifest.parameters[1], offset=0),
        dataclasses.replace(trained.manifest.parameters[0], offset=8),
    )
    other = changed(make(), parameters=slots, block=24)
    other.load(path)
    for name, array in trained.parameters.items():
        np.testing.assert_array_equal(other.parameters[name], array)


@pytest.mark.usefixtures("usual_umask")
def test_permissions_and_links(trained: Model, path: Path) -> None:
    trained.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    path.chmod(0o640)
    link = path.with_name("link")
    link.symlink_to(path)
    trained.save(link)
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    make().load(link)


def test_a_full_disk_leaves_the_old_file(trained: Model, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained.save(path)
    before = path.read_bytes()
    trained.fit(*blobs(), batch_size=8, verbose=False)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelFileError, match="No space left"):
        trained.save(path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]
