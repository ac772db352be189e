"""The drawn network: nothing overlaps, every arrow has its boxes, large networks stay small."""

from __future__ import annotations

from itertools import combinations

import pytest

import symbackprop as sb
from examples import networks
from symbackprop.document.diagram import diagram
from symbackprop.document.diagram_graph import MOST
from symbackprop.document.records import Box, Diagram
from symbackprop.present.notation import PROFILES, Notation
from symbackprop.present.view import View
from tests.document.printed import gallery
from tests.present.networks import NETWORKS

LABEL = (0.4, 0.2)
"""The smallest size that a label must have for itself, in columns and rows."""


def residual() -> sb.Network:
    x = sb.Input(8)
    h = sb.Dense(8)(x)
    for _ in range(3):
        h = sb.Dense(8)(sb.Dense(8, "relu")(h)) + h
    return sb.Network(inputs=x, outputs=sb.Dense(3)(h), loss="softmax_cross_entropy")


def very_deep() -> sb.Network:
    layers = [layer for _ in range(14) for layer in (sb.Dense(4), sb.layers.BatchNorm1d(), sb.Activation("relu"))]
    return sb.Network([sb.Input(6), *layers], loss="mse")


DRAWN = {
    "residual": residual(),
    "very deep": very_deep(),
    "convolutional": networks.convolutional,
    "words": networks.words,
    **NETWORKS,
    **{f"gallery {name}": network for name, (network, *_) in gallery().GALLERY.items()},
}


def drawn(name: str, profile: str = "rows") -> Diagram:
    derivation = DRAWN[name].derive()
    return diagram(derivation, View(Notation(profile), derivation))


Area = tuple[float, float, float, float]


def area(box: Box) -> Area:
    return (
        box.column - box.width / 2,
        box.row - box.height / 2,
        box.column + box.width / 2,
        box.row + box.height / 2,
    )


def apart(a: Area, b: Area) -> bool:
    return a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def labels(made: Diagram) -> list[Area]:
    places = [arrow.at for arrow in made.arrows if arrow.at is not None]
    return [(x - LABEL[0] / 2, y - LABEL[1] / 2, x + LABEL[0] / 2, y + LABEL[1] / 2) for x, y in places]


@pytest.mark.parametrize("name", DRAWN)
def test_no_boxes_or_labels_overlap(name: str) -> None:
    made = drawn(name)
    areas = [(box.name, area(box)) for box in made.boxes]
    areas += [(f"label {n}", label) for n, label in enumerate(labels(made))]
    assert not [(a[0], b[0]) for a, b in combinations(areas, 2) if not apart(a[1], b[1])]


def crosses(box: Box, start: tuple[float, float], end: tuple[float, float]) -> bool:
    left, top, right, bottom = area(box)
    for step in range(1, 40):
        x = start[0] + (end[0] - start[0]) * step / 40
        y = start[1] + (end[1] - start[1]) * step / 40
        if left + 0.01 < x < right - 0.01 and top + 0.01 < y < bottom - 0.01:
            return True
    return False


@pytest.mark.parametrize("name", DRAWN)
def test_no_line_runs_through_a_box(name: str) -> None:
    made = drawn(name)
    dots = {box.name for box in made.boxes if box.kind == "dots"}
    wrong = [
        (arrow.start, arrow.end, box.name)
        for arrow in made.arrows
        for start, end in zip(arrow.points, arrow.points[1:], strict=False)
        for box in made.boxes
        if box.name not in dots and crosses(box, start, end)
    ]
    assert not wrong


@pytest.mark.parametrize("name", DRAWN)
def test_arrows_lead_from_box_to_box(name: str) -> None:
    made = drawn(name)
    boxes = {box.name: box for box in made.boxes}
    assert len(boxes) == len(made.boxes)
    for arrow in made.arrows:
        for side, point in ((arrow.start, arrow.points[0]), (arrow.end, arrow.points[-1])):
            left, top, right, bottom = area(boxes[side])
            near = 0.15 if boxes[side].kind == "dots" else 1e-6
            assert left - near <= point[0] <= right + near
            assert top - near <= point[1] <= bottom + near
    forward = {(a.start, a.end) for a in made.arrows if not a.backward}
    assert {(a.end, a.start) for a in made.arrows if a.backward} <= forward
    assert [b.kind for b in made.boxes].count("loss") == 1


@pytest.mark.parametrize("profile", PROFILES)
def test_every_derivative_is_named_once(profile: str) -> None:
    derivation = DRAWN["words"].derive()
    made = diagram(derivation, View(Notation(profile), derivation))
    named = [arrow.label for arrow in made.arrows if arrow.label is not None]
    assert len(named) == len(set(named)) == len(derivation.adjoints)
    assert all(arrow.backward for arrow in made.arrows if arrow.label is not None)


def test_rows_are_short_and_boxes_few() -> None:
    for name in DRAWN:
        made = drawn(name)
        assert max(box.column for box in made.boxes) < 5.5
        assert sum(box.width > 0.5 or box.kind == "dots" for box in made.boxes) <= MOST


def test_large_networks_merge_activations_then_leave_out_the_middle() -> None:
    merged = drawn("20 layers")
    assert sum(len(box.more) for box in merged.boxes) == 20
    assert not [box for box in merged.boxes if box.kind == "dots"]
    assert len([box for box in drawn("very deep").boxes if box.kind == "dots"]) == 1


def test_what_is_spread_over_a_batch_stands_aside() -> None:
    rows = {box.name: box.row for box in drawn("norm").boxes}
    assert rows["z1"] == rows["xhat"]
    assert rows["mu"] == rows["var"] > rows["z1"]
