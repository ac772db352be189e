"""The table of legal forms: a program that breaks a line of it is a bug here, and no C is made from it."""

from __future__ import annotations

from sympy import Symbol

from ..errors import LoweringError
from ..language.indices import entries_of, free_indices
from ..language.nodes import Entry, Index, Over
from ..language.tensor import Tensor
from .positions import spans, test_of
from .program import ARGMAX, MAP, MAX, SUM, Kernel, Program, Statement
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
            touched = {e.tensor for s in kernel.statements for e in entries_of(s.body)}
            touched |= {s.lhs for s in kernel.statements}
            if touched & absent:
                names = ", ".join(sorted(t.name for t in touched & absent))
                raise LoweringError(f"the entry point {entry} runs kernel {kernel.name}, which needs {names}")


def _verify_kernel(kernel: Kernel, known: set[Tensor]) -> None:
    if kernel.form.name not in FORMS:
        raise LoweringError(f"kernel {kernel.name} has no schedule: form {kernel.form.name!r}")
    if kernel.form.flat and any(has_bare_index(s.body) for s in kernel.statements):
        raise LoweringError(f"kernel {kernel.name} runs over all entries at once, but an index stands for its number")
    _verify_form(kernel)
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
        _verify_reads(s, at_hand, where)
        at_hand.add(s.lhs)


def _verify_reads(s: Statement, at_hand: set[Tensor], where: str) -> None:
    """What a statement reads is there: computed before, and inside its tensor."""
    missing = [e.tensor.name for e in entries_of(s.body) if e.tensor not in at_hand]
    if missing:
        raise LoweringError(f"{where}: {', '.join(missing)} is read before it is computed")
    for e in entries_of(s.body):
        if e.outside is None and not _stays_inside(e):
            raise LoweringError(f"{where}: {e} may be read beyond {e.tensor.name} {e.tensor.shape_text}")


def _stays_inside(e: Entry) -> bool:
    """Whether every position of an entry is known to be a whole number on its axis."""
    for index, dim in zip(e.indices, e.tensor.dims, strict=True):
        if isinstance(index, Index) and spans(index, dim):
            continue
        if dim.size is None or test_of(index, dim.size):
            return False
    return True


def _verify_form(kernel: Kernel) -> None:
    """The loops of a form run over all of the space and of the reduction, and keep apart what they must."""
    form, reduction, where = kernel.form, kernel.reduction, f"kernel {kernel.name}, form {kernel.form.name}"
    op = MAP if reduction is None else reduction.op
    allowed = {"map": (MAP,), "inner": (SUM, MAX, ARGMAX), "outer": (SUM, MAX), "rows": (SUM, MAX)}
    if op not in allowed.get(form.name, (SUM,)):
        raise LoweringError(f"{where}: a {op} cannot be computed so")
    over = () if reduction is None else reduction.over
    if set(form.space) != set(kernel.space) or set(form.over) != set(over):
        raise LoweringError(f"{where}: its loops {form.space}, {form.over} are not {kernel.space}, {over}")
    places = {i for i, _ in form.scatter.places} if form.scatter is not None else set()
    if form.name in ("outer", "scatter") and {*form.row, *places} != set(kernel.space):
        raise LoweringError(f"{where}: its row {form.row} leaves indices of {kernel.space} out")
    g = form.gathered
    if (form.name == "gathered") != (g is not None) or (form.name == "scatter") != bool(places):
        raise LoweringError(f"{where}: what the form needs is missing")
    if g is None:
        return
    for side, group in ((g.left, g.rows), (g.right, g.columns)):
        if not set(free_indices(side)) <= {*group, *g.around, *g.inner}:
            raise LoweringError(f"{where}: the side {side} needs more than its own indices")
