"""Cache keys: equal keys mean equal generated code. A network of the library's own blocks has one without SymPy."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from .activations import ACTIVATIONS, ROW_ACTIVATIONS
from .graph import Graph
from .handle import Handle
from .layers.base import Layer
from .objective import Share
from .regularizers import Regularizer

if TYPE_CHECKING:
    from ..language.tensor import Tensor
    from ..records import Equation, System

OURS = __name__.partition(".")[0] + "."


class _OtherError(Exception):
    """A user's own formula or layer is part of the network."""


@dataclass
class _Writer:
    """Writes records as text; layers and regularizers are numbered by identity, for who shares them counts."""

    numbers: dict[int, int] = field(default_factory=dict)

    def value(self, value: Any) -> str:
        """Text that differs for different values."""
        if value is None or isinstance(value, (bool, int, float)):
            return f"{type(value).__name__}:{value!r}"
        if isinstance(value, str):
            formula = ACTIVATIONS.get(value) or ROW_ACTIVATIONS.get(value)
            return repr(value) if formula is None else f"{value!r}={self.value(formula)}"
        if isinstance(value, (tuple, list)):
            return f"[{','.join(map(self.value, value))}]"
        if not isinstance(value, type) and is_dataclass(value):
            return self.record(value)
        if callable(value):
            return _function(value)
        try:
            return f"int:{operator.index(value)}"
        except TypeError:
            raise _OtherError from None

    def record(self, record: Any) -> str:
        """A record of the library's own by its fields; a shared one by its number from the second time on."""
        if not _function(type(record)):
            raise _OtherError
        shared = isinstance(record, (Layer, Regularizer))
        if shared and id(record) in self.numbers:
            return f"#{self.numbers[id(record)]}"
        mark = f"#{self.numbers.setdefault(id(record), len(self.numbers))}:" if shared else ""
        if isinstance(record, Regularizer):
            if record.key is None:
                raise _OtherError
            formulas = [_function(f) for f in map(vars(type(record)).get, ("entry", "tensor")) if callable(f)]
            return f"{mark}{_function(type(record))}{formulas}{record.key}"
        run_time = getattr(record, "run_time", {}).values()  # numbers that the code reads when it runs
        kept = [f.name for f in fields(record) if f.name not in run_time]
        inner = ",".join(f"{name}={self.value(getattr(record, name))}" for name in kept)
        return f"{mark}{_function(type(record))}({inner})"


def _function(item: Any) -> str:
    """The full name of a function or class of the library's own, whose text is part of every key by the fingerprint."""
    module, name = str(getattr(item, "__module__", "")), str(getattr(item, "__qualname__", "<"))
    if not module.startswith(OURS) or "<" in name:
        raise _OtherError
    return f"{module}.{name}"


def plain_key(body: Any, shares: Sequence[Share], regularizers: Sequence[Any], rest: tuple[Any, ...]) -> str | None:
    """The key of a graph made of the library's own layers, losses and regularizers only; else None."""
    if not isinstance(body, Graph):
        return None
    writer = _Writer()
    try:
        lines = [writer.value(tuple(regularizers))]
        places: dict[Handle, int] = {}
        for item in body.inputs:
            places[item] = len(places)
            lines.append(writer.record(item))
        for node in body.nodes:
            places[node] = len(places)
            lines.append(f"{writer.value(node.layer)}{[places[i] for i in node.inputs]}{node.name!r}")
        lines.append(str([(name, places[node]) for name, node in body.outputs]))
        for share in shares:
            if share.loss.key is None:
                return None
            lines.append(f"{share.loss.key}{share.outputs}{share.weight is None}{share.weight_name}")
        return "\n".join(["layers", *lines, writer.value(rest)])
    except _OtherError:
        return None


def system_key(system: System) -> str:
    """The key of any network: everything that its system says, run-time numbers left out."""
    parts: list[tuple[str, Sequence[Equation]]] = [
        ("forward", (*system.forward, system.objective)),
        ("inference", system.inference or ()),
        ("updates", system.updates),
    ]
    lines = [f"{what}:\n" + "\n".join(map(_equation, equations)) for what, equations in parts]
    for what in ("inputs", "targets", "outputs", "parameters", "hypers", "states", "randoms"):
        lines.append(f"{what}: {[_tensor(t) for t in getattr(system, what)]}")
    return "\n".join(["equations", *lines, f"{system.metric} {system.least_rows} {system.inference is None}"])


def _equation(eq: Equation) -> str:
    from sympy import srepr

    from ..language.indices import substitute
    from ..language.nodes import Index

    places = {i: Index(f"p{a}", i.dim, ("place", a)) for a, i in enumerate(eq.indices)}
    return f"{_tensor(eq.lhs)}={srepr(substitute(eq.rhs, places))}"


def _tensor(t: Tensor) -> str:
    value = None if t.kind == "hyper" else t.value
    dims = [(d.name, d.size) for d in t.dims]
    return f"{t.kind} {t.name}{dims} {t.init} {sorted(t.traits)} {t.adjoint} {value} {t.levels} {tuple(t.bounds)}"
