"""How losses are declared: names, factories, users' own; what is refused, and what equal keys mean."""

from __future__ import annotations

from typing import Any

import pytest

import symbackprop as sb
from symbackprop.declare.losses import FACTORIES, LOSSES, Loss, as_loss, sample_weights
from symbackprop.errors import DeclarationError, ShapeError
from symbackprop.language.tensor import BATCH, Dim, Tensor


def outputs(*shapes: tuple[int, ...]) -> tuple[Tensor, ...]:
    return tuple(
        Tensor(f"z{i}", (BATCH, *(Dim(f"d{i}{a}", s) for a, s in enumerate(shape))))
        for i, shape in enumerate(shapes, 1)
    )


def build(loss: Any, *shapes: tuple[int, ...], reduction: str | None = None) -> Any:
    made = as_loss(loss, reduction)
    z = outputs(*shapes)
    return made.build(z, made.target("y", z))


@pytest.mark.parametrize("name", FACTORIES)
def test_a_name_a_factory_and_its_call_are_one_loss(name: str) -> None:
    assert as_loss(name, None) == as_loss(FACTORIES[name], None) == as_loss(FACTORIES[name](), None) == LOSSES[name]


@pytest.mark.parametrize("name", ["mse", "half_mse", "mae", "log_cosh", "hinge", "squared_hinge", "kl"])
def test_a_formula_of_ours_is_its_loss(name: str) -> None:
    """`loss=sb.losses.hinge` has the metric and traits that the name has."""
    assert as_loss(getattr(sb.losses, name), None) == LOSSES[name]


def test_every_loss_can_be_reached_as_an_attribute() -> None:
    assert all(hasattr(sb.losses, name) for name in LOSSES)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: sb.losses.huber(0), "huber's delta must be a finite number > 0; got 0"),
        (lambda: sb.losses.huber(delta="1"), "delta must be a finite number"),
        (lambda: sb.losses.triplet(margin=-1), "margin must be a finite number >= 0"),
        (lambda: sb.losses.info_nce(temperature=0.0), "temperature must be a finite number > 0"),
        (lambda: sb.losses.softmax_cross_entropy(label_smoothing=1.5), r"label_smoothing must be in \[0, 1\]"),
        (lambda: sb.losses.softmax_cross_entropy(ignore_index=0.5), "ignore_index is a whole number"),
        (lambda: sb.losses.softmax_cross_entropy(class_weights=[1, -1]), "class weight must be"),
        (lambda: sb.losses.binary_focal(alpha=2), r"alpha must be in \[0, 1\]"),
        (lambda: sb.losses.cosine_embedding(margin=2), r"margin must be in \[-1, 1\]"),
        (lambda: as_loss("huberr", None), "unknown loss 'huberr'. Did you mean 'huber'"),
        (lambda: as_loss("mse", "avg"), "unknown reduction 'avg'"),
        (lambda: as_loss(Loss(lambda p, t: p, traits=("units",)), None), "unknown trait 'units'"),
        (lambda: as_loss(3, None), "a loss is a name"),
        (lambda: build("triplet", (2,)), r"takes 3 output\(s\) of the network; got 1: z1"),
        (lambda: build(lambda p, t: t**2, (2,)), "does not depend on the prediction"),
    ],
)
def test_what_is_refused(make: Any, told: str) -> None:
    with pytest.raises(DeclarationError, match=told):
        make()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: build("gaussian_nll", (2,), (3,)), r"one shape; got z1 \(N, 2\) and z2 \(N, 3\)"),
        (lambda: build("triplet", (2,), (2,), (3,)), r"z1 \(N, 2\), z2 \(N, 2\), z3 \(N, 3\)"),
        (lambda: build("info_nce", (2, 3), (2, 3)), r"takes rows \(N, d\); z1 is \(N, 2, 3\)"),
        (lambda: build("cosine", ()), r"rows of one length, \(N, ..., d\) each; got z1 \(N,\)"),
        (lambda: build("softmax_cross_entropy", ()), r"one score a class, \(N, ..., K\); z1 is \(N,\)"),
        (
            lambda: build(sb.losses.softmax_cross_entropy([1, 2]), (3,)),
            r"2 class weights were given for 3 classes, the last axis of z1 \(N, 3\)",
        ),
    ],
)
def test_shapes_that_do_not_fit(make: Any, told: str) -> None:
    with pytest.raises(ShapeError, match=told):
        make()


def test_targets() -> None:
    """What the data must give for each loss."""
    two = outputs((4,), (4,))
    assert as_loss("mse", None).target("y", two[:1]).sizes == (None, 4)  # type: ignore[union-attr]
    labels = as_loss("softmax_cross_entropy", None).target("y", two[:1])
    assert labels is not None and labels.traits == {"normalized", "unit"}
    ignoring = as_loss(sb.losses.softmax_cross_entropy(ignore_index=-1), None).target("y", two[:1])
    assert ignoring is not None and ignoring.traits == {"unit", "classes"} and ignoring.value == -1
    assert as_loss("cosine_embedding", None).target("y", two).sizes == (None,)  # type: ignore[union-attr]
    assert as_loss("info_nce", None).target("y", two) is None
    assert as_loss("info_nce", None).least_rows == 2
    assert sample_weights().sizes == (None,) and sample_weights().traits == {"sample_weight"}


def test_keys_tell_losses_apart() -> None:
    """Equal ones have equal keys, other numbers or reductions others, and a user's formula has none."""
    huber = sb.losses.huber
    assert huber(1.0).key == as_loss("huber", None).key
    keys = {huber(d, r).key for d in (1, 2) for r in ("mean", "sum")}
    keys |= {loss.key for name, loss in LOSSES.items() if name not in ("huber", "multilabel")}
    assert len(keys) == 4 - 1 + len(LOSSES) - 1 and None not in keys
    assert as_loss(lambda p, t: (p - t) ** 2, None).key is None


def test_names_end_in_the_tag() -> None:
    """So that several losses of one network have tensors of their own."""
    z = outputs((4,))
    loss = as_loss(sb.losses.softmax_cross_entropy([1, 2, 3, 4], 0.1), "none")
    target = loss.target("y", z)
    assert [eq.lhs.name for eq in loss.build(z, target).equations] == ["p", "q", "losses"]
    assert [eq.lhs.name for eq in loss.build(z, target, tag="2").equations] == ["p2", "q2", "losses2"]


def test_chosen_activations() -> None:
    """A call without an entry chooses the numbers; the result reads as what was written."""
    leaky = sb.activations.leaky_relu(slope=0.2)
    assert leaky == sb.activations.leaky_relu(slope=0.2) != sb.activations.leaky_relu(slope=0.1)
    assert dict(leaky.options) == {"slope": 0.2}
    with pytest.raises(DeclarationError, match="elu: alpha must be a finite number; got 'x'"):
        sb.activations.elu(alpha="x")
