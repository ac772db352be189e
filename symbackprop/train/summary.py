"""A model's summary as text."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..records import Initializer
from ..runtime import Module, Port, Slot


def summary(module: Module, hypers: Mapping[str, float]) -> str:
    """Ports, then parameters and states with shapes, counts and initializers, then the optimizer and its numbers."""
    manifest = module.manifest
    rows = _rows("parameter", manifest.parameters)
    if manifest.fixed:
        rows += _rows("state", manifest.fixed)
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = [f"{_ports(manifest.inputs)} -> {_ports(manifest.outputs)}"]
    if manifest.targets:
        lines[0] += f", target {_ports(manifest.targets)}"
    for name, shape, count_text, init in rows:
        lines.append(f"  {name:<{widths[0]}}  {shape:<{widths[1]}}  {count_text:>{widths[2]}}  {init}".rstrip())
    learned, kept = (sum(math.prod(slot.shape) for slot in s) for s in (manifest.parameters, manifest.fixed))
    size = (learned + kept) * (8 if manifest.dtype == "float64" else 4)
    counted = f"{learned:,} entries" + (f" and {kept:,} of states" if kept else "")
    lines.append(f"{counted}, {size / 1024:,.1f} KiB in {manifest.dtype}, compiled to {module.target}")
    numbers = ", ".join(f"{name} = {value:g}" for name, value in hypers.items())
    lines.append(f"optimizer {manifest.optimizer}" + (f", {numbers}" if numbers else ""))
    return "\n".join(lines)


def _rows(word: str, slots: tuple[Slot, ...]) -> list[tuple[str, str, str, str]]:
    rows = [(word, "shape", "entries", "first values")]
    return rows + [(s.name, str(s.shape), f"{math.prod(s.shape):,}", _initializer(s.init)) for s in slots]


def _ports(ports: tuple[Port, ...]) -> str:
    return ", ".join(f"{port.name} ({', '.join(map(str, ('N', *port.shape)))})" for port in ports)


def _initializer(init: Initializer) -> str:
    return init.kind + (f"({', '.join(f'{a:g}' for a in init.args)})" if init.args else "")
