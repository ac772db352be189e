"""The generated lines that compute each equation, for the page on which formula and code stand side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from ..declare.optimizers import as_optimizer
from ..emit.blocks import slots
from ..emit.c import c_kernels, c_update
from ..emit.numpy import numpy_lines
from ..emit.update_numpy import numpy_update
from ..lower import lower
from ..lower.program import Program
from ..records import Derivation
from .records import Code, Document

DTYPE = "float64"


def partners(derivation: Derivation) -> Mapping[int, Code]:
    """The NumPy lines and the C functions of each equation by its number; several may share one C function.

    Without an optimizer of its own, the derivation is lowered with plain gradient descent, whose code is left out.
    """
    program = program_of(derivation)
    numpy, c = _joined(_numpy(program)), _joined(_c(program))
    return MappingProxyType({n: Code(numpy.get(n, ""), c.get(n, "")) for n in sorted({*numpy, *c} - {0})})


def program_of(derivation: Derivation) -> Program:
    """The lowered program; without an optimizer of its own, it steps by plain gradient descent."""
    return lower(derivation, derivation.update or as_optimizer(None).equations())


def _joined(pieces: Iterator[tuple[int, str]]) -> dict[int, str]:
    """The different texts of each number, in order."""
    found: dict[int, dict[str, None]] = {}
    for number, text in pieces:
        found.setdefault(number, {})[text] = None
    return {number: "\n".join(texts) for number, texts in found.items()}


def _numpy(program: Program) -> Iterator[tuple[int, str]]:
    for line in numpy_lines(program):
        yield (
            line.number,
            f"{line.target} = {line.value}  # {'for ' * line.helper}({line.number})  {line.shape}".rstrip(),
        )
    places = slots(program)[0]
    shown = numpy_update(program.update, len(program.derivation.system.hypers), places)
    for eq, assignment in zip(program.update.equations, shown.lines, strict=True):
        yield eq.number, f"{assignment.target} = {assignment.value}  # {assignment.comment}"


def _c(program: Program) -> Iterator[tuple[int, str]]:
    """The kernels of a training step first; what only the other mode computes has those of its own."""
    trained = {s.source.number for k in program.gradients for s in k.statements}
    step = {k.name for k in program.gradients}
    for kernel, text in c_kernels(program, DTYPE):
        for number in sorted({s.source.number for s in kernel.statements}):
            if kernel.name in step or number not in trained:
                yield number, text
    text = c_update(program, DTYPE)
    for eq in program.update.equations:
        yield eq.number, text


def code_of(document: Document) -> Mapping[int, Code]:
    """The code beside a document's equations: what it brings, or that of its derivation."""
    if document.code or document.view.derivation is None:
        return document.code
    return partners(document.view.derivation)
