"""One epoch of training as pseudo-code, with the numbers of the equations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ..present.tree import Leaf, Node, Running, Subscript, replaced, walk, weight
from .records import Algorithm, CodeLine, Formula
from .setting import Setting, batch, tensors_of
from .update import formulas

LONG = 30
"""Nodes of a right side above which a line names what is computed, and the equation tells how."""


def algorithm(setting: Setting) -> Algorithm:
    """Shuffle, then forward, backward and update for every batch."""
    return Algorithm(tuple(_lines(setting)))


def _lines(setting: Setting) -> Iterator[CodeLine]:
    words, derivation = setting.words, setting.derivation
    system, update = derivation.system, derivation.update
    data: list[str | Node] = []
    for tensor in (*system.inputs, *setting.targets):
        data += [", "] if data else []
        data.append(Leaf(tensor))
    yield CodeLine(0, words("algorithm.epoch"))
    yield CodeLine(1, words("algorithm.shuffle"))
    yield CodeLine(1, words("algorithm.batch", data=tuple(data), batch=batch()))
    if update is not None and any(update.step in tensors_of(eq) for eq in update.equations):
        yield CodeLine(2, words("algorithm.count", step=Leaf(update.step)))
    for tensor in system.randoms:
        yield CodeLine(2, words("algorithm.draw", tensor=Leaf(tensor)))
    everything = {
        "forward": (*derivation.forward, derivation.objective),
        "backward": derivation.adjoints,
        "gradients": derivation.gradients,
    }
    for key, made in everything.items():
        yield from _part(setting, key, map(setting.formula, made))
    if update is not None:
        leaf = {"theta": Leaf(update.theta), "gradient": Leaf(update.gradient)}
        yield CodeLine(2, words("algorithm.update", **leaf))
        yield from (_line(setting, formula) for formula in _assigned(formulas(setting, update)))
    yield from _part(setting, "states", _assigned([setting.formula(eq, new=True) for eq in derivation.updates]))


def _assigned(made: Sequence[Formula]) -> Sequence[Formula]:
    """New values in the place of the old ones, v := mu v + g, where no later line needs an old one."""
    marked = [f.lhs for f in made if isinstance(f.lhs, Leaf) and f.lhs.new]
    for place, formula in enumerate(made):
        if formula.lhs in marked and any(Leaf(formula.lhs.tensor) in walk(later.rhs) for later in made[place + 1 :]):
            return made
    for mark in marked:
        old = Leaf(mark.tensor)
        made = [replace(f, lhs=replaced(f.lhs, mark, old), rhs=replaced(f.rhs, mark, old)) for f in made]
    return made


def _part(setting: Setting, key: str, made: Iterable[Formula]) -> Iterator[CodeLine]:
    lines = [_line(setting, formula) for formula in made]
    if lines:
        yield CodeLine(2, setting.words(f"algorithm.{key}"))
        yield from lines


def _line(setting: Setting, formula: Formula) -> CodeLine:
    short = weight(formula.rhs) <= LONG and not any(isinstance(n, (Running, Subscript)) for n in walk(formula.rhs))
    left = Leaf(formula.lhs.tensor) if isinstance(formula.lhs, (Subscript, Leaf)) and not short else formula.lhs
    if short:
        return CodeLine(3, setting.words("algorithm.assign", left=left, right=formula.rhs), formula.number)
    return CodeLine(3, setting.words("algorithm.compute", left=left), formula.number)
