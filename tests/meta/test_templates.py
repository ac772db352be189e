"""A template reads the fields of the record that it is rendered with: all of them, and nothing else."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import jinja2
import pytest
from jinja2 import meta, nodes

import symbackprop as sb
from symbackprop import pipeline
from symbackprop.document.beamer import beamer
from symbackprop.document.html import fragment, html
from symbackprop.document.latex import article
from symbackprop.document.make import document
from symbackprop.document.notebook import notebook
from symbackprop.emit import render as door
from tests.meta.repo import ROOT

NETWORKS = (
    sb.Network([sb.Input(3), sb.Dense(2, "tanh"), sb.Dense(2)], "softmax_cross_entropy", weight_decay=0.1),
    sb.Network([sb.Input(64), sb.Dense(64, "relu"), sb.Dense(32, "sigmoid"), sb.Dense(10)], "mse"),
    sb.Network(
        [
            sb.Input((8, 8, 8)),
            sb.layers.Conv2d(8, 3, padding=1),
            sb.layers.BatchNorm2d(),
            sb.layers.AvgPool2d(3, stride=1, padding=1),
            sb.layers.MaxPool2d(2),
            sb.layers.Flatten(),
            sb.layers.Dropout(0.2),
            sb.Dense(3),
        ],
        "mse",
    ),
    sb.Network(
        [sb.Input(4, levels=9), sb.layers.Embedding(9, 8), sb.layers.Flatten(), sb.Dense(2)], "mse", reduction="none"
    ),
)


@dataclass
class Rendering:
    """One template's renderings: the records of its contexts, the templates that were loaded for them."""

    context: Any
    loaded: set[str] = field(default_factory=set)


def records(value: Any) -> Iterator[Any]:
    """The dataclass instances inside a value."""
    if isinstance(value, tuple | list):
        for item in value:
            yield from records(item)
    elif dataclasses.is_dataclass(value):
        yield value
        for f in dataclasses.fields(value):
            yield from records(getattr(value, f.name))


@pytest.fixture(scope="module")
def renderings() -> dict[str, list[Rendering]]:
    """Template -> its renderings, while networks are printed and emitted in every way."""
    seen: dict[str, list[Rendering]] = {}
    genuine, get_source = door.render, jinja2.FileSystemLoader.get_source
    current: list[Rendering] = []

    def spy(template: str, context: Any) -> str:
        door._environment.cache_clear()
        current.append(Rendering(context))
        seen.setdefault(template, []).append(current[-1])
        return genuine(template, context)

    def load(loader: jinja2.FileSystemLoader, environment: jinja2.Environment, template: str) -> Any:
        current[-1].loaded.add(template)
        return get_source(loader, environment, template)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.FileSystemLoader, "get_source", load)
        patch.setattr(door, "render", spy)
        for name, module in list(sys.modules.items()):
            if name.startswith("symbackprop") and getattr(module, "render", None) is genuine:
                patch.setattr(module, "render", spy)
        for network in NETWORKS:
            for optimizer in (sb.SGD(), sb.Adam(clip_norm=1.0, groups={"b*": {"eta": 0.1}})):
                for target in pipeline.TARGETS:
                    network.emit(target=target, optimizer=optimizer)
            page = document(network.derive(optimizer="adam"))
            for write in (article, beamer, html, notebook, fragment):
                write(page)
    door._environment.cache_clear()
    return seen


def parsed(template: str) -> nodes.Template:
    environment = door._environment(template.endswith(".tex.jinja"))
    assert environment.loader is not None
    return environment.parse(environment.loader.get_source(environment, template)[0])


def variables(templates: set[str]) -> set[str]:
    """What the templates read from outside, less the loop variables that one of them hands to what it includes."""
    trees = [parsed(t) for t in templates]
    loops = [loop for tree in trees for loop in tree.find_all(nodes.For) if loop.find(nodes.Include)]
    handed = {name.name for loop in loops for name in [loop.target, *loop.target.find_all(nodes.Name)]}
    return set().union(*map(meta.find_undeclared_variables, trees)) - handed


def test_variables_are_the_fields_of_one_frozen_record(renderings: dict[str, list[Rendering]]) -> None:
    assert len(renderings) >= 3
    for template, made in renderings.items():
        (record,) = {type(r.context) for r in made}
        fields = {f.name for f in dataclasses.fields(record)}
        assert variables(set().union(*(r.loaded for r in made))) == fields, f"{template} and {record.__name__}"


def test_every_record_is_frozen_and_read_in_full(renderings: dict[str, list[Rendering]]) -> None:
    """Each field is read by one of the templates that are given the record."""
    read: dict[type, set[str]] = {}
    tops = {type(made[0].context) for made in renderings.values()}
    for made in renderings.values():
        trees = [parsed(t) for t in set().union(*(r.loaded for r in made))]
        names = {node.attr for tree in trees for node in tree.find_all(nodes.Getattr)}
        for record in {type(r) for m in made for r in records(m.context)}:
            read.setdefault(record, set()).update(names)
    for record, names in read.items():
        assert record.__dataclass_params__.frozen, f"{record.__name__} is not frozen"  # type: ignore[attr-defined]
        unread = {f.name for f in dataclasses.fields(record)} - names
        assert record in tops or not unread, f"no template reads {record.__name__}: {unread}"


def test_every_template_is_used(renderings: dict[str, list[Rendering]]) -> None:
    folder = ROOT / "templates"
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*.jinja")}
    assert present == set().union(*(r.loaded for made in renderings.values() for r in made))
