"""Two modes: statements of the inference mode, with those of a training step where they compute the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sympy import Expr

from ..errors import LoweringError
from ..language.indices import canonical, entries_of, substitute
from ..language.nodes import Index, TensorRef
from ..language.tensor import Tensor
from ..records import Derivation, Equation
from .flatten import flatten
from .program import Kernel, Program, Statement


def training_statements(derivation: Derivation, renewed: tuple[Equation, ...]) -> tuple[Statement, ...]:
    """All equations of a training step, then the new values of the states."""
    return flatten(_claimed(replace(derivation, gradients=(*derivation.gradients, *renewed))))


def renewed_states(derivation: Derivation) -> tuple[Equation, ...]:
    """The updates as equations of tensors of their own: a state keeps its old value until the step is done."""
    system = derivation.system
    everything = (*derivation.forward, derivation.objective, *derivation.adjoints, *derivation.gradients)
    taken = {t.name for t in (*system.inputs, *system.targets, *system.parameters, *system.states, *system.randoms)}
    taken |= {eq.lhs.name for eq in everything} | {h.name for h in system.hypers}
    made = []
    for eq in derivation.updates:
        name = f"next_{eq.lhs.name}"
        while name in taken:
            name = f"next_{name}"
        taken.add(name)
        made.append(replace(eq, lhs=Tensor(name, eq.lhs.dims)))
    return tuple(made)


def inference_statements(derivation: Derivation, training: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """The statements of the inference mode up to the objective; one that `training` has is that very one."""
    assert derivation.inference is not None
    made = flatten(_claimed(replace(derivation, forward=derivation.inference, adjoints=(), gradients=())))
    known = {_key(s): s for s in training}
    taken = {s.lhs.name for s in (*training, *made)}
    instead: dict[Tensor, Tensor] = {}
    chosen = []
    for s in made:
        here = replace(s, body=_renamed(s.body, instead))
        twin = known.get(_key(here))
        if twin is None and _is_helper(s):
            name = f"{s.lhs.name}_inference"
            while name in taken:
                name += "_inference"
            taken.add(name)
            here = replace(here, lhs=replace(s.lhs, name=name))
        chosen.append(here if twin is None else twin)
        if chosen[-1].lhs is not s.lhs:
            instead[s.lhs] = chosen[-1].lhs
    return tuple(chosen)


def _claimed(derivation: Derivation) -> Derivation:
    """States and random tensors among the parameters, so that no helper gets the name of one."""
    system = derivation.system
    arrays = (*system.parameters, *system.states, *system.randoms)
    return replace(derivation, system=replace(system, parameters=arrays))


def _is_helper(s: Statement) -> bool:
    return s.lhs is not s.source.lhs


def _renamed(body: Expr, instead: Mapping[Tensor, Tensor]) -> Expr:
    return substitute(body, {TensorRef(old): TensorRef(new) for old, new in instead.items()})


def _key(s: Statement) -> tuple[object, ...]:
    """Equal for statements that compute the same, whatever their indices and helpers are called."""
    places: dict[Expr, Expr] = {i: Index(f"f{a}", i.dim, ("free", a)) for a, i in enumerate(s.indices)}
    places |= {i: Index(f"o{a}", i.dim, ("over", a)) for a, i in enumerate(s.over)}
    dims = tuple(i.dim for i in (*s.indices, *s.over))
    return None if _is_helper(s) else s.lhs, s.op, len(s.indices), dims, canonical(substitute(s.body, places))


def shared(kernels: tuple[Kernel, ...], training: tuple[Kernel, ...]) -> tuple[Kernel, ...]:
    """The kernels of the inference mode: a training step's where it does the same, the others under their own names."""
    taken = {k.name for k in training}
    made = []
    for kernel in kernels:
        twin = next((t for t in training if t.statements == kernel.statements and t.stored >= kernel.stored), None)
        name = kernel.name
        while twin is None and name in taken:
            name += "_inference"
        taken.add(name)
        made.append(replace(kernel, name=name) if twin is None else twin)
    return tuple(made)


def verify_modes(program: Program) -> None:
    """Every entry point makes what it reads, from what it is given; only a training step has random tensors."""
    system = program.derivation.system
    given = {*system.inputs, *system.parameters, *system.states, *system.hypers}
    training = {*given, *system.targets, *system.randoms}
    for entry, kernels, known in (
        ("predict", program.predict, given),
        ("loss", program.loss, {*given, *system.targets}),
        ("gradients", program.gradients, training),
    ):
        _verify_order(entry, kernels, known)


def _verify_order(entry: str, kernels: Iterable[Kernel], given: set[Tensor]) -> None:
    known = set(given)
    for kernel in kernels:
        known |= {s.lhs for s in kernel.statements}
        for s in kernel.statements:
            missing = {e.tensor for e in entries_of(s.body)} - known
            if missing:
                tensor = min(missing, key=lambda t: t.name)
                cure = "; give the equations of the inference mode" if tensor.kind == "random" else ""
                raise LoweringError(
                    f"the entry point {entry} runs kernel {kernel.name}, equation ({s.source.number}), which reads "
                    f"the {tensor.kind} tensor {tensor.name} that nothing before has made{cure}"
                )
