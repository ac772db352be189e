"""The whole program on a page: each stage takes the record of the one before.

declare   layers | equations            -> System
derive    System                        -> Derivation
simplify  Derivation                    -> Derivation
  present   Derivation                  -> text, LaTeX
  lower     Derivation, Update          -> Program
  emit      Program                     -> Source
  load      Source                      -> Module
  train     Module, data                -> Model
"""

from __future__ import annotations

import hashlib
import warnings
from typing import TYPE_CHECKING, Any

from .declare.network import Network
from .declare.optimizer import Optimizer
from .declare.optimizers import as_optimizer
from .errors import DeclarationError, did_you_mean
from .load import cache
from .load.compiler import find_compiler
from .records import Derivation
from .runtime import Manifest, Source

if TYPE_CHECKING:
    from .train.model import Model

TARGETS = ("c", "numpy")
DTYPES = ("float32", "float64")


def derive(net: Network, optimizer: Any = None) -> Derivation:
    """Forward, adjoint and gradient equations of a network, simplified and numbered.

    With an optimizer (an `sb.Optimizer`, its class or its name), its update is part of the derivation.
    """
    from .derive.adjoint import differentiate
    from .simplify import simplify
    from .simplify.reuse import reuse_outputs

    update = None if optimizer is None else as_optimizer(optimizer).equations()
    return simplify(differentiate(net.system, reuse_outputs), update)


def emit(net: Network, target: str = "c", optimizer: Any = None, dtype: str = "float32") -> Source:
    """The generated source of a network's training program.

    `target` is "c" or "numpy", `dtype` "float32" or "float64"; the optimizer (SGD by default) is part of the source.
    """
    _check_choice("target", target, TARGETS)
    return _sources(net, as_optimizer(optimizer), dtype)[TARGETS.index(target)]


def compile(  # noqa: A001  (sb.compile is the word users know)
    net: Network, target: str = "c", optimizer: Any = None, dtype: str = "float32", seed: int = 0
) -> Model:
    """A model ready to be trained.

    `target="c"` needs a C compiler; without one the NumPy target is taken, with a warning. Sources and libraries are
    cached. `seed` (0 <= seed < 2**63) fixes the initial parameters and every shuffle.
    """
    from .load.native import NativeModule
    from .load.numpy import NumpyModule
    from .train.model import Model

    _check_choice("target", target, TARGETS)
    chosen = as_optimizer(optimizer)
    c, numpy = _sources(net, chosen, dtype)
    hypers = {**net.strengths, **chosen.hypers}
    if target == "c" and find_compiler() is not None:
        return Model(NativeModule(c, numpy), seed, hypers, c.text)
    if target == "c":
        warnings.warn(
            "no C compiler was found (CC, gcc, clang, or the ziglang wheel), so the slower NumPy target is used; "
            "`symbackprop doctor` says how to get one",
            stacklevel=2,
        )
    return Model(NumpyModule(numpy), seed, hypers, numpy.text)


def _sources(net: Network, optimizer: Optimizer, dtype: str) -> tuple[Source, Source]:
    """The C source and its NumPy twin, from the cache or made now."""
    _check_choice("dtype", dtype, DTYPES)
    if not isinstance(net, Network):
        raise DeclarationError(f"a network is made by sb.Network([...]); got {type(net).__name__} {net!r}")
    both = set(net.strengths) & set(optimizer.hypers)
    if both:
        raise DeclarationError(
            f"the regularizers and the optimizer both have a hyper-parameter named {', '.join(sorted(both))}; "
            "rename the optimizer's"
        )
    key = hashlib.sha256("\n".join((net.key, optimizer.key, dtype, cache.package_fingerprint())).encode()).hexdigest()
    stored = cache.load_entry(key)
    if stored is not None:
        manifest = Manifest.from_json(stored["manifest.json"].decode())
        return (
            Source("c", stored["program.c"].decode(), manifest),
            Source("numpy", stored["program.py"].decode(), manifest),
        )
    c, numpy = _generate(net, optimizer, dtype)
    files = {"program.c": c.text, "program.py": numpy.text, "manifest.json": c.manifest.to_json()}
    cache.store_entry(key, {name: text.encode() for name, text in files.items()})
    return c, numpy


def _generate(net: Network, optimizer: Optimizer, dtype: str) -> tuple[Source, Source]:
    from .emit.c import emit_c
    from .emit.numpy import emit_numpy
    from .lower import lower

    derivation = derive(net, optimizer)
    assert derivation.update is not None
    program = lower(derivation, derivation.update)
    return emit_c(program, dtype), emit_numpy(program, dtype)


def _check_choice(what: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise DeclarationError(f"unknown {what} {value!r}.{did_you_mean(value, known)}")
