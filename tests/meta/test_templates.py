"""A template reads the fields of the record that it is rendered with: all of them, and nothing else."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

import pytest
from jinja2 import meta

import symbackprop as sb
from symbackprop import pipeline
from symbackprop.emit import render as door
from tests.meta.repo import ROOT


def parsed(template: str) -> Any:
    environment = door._environment(template.endswith(".tex.jinja"))
    loader = environment.loader
    assert loader is not None
    return environment.parse(loader.get_source(environment, template)[0])


def closure(template: str) -> set[str]:
    """The template and all that it includes, imports or extends."""
    seen, todo = set(), [template]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += [n for n in meta.find_referenced_templates(parsed(name)) if n is not None]
    return seen


def variables(template: str) -> set[str]:
    return set().union(*(meta.find_undeclared_variables(parsed(t)) for t in closure(template)))


@pytest.fixture(scope="module")
def rendered() -> dict[str, type]:
    """Template -> the record it was rendered with, while a network is printed and emitted in every way."""
    seen: dict[str, type] = {}
    genuine = door.render

    def spy(template: str, context: Any) -> str:
        seen[template] = type(context)
        return genuine(template, context)

    net = sb.Network([sb.Input(3), sb.Dense(2, "tanh"), sb.Dense(2)], loss="softmax_cross_entropy", weight_decay=0.1)
    with pytest.MonkeyPatch.context() as patch:
        for name, module in list(sys.modules.items()):
            if name.startswith("symbackprop") and getattr(module, "render", None) is genuine:
                patch.setattr(module, "render", spy)
        for target in ("numpy", "c"):
            pipeline.emit(net, target=target, optimizer=sb.Adam())
        net.derive(optimizer=sb.Adam()).latex(standalone=True)
    return seen


def test_variables_are_the_fields_of_one_frozen_record(rendered: dict[str, type]) -> None:
    for template, record in rendered.items():
        assert dataclasses.is_dataclass(record)
        assert record.__dataclass_params__.frozen, f"{record.__name__} is not frozen"  # type: ignore[attr-defined]
        assert variables(template) == {f.name for f in dataclasses.fields(record)}, f"{template} and {record.__name__}"


def test_every_template_is_rendered(rendered: dict[str, type]) -> None:
    folder = ROOT / "templates"
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*.jinja")}
    assert present == set().union(*map(closure, rendered))
