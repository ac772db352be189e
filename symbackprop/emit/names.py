"""Names in generated code: tensors keep theirs, with a mark where the language needs the word itself."""

from __future__ import annotations

from collections.abc import Iterable

from ..language.nodes import Index
from ..language.tensor import Tensor

C_WORDS = frozenset(
    [
        "auto",
        "break",
        "case",
        "char",
        "const",
        "continue",
        "default",
        "do",
        "double",
        "else",
        "enum",
        "extern",
        "float",
        "for",
        "goto",
        "if",
        "inline",
        "int",
        "long",
        "register",
        "restrict",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "struct",
        "switch",
        "typedef",
        "union",
        "unsigned",
        "void",
        "volatile",
        "while",
        "real",
        "N",
        "main",
        "acc",
        "i0",
        "NAN",
        "INFINITY",
        "order",
        "batch",
        "rows",
        "step",
        "params",
        "grads",
        "hyper",
        "frame",
        "arena",
        "data",
        "tile",
        "panel",
        "asm",
        "exp",
        "log",
        "tanh",
        "sinh",
        "cosh",
        "sin",
        "cos",
        "tan",
        "erf",
        "erfc",
        "pow",
        "sqrt",
        "floor",
        "ceil",
        "y0",
        "y1",
        "yn",
        "j0",
        "j1",
        "jn",
        "gamma",
        "signal",
        "index",
    ]
)
NUMPY_WORDS = frozenset(
    [
        "np",
        "real",
        "math",
        "N",
        "erf",
        "erfc",
        "dtype",
        "predict",
        "loss",
        "gradients",
        "trace",
        "update",
        "parameters",
    ]
)
LETTERS = "nijkmqrsuvwpabcdefgh"


def tensor_names(tensors: Iterable[Tensor], words: frozenset[str]) -> dict[Tensor, str]:
    """A name for every tensor; a reserved word gets an underscore, and two names never meet."""
    named: dict[Tensor, str] = {}
    taken = set(words)
    for tensor in tensors:
        name = tensor.name
        while name in taken:
            name += "_"
        taken.add(name)
        named[tensor] = name
    return named


def index_letters(indices: Iterable[Index], taken: Iterable[str]) -> dict[Index, str]:
    """A letter for every index: its own name where that is free and a single letter, else the next free one."""
    letters: dict[Index, str] = {}
    used = set(taken)
    for index in indices:
        wish = index.name if len(index.name) == 1 else ""
        batch = "n" if index.dim is not None and index.dim.size is None else ""
        choice = next(c for c in (batch, wish, *LETTERS, *(f"i{k}" for k in range(99))) if c and c not in used)
        used.add(choice)
        letters[index] = choice
    return letters
