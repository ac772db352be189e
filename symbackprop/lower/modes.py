"""Two modes: statements of the inference mode, with those of a training step where they compute the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sympy import Expr

from ..errors import LoweringError
from ..language.indices import canonical, substitute
from ..language.memo import Memo
from ..language.nodes import Index, reference
from ..language.structure import Form, Instance, instance_of, tensors_of
from ..language.tensor import Tensor
from ..records import Derivation, Equation
from .flatten import flatten
from .program import Kernel, Program, Statement


def training_statements(derivation: Derivation, renewed: tuple[Equation, ...], memo: Memo) -> tuple[Statement, ...]:
    """All equations of a training step, then the new values of the states."""
    return flatten(_claimed(replace(derivation, gradients=(*derivation.gradients, *renewed))), memo)


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


def inference_statements(derivation: Derivation, training: tuple[Statement, ...], memo: Memo) -> tuple[Statement, ...]:
    """The statements of the inference mode up to the objective; one that `training` has is that very one."""
    assert derivation.inference is not None
    made = flatten(_claimed(replace(derivation, forward=derivation.inference, adjoints=(), gradients=())), memo)
    known = {_key(s, memo): s for s in training}
    taken = {s.lhs.name for s in (*training, *made)}
    instead: dict[Tensor, Tensor] = {}
    chosen = []
    for s in made:
        here = _renamed(s, instead, memo)
        twin = known.get(_key(here, memo))
        if twin is None and _is_helper(s):
            name = f"{s.lhs.name}_inference"
            while name in taken:
                name += "_inference"
            taken.add(name)
            here = Statement(replace(s.lhs, name=name), s.indices, s.op, s.over, here.content, s.source)
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


def _renamed(s: Statement, instead: Mapping[Tensor, Tensor], memo: Memo) -> Statement:
    """The statement with other tensors in its body."""
    old = [t for t in tensors_of(s.content) if t in instead]
    if not old:
        return s
    new = [instead[t] for t in old]

    def make() -> Form:
        return substitute(s.body, {reference(a): reference(b) for a, b in zip(old, new, strict=True)})

    body = memo(("instead", len(old)), (s.content, *old, *new), make)
    return Statement(s.lhs, s.indices, s.op, s.over, body, s.source)


def _key(s: Statement, memo: Memo) -> tuple[object, ...]:
    """Equal for statements that compute the same, whatever their indices and helpers are called."""

    def make() -> Instance:
        places: dict[Expr, Expr] = {i: Index(f"f{a}", i.dim, ("free", a)) for a, i in enumerate(s.indices)}
        places |= {i: Index(f"o{a}", i.dim, ("over", a)) for a, i in enumerate(s.over)}
        return instance_of(canonical(substitute(s.body, places)))

    counts = (len(s.indices), len(s.over))
    body = memo(("key", counts), (s.content, *s.indices, *s.over), make)
    dims = tuple(i.dim for i in (*s.indices, *s.over))
    return None if _is_helper(s) else s.lhs, s.op, len(s.indices), dims, body


def shared(kernels: tuple[Kernel, ...], training: tuple[Kernel, ...]) -> tuple[Kernel, ...]:
    """The kernels of the inference mode: a training step's where it does the same, the others under their own names."""
    taken = {k.name for k in training}
    maker = {s.lhs: k for k in training for s in k.statements}
    made = []
    for kernel in kernels:
        twin = maker.get(kernel.statements[0].lhs)
        if twin is not None and not (_same(twin.statements, kernel.statements) and twin.stored >= kernel.stored):
            twin = None
        name = kernel.name
        while twin is None and name in taken:
            name += "_inference"
        taken.add(name)
        made.append(replace(kernel, name=name) if twin is None else twin)
    return tuple(made)


def _same(one: tuple[Statement, ...], two: tuple[Statement, ...]) -> bool:
    """Whether statements are equal; their bodies are compared as they are held."""

    def parts(s: Statement) -> tuple[object, ...]:
        return s.lhs, s.indices, s.op, s.over, instance_of(s.content), s.source.number

    return tuple(map(parts, one)) == tuple(map(parts, two))


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
            missing = set(tensors_of(s.content)) - known
            if missing:
                tensor = min(missing, key=lambda t: t.name)
                cure = "; give the equations of the inference mode" if tensor.kind == "random" else ""
                raise LoweringError(
                    f"the entry point {entry} runs kernel {kernel.name}, equation ({s.source.number}), which reads "
                    f"the {tensor.kind} tensor {tensor.name} that nothing before has made{cure}"
                )
