"""The table of legal forms: a program that breaks a line of it is a bug here, and no C is made from it."""

from __future__ import annotations

from sympy import Expr, Symbol

from ..errors import LoweringError
from ..language.indices import entries_of, free_indices
from ..language.nodes import Entry, Index, Over
from ..language.structure import asked, instance_of, tensors_of
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
            touched = {t for s in kernel.statements for t in (s.lhs, *tensors_of(s.content))}
            if not absent.isdisjoint(touched):
                names = ", ".join(sorted(t.name for t in touched & absent))
                raise LoweringError(f"the entry point {entry} runs kernel {kernel.name}, which needs {names}")


def _verify_kernel(kernel: Kernel, known: set[Tensor]) -> None:
    if kernel.form.name not in FORMS:
        raise LoweringError(f"kernel {kernel.name} has no schedule: form {kernel.form.name!r}")
    if kernel.form.flat and any(asked(has_bare_index, s.content) for s in kernel.statements):
        raise LoweringError(f"kernel {kernel.name} runs over all entries at once, but an index stands for its number")
    _verify_form(kernel)
    made: set[Tensor] = set()
    for place, s in enumerate(kernel.statements):
        wrong = _wrong(s, kernel, place) or _wrong_reads(s, known, made)
        if wrong:
            where = f"kernel {kernel.name}, statement {s.lhs.name} of equation ({s.source.number})"
            raise LoweringError(f"{where}: {wrong}")
        made.add(s.lhs)


def _wrong(s: Statement, kernel: Kernel, place: int) -> str | None:
    """What is illegal about a statement at a place in its kernel, if anything is."""
    if s.op not in (MAP, SUM, MAX, ARGMAX):
        return f"unknown operation {s.op!r}"
    if s.op != MAP and place > 0:
        return "a reduction may only come first in its kernel"
    if (s.op == MAP) != (not s.over):
        return f"{s.op} over {len(s.over)} indices"
    if asked(_has_over, s.content):
        return "the body still has a sum; flatten names all of them"
    if set(s.indices) != set(kernel.space):
        return f"its indices {s.indices} are not the kernel's {kernel.space}"
    if asked(_has_symbols, s.content):
        return f"{s.body.atoms(Symbol)} is no entry, index or size"
    stray = set(instance_of(s.content).indices).difference(s.indices, s.over)  # without sums, all its indices are free
    if stray:
        return f"nothing runs over the index {', '.join(i.name for i in stray)}"
    return None


def _wrong_reads(s: Statement, known: set[Tensor], made: set[Tensor]) -> str | None:
    """What a statement reads is there: computed before, and inside its tensor."""
    missing = [t.name for t in tensors_of(s.content) if t not in known and t not in made]
    if missing:
        return f"{', '.join(missing)} is read before it is computed"
    if not asked(_all_stay_inside, s.content):
        beyond = next(e for e in entries_of(s.body) if e.outside is None and not _stays_inside(e))
        return f"{beyond} may be read beyond {beyond.tensor.name} {beyond.tensor.shape_text}"
    return None


def _has_over(body: Expr) -> bool:
    return bool(body.has(Over))


def _has_symbols(body: Expr) -> bool:
    return bool(body.atoms(Symbol))


def _all_stay_inside(body: Expr) -> bool:
    return all(e.outside is not None or _stays_inside(e) for e in entries_of(body))


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
