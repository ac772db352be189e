"""Emit a program as one C file: a function a kernel, entry points, the training loop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..language.tensor import Tensor
from ..lower.program import Kernel, Program
from ..runtime import Slot, Source
from ..streams import random_stream
from .blocks import fixed_slots, manifest, randoms, slots, title
from .dialect import Dialect, c_dialect
from .functions import Call, functions
from .kernels import KernelView
from .layout import indented
from .names import c_names, volume
from .render import render, runtime_text
from .update import UpdateView, update_view

RUNTIME = ("vector_math.h", "scalar.h", "flush.h", "vector.h", "pack.h", "gemm.h", "philox.h", "shuffle.h")


@dataclass(frozen=True, slots=True)
class Buffer:
    """An array of the arena: `size` in entries, a C expression of the batch size N."""

    name: str
    size: str
    shape: str


@dataclass(frozen=True, slots=True)
class Data:
    """An input or target: entries a row."""

    name: str
    row: str
    shape: str


@dataclass(frozen=True, slots=True)
class Place:
    """A parameter or its gradient in the flat block."""

    name: str
    offset: int
    shape: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """A random tensor: the stream of step 0, `size` in entries."""

    name: str
    stream: str
    size: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A state's new value, in a buffer until the step is done, and its place in the array of parameters."""

    name: str
    offset: int
    size: str


@dataclass(frozen=True, slots=True)
class ModuleView:
    """All that the C template reads."""

    title: str
    real: str
    is_float: int
    runtime: tuple[str, ...]
    data: tuple[Data, ...]
    parameters: tuple[Place, ...]
    gradient_places: tuple[Place, ...]
    outputs: tuple[str, ...]
    output_sizes: tuple[str, ...]
    buffers: tuple[Buffer, ...]
    randoms: tuple[Drawn, ...]
    kept: tuple[Kept, ...]
    panels: tuple[str, ...]
    kernels: tuple[KernelView, ...]
    predict: tuple[Call, ...]
    loss: tuple[Call, ...]
    gradients: tuple[Call, ...]
    objective: str
    block: int
    states: int
    update: UpdateView


@dataclass(frozen=True, slots=True)
class KernelPiece:
    """One kernel's function by itself."""

    kernel: KernelView


@dataclass(frozen=True, slots=True)
class UpdatePiece:
    """The update's function by itself."""

    update: UpdateView
    block: int


def emit_c(program: Program, dtype: str) -> Source:
    """The C source of a program; `dtype` is "float32" or "float64"."""
    system = program.derivation.system
    dialect = c_dialect(dtype)
    drawn = randoms(program)
    names = _names(program)
    views, calls = _printed(program, names, dialect)
    places, block = slots(program)
    fixed = fixed_slots(program)
    gradients = tuple(eq.lhs for eq in program.derivation.gradients)
    given = {*gradients, *system.outputs}
    buffers = (*drawn, *(t for t in _buffers(program.kernels, calls, names) if t not in given))
    view = ModuleView(
        title=title(program),
        real="float" if dtype == "float32" else "double",
        is_float=int(dtype == "float32"),
        runtime=tuple(runtime_text(f"c/runtime/{name}") for name in (*RUNTIME, *(["uniform.h"] if drawn else []))),
        data=tuple(Data(names[t], _size(t, skip=1), t.shape_text) for t in (*system.inputs, *system.targets)),
        parameters=_places((*system.parameters, *system.states), (*places, *fixed), names),
        gradient_places=_places(gradients, places, names),
        outputs=tuple(names[t] for t in system.outputs),
        output_sizes=tuple(_size(t) for t in system.outputs),
        buffers=tuple(Buffer(names[t], _size(t), t.shape_text) for t in buffers),
        randoms=tuple(Drawn(names[t], f"UINT64_C(0x{random_stream(t.name):016X})", _size(t)) for t in drawn),
        kept=_kept(program, fixed, names),
        panels=tuple(_panel(v) for v in views if v.matrices),
        kernels=views,
        predict=tuple(calls[k.name] for k in program.predict),
        loss=tuple(calls[k.name] for k in program.loss),
        gradients=tuple(calls[k.name] for k in program.gradients),
        objective=names[program.derivation.objective.lhs],
        block=block,
        states=len(program.update.states),
        update=update_view(program.update, len(system.hypers), dialect, places),
    )
    return Source("c", indented(render("c/module.c.jinja", view)), manifest(program, dtype))


def c_kernels(program: Program, dtype: str) -> Iterator[tuple[Kernel, str]]:
    """Every kernel with the text of the function that it is."""
    views, calls = _printed(program, _names(program), c_dialect(dtype))
    texts = {view.name: indented(render("c/kernel.jinja", KernelPiece(view))).strip() + "\n" for view in views}
    for kernel in program.kernels:
        yield kernel, texts[calls[kernel.name].name]


def c_update(program: Program, dtype: str) -> str:
    """The text of the update's function."""
    places, block = slots(program)
    view = update_view(program.update, len(program.derivation.system.hypers), c_dialect(dtype), places)
    return indented(render("c/update.jinja", UpdatePiece(view, block))).strip() + "\n"


def _names(program: Program) -> dict[Tensor, str]:
    system = program.derivation.system
    arrays = (*system.inputs, *system.targets, *system.parameters, *system.states, *randoms(program))
    made = (s.lhs for k in program.kernels for s in k.statements)
    return c_names(dict.fromkeys((*arrays, *made)))


def _printed(
    program: Program, names: Mapping[Tensor, str], dialect: Dialect
) -> tuple[tuple[KernelView, ...], dict[str, Call]]:
    """The functions of all kernels, and the calls."""
    hypers = {h: f"hyper[{i}]" for i, h in enumerate(program.derivation.system.hypers)}
    return functions(program.kernels, names, hypers, dialect)


def _places(tensors: Iterable[Tensor], found: Iterable[Slot], names: Mapping[Tensor, str]) -> tuple[Place, ...]:
    return tuple(Place(names[t], p.offset, t.shape_text) for t, p in zip(tensors, found, strict=True))


def _kept(program: Program, fixed: Iterable[Slot], names: Mapping[Tensor, str]) -> tuple[Kept, ...]:
    offsets = {slot.name: slot.offset for slot in fixed}
    return tuple(Kept(names[new], offsets[state.name], _size(state)) for state, new in program.renewed)


def _buffers(kernels: Iterable[Kernel], calls: Mapping[str, Call], names: Mapping[Tensor, str]) -> tuple[Tensor, ...]:
    """Tensors that kernels write to memory, in order."""
    written: dict[Tensor, None] = {}
    for kernel in kernels:
        arguments = {a.name for a in calls[kernel.name].arguments if not a.const}
        for s in kernel.statements:
            if names[s.lhs] in arguments:
                written.setdefault(s.lhs)
    return tuple(written)


def _size(tensor: Tensor, skip: int = 0) -> str:
    return volume(tensor.dims[skip:])


def _panel(view: KernelView) -> str:
    m = view.matrices
    assert m is not None
    return f"SBP_PACKED({m.vectors}, {m.inner}, {m.columns})"
