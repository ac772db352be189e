"""The table of legal forms: a program that breaks a line of it is a bug here, and no C is made from it."""

from __future__ import annotations

from sympy import Symbol

from ..errors import LoweringError
from ..language.indices import free_indices
from ..language.nodes import Entry, Over
from ..language.tensor import Tensor
from .program import ARGMAX, MAP, MAX, SUM, Kernel, Program
from .schedule import has_bare_index

FORMS = ("map", "inner", "outer", "rows", "scatter", "product", "gathered")


def verify(program: Program) -> None:
    """Check every kernel: operations, indices, order of computation, and what is stored."""
    system = program.derivation.system
    names = [k.name for k in program.kernels]
    if len(set(names)) < len(names):
        raise LoweringError(f"two kernels have one name: {sorted(n for n in set(names) if names.count(n) > 1)}")
    known = {*system.inputs, *system.targets, *system.parameters, *system.states, *system.randoms, *system.hypers}
    for kernel in program.kernels:
        _verify_kernel(kernel, known)
        known.update(s.lhs for s in kernel.statements if s.lhs in kernel.stored)
    _verify_entries(program)
    for eq in (*program.derivation.gradients, program.derivation.objective):
        if eq.lhs not in known:
            raise LoweringError(f"no kernel stores {eq.lhs.name}, equation ({eq.number})")


def _verify_entries(program: Program) -> None:
    """Prediction is given no targets, and neither it nor the loss has a place for gradients."""
    targets = set(program.derivation.system.targets)
    gradients = {eq.lhs for eq in program.derivation.gradients}
    for entry, kernels, absent in (
        ("predict", program.predict, targets | gradients),
        ("loss", program.loss, gradients),
    ):
        for kernel in kernels:
            touched = {e.tensor for s in kernel.statements for e in s.body.atoms(Entry)}
            touched |= {s.lhs for s in kernel.statements}
            if touched & absent:
                names = ", ".join(sorted(t.name for t in touched & absent))
                raise LoweringError(f"the entry point {entry} runs kernel {kernel.name}, which needs {names}")


def _verify_kernel(kernel: Kernel, known: set[Tensor]) -> None:
    if kernel.form.name not in FORMS:
        raise LoweringError(f"kernel {kernel.name} has no schedule: form {kernel.form.name!r}")
    if kernel.form.flat and any(has_bare_index(s.body) for s in kernel.statements):
        raise LoweringError(f"kernel {kernel.name} runs over all entries at once, but an index stands for its number")
    at_hand = set(known)
    for place, s in enumerate(kernel.statements):
        where = f"kernel {kernel.name}, statement {s.lhs.name} of equation ({s.source.number})"
        if s.op not in (MAP, SUM, MAX, ARGMAX):
            raise LoweringError(f"{where}: unknown operation {s.op!r}")
        if s.op != MAP and place > 0:
            raise LoweringError(f"{where}: a reduction may only come first in its kernel")
        if (s.op == MAP) != (not s.over):
            raise LoweringError(f"{where}: {s.op} over {len(s.over)} indices")
        if s.body.has(Over):
            raise LoweringError(f"{where}: the body still has a sum; flatten names all of them")
        if set(s.indices) != set(kernel.space):
            raise LoweringError(f"{where}: its indices {s.indices} are not the kernel's {kernel.space}")
        if s.body.atoms(Symbol):
            raise LoweringError(f"{where}: {s.body.atoms(Symbol)} is no entry, index or size")
        stray = set(free_indices(s.body)) - set(s.indices) - set(s.over)
        if stray:
            raise LoweringError(f"{where}: nothing runs over the index {', '.join(i.name for i in stray)}")
        missing = [e.tensor.name for e in s.body.atoms(Entry) if e.tensor not in at_hand]
        if missing:
            raise LoweringError(f"{where}: {', '.join(missing)} is read before it is computed")
        at_hand.add(s.lhs)
