"""Names in generated code: tensors keep theirs, with a mark where the language or the file needs the word itself."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..language.nodes import Index
from ..language.tensor import Dim, Tensor

C_KEYWORDS = """
auto break case char const continue default do double else enum extern float for goto if inline int long
register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while asm
typeof
"""
C_LIBRARY = """
main errno stdin stdout stderr printf unix linux i386 signal memcpy memset isfinite isnan fabs pow sqrt exp log
sin cos tan tanh sinh cosh erf erfc floor ceil expm1 log1p atan asin acos gamma lgamma y0 y1 yn j0 j1 jn index
abs
"""
C_FILE = """
i
real N acc order batch rows step params grads hyper frame arena data tile panel out state scratch vectors across
down columns depth packed row0 column0 row column right right_row high end here most theta g t f r mode run
left sums deep wide tall inner inner0 inner_end row1 row_end column1 column_end lane lanes to
norm squares ranges places
"""
C_PATTERNS = (
    r"[A-Z_][A-Z0-9_]{2,}",  # macros of the headers: NULL, INFINITY, M_PI
    r".*_t",  # types
    r"sbp_.*|SBP_.*|batch_.*|k_.*",  # the file's own
    r"[cv]\d+|\w+_\d+|\w+_",  # scalars and values that kernels name
)
NUMPY_WORDS = "np real math len range N erf erfc dtype predict loss gradients trace update parameters UPDATE_SCALARS"
LETTERS = "ijkmqrsuvwpabcdefgh"


def c_names(tensors: Iterable[Tensor]) -> dict[Tensor, str]:
    """A name in C for every tensor."""
    library = C_LIBRARY.split()
    words = {*C_KEYWORDS.split(), *library, *(f"{name}f" for name in library), *C_FILE.split()}
    return _names(tensors, words, re.compile("|".join(C_PATTERNS)))


def numpy_names(tensors: Iterable[Tensor]) -> dict[Tensor, str]:
    """A name in NumPy for every tensor."""
    return _names(tensors, set(NUMPY_WORDS.split()), re.compile(r"(?!)"))


def _names(tensors: Iterable[Tensor], words: set[str], pattern: re.Pattern[str]) -> dict[Tensor, str]:
    """A reserved word gets an x and underscores behind it, and two names never meet."""
    named: dict[Tensor, str] = {}
    taken = set(words)
    for tensor in tensors:
        name = f"{tensor.name}_x" if tensor.name in words or pattern.fullmatch(tensor.name) else tensor.name
        while name in taken:
            name += "x"
        taken.add(name)
        named[tensor] = name
    return named


def volume(dims: Iterable[Dim | None]) -> str:
    """A product of dimensions in C. Sizes are multiplied here: in C, a product of ints may overflow."""
    known, batches = 1, []
    for dim in dims:
        assert dim is not None
        if dim.size is None:
            batches.append(dim.name)
        else:
            known *= dim.size
    if not batches:
        return str(known)
    return "*".join(batches if known == 1 else [*batches, str(known)])


def index_letters(indices: Iterable[Index], taken: Iterable[str]) -> dict[Index, str]:
    """A letter for every index: its own name where that is free and a single letter, else the next free one."""
    letters: dict[Index, str] = {}
    used = {*taken, "f", "g", "t", "r"}
    for index in indices:
        wish = index.name if len(index.name) == 1 else ""
        batch = "n" if index.dim is not None and index.dim.size is None else ""
        choice = next(c for c in (batch, wish, *LETTERS, *(f"i{k}" for k in range(len(used)))) if c and c not in used)
        used.add(choice)
        letters[index] = choice
    return letters
