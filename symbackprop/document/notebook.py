"""A document as a Jupyter notebook that runs: the derivation, the generated NumPy program, a check of its gradients."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..emit.numpy import emit_numpy
from ..emit.render import render
from ..errors import PresentationError
from ..records import Derivation
from ..runtime import Port, Slot, Source
from .code import DTYPE, program_of
from .markdown import MarkdownWriter, escaped
from .records import Document

ROWS = 5
"""Samples in the check's batch, where training needs no more."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of the generated function: a name, and the Python expression of random values for it."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Check:
    """What the template of the check reads; the parameters are arguments from `first` on."""

    rows: int
    data: tuple[Argument, ...]
    random: bool
    others: tuple[Argument, ...]
    first: str
    label: str


def notebook(document: Document) -> str:
    """The notebook's JSON (nbformat 4.5)."""
    derivation = document.view.derivation
    if derivation is None:
        raise PresentationError("a notebook needs the document of a derivation: use derivation.document('x.ipynb')")
    cells = list(_cells(document, derivation))
    made = [cell | {"id": f"cell-{place}"} for place, cell in enumerate(cells)]
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "title": document.title,
    }
    whole = {"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _cells(document: Document, derivation: Derivation) -> Iterator[dict[str, Any]]:
    writer = MarkdownWriter(document, pictures=True)
    yield _markdown(f"# {escaped(document.title)}")
    for section in document.sections:
        yield _markdown(writer.section(section))
    source = emit_numpy(program_of(derivation), DTYPE)
    yield _markdown(escaped(document.words["program"]))
    yield from map(_code, _functions(source.text))
    yield _markdown(escaped(document.words["check"]))
    yield _code(render("notebook/check.py.jinja", _check(source, derivation, document.words["error"])))


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": _lines(text)}


def _code(text: str) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": _lines(text)}


def _lines(text: str) -> list[str]:
    return text.strip("\n").splitlines(keepends=True)


def _functions(text: str) -> Iterator[str]:
    """The module in pieces: what stands in front of the first function, then each function."""
    lines = text.splitlines(keepends=True)
    starts = [
        min([node.lineno, *(d.lineno for d in node.decorator_list)]) - 1
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef)
    ]
    for start, end in zip([0, *starts], [*starts, len(lines)], strict=True):
        yield "".join(lines[start:end])


def _check(source: Source, derivation: Derivation, label: str) -> Check:
    manifest, system = source.manifest, derivation.system
    data = [Argument(p.name, _input(p)) for p in manifest.inputs]
    data += [Argument(p.name, _target(p)) for p in manifest.targets]
    others = [Argument(s.name, _parameter(s)) for s in manifest.parameters]
    others += [Argument(s.name, _state(s)) for s in manifest.fixed]
    others += [Argument(h.name, repr(float(h.value or 0.0))) for h in system.hypers]
    return Check(
        rows=max(ROWS, manifest.least_rows),
        data=tuple(data),
        random=bool(manifest.randoms),
        others=tuple(others),
        first=str(len(data)) + (" + len(randoms(rows))" if manifest.randoms else ""),
        label=repr(f"{label}:"),
    )


def _shape(sizes: tuple[int, ...]) -> str:
    return f"({', '.join(['rows', *map(str, sizes)])}{',' if not sizes else ''})"


def _input(port: Port) -> str:
    shape = _shape(port.shape)
    return _whole(port) if port.role == "index" else f"rng.normal(size={shape})"


def _target(port: Port) -> str:
    shape = _shape(port.shape)
    match port.role:
        case "index":
            return _whole(port)
        case "one_hot":
            return f"np.eye({port.shape[-1]})[rng.integers({port.shape[-1]}, size={_shape(port.shape[:-1])})]"
        case "sign":
            return f"rng.choice([-1.0, 1.0], size={shape})"
        case "weight":
            return f"0.5 + rng.random({shape})"
    return f"rng.random({shape})"


def _whole(port: Port) -> str:
    return f"rng.integers({port.levels}, size={_shape(port.shape)}).astype(real)"


def _parameter(slot: Slot) -> str:
    spread = f"rng.normal(size={slot.shape!r})"
    if slot.init.kind == "constant":
        return f"{slot.init.args[0]!r} + 0.1*{spread}"
    return f"0.5*{spread}"


def _state(slot: Slot) -> str:
    return f"np.full({slot.shape!r}, {slot.init.args[0]!r})" if slot.init.kind == "constant" else _parameter(slot)
