r"""Written names: W_{1}, a^{[1]}, \hat{x}_{2}, \delta^{(2)}, and derivatives by them in all the ways people write them.

A script may belong to a name (a^{2}, the second layer's), be an index or a power; what is defined decides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from tests.document.judge.lines import UnreadableError
from tests.document.judge.tokens import group, is_letter, parted, tokens, without_braces
from tests.document.judge.tree import Symbol, Tokens

WRAPPERS = {r"\hat", r"\mathit", r"\mathbf", r"\boldsymbol", r"\bar", r"\tilde"}
NO_NAMES = {r"\sum", r"\frac", r"\sqrt", r"\top", r"\nabla", r"\partial", r"\log", r"\max", r"\min", r"\exp", r"\tanh"}
GRAD = r"\mathrm{.grad}"
PART = " through "
PARTIAL, NABLA, BEFORE, BEHIND = r"\partial %s/\partial {}", r"\nabla {} %s", "d {}", "{}.grad"


def fill(form: str, name: str) -> str:
    return form.replace("{}", name, 1)


@dataclass(frozen=True)
class Reading:
    """One way to understand a written name: what is its key, its indices, a power, a transpose."""

    key: str
    indices: tuple[Tokens, ...]
    power: Tokens
    entrywise: bool
    transposed: bool


def spelled(base: str, below: tuple[Tokens, ...], above: Tokens) -> str:
    """A name in the one way in which names are compared here."""
    low = ",".join("".join(without_braces(part)) for part in below)
    return base + (f"_{{{low}}}" if low else "") + (f"^{{{''.join(above)}}}" if above else "")


def key(name: Symbol | str) -> str:
    """The key of a name with all its scripts."""
    if isinstance(name, str):
        found = tokens(name)
        made, end = symbol_at(found, 0, ())
        if end != len(found):
            raise UnreadableError(f"no name: {name}")
        name = made
    return fill(name.form, spelled(name.base, name.below, name.above))


def readings(symbol: Symbol) -> Iterator[Reading]:
    """Every way in which a name's scripts can be understood."""
    transposed = symbol.above[-1:] == (r"\top",)
    rest = symbol.above[:-1] if transposed else symbol.above
    entrywise = rest[:1] == (r"\circ",)
    raised: list[tuple[Tokens, Tokens]] = [((), rest[1:])] if entrywise else [(rest, ())]
    if rest and not entrywise and rest[-1] not in {"+", r"\prime"}:
        raised.append(((), rest))
    for above, power in raised:
        for count in range(len(symbol.below), -1, -1):
            name = fill(symbol.form, spelled(symbol.base, symbol.below[:count], above))
            yield Reading(name, symbol.below[count:], power, entrywise, transposed)


def symbol_at(found: Tokens, place: int, known: Collection[str]) -> tuple[Symbol, int]:
    r"""The name that starts at a place, and the place behind it; \Big|_{(3)} is the part that comes through (3)."""
    made, place = _name_at(found, place, known)
    if found[place : place + 2] == ("|", "_"):
        part, place = group(found, place + 2)
        made = replace(made, form=f"{made.form}{PART}{''.join(part)}")
    return made, place


def _name_at(found: Tokens, place: int, known: Collection[str]) -> tuple[Symbol, int]:
    token = found[place] if place < len(found) else ""
    if token == r"\frac":
        return _partial(found, place)
    if token == r"\nabla":
        return _nabla(found, place)
    if token == "d" and "d" not in known and _starts(found, place + 1):
        made, place = _name_at(found, place + 1, known)
        return replace(made, form=fill(BEFORE, made.form)), place
    base, place = _base(found, place)
    below, above, place = _scripts(found, place)
    made = Symbol(base, below, above)
    if place < len(found) and found[place] == GRAD:
        below, above, place = _scripts(found, place + 1)
        return Symbol(fill(BEHIND, key(made)), below, above), place
    return made, place


def is_partial(found: Tokens, place: int) -> bool:
    return found[place : place + 3] == (r"\frac", "{", r"\partial")


def quotient(found: Tokens) -> tuple[Symbol, Symbol] | None:
    """The two names of a derivative of one by the other, where that is all there is."""
    if not is_partial(found, 0):
        return None
    above, place = group(found, 1)
    below, place = group(found, place)
    if place != len(found) or below[:1] != (r"\partial",):
        return None
    (up, end), (down, last) = symbol_at(above, 1, ()), symbol_at(below, 1, ())
    return (up, down) if end == len(above) and last == len(below) else None


def _starts(found: Tokens, place: int) -> bool:
    token = found[place] if place < len(found) else ""
    return (
        is_letter(token) or token in WRAPPERS or (token[:1] == "\\" and token[1:].isalpha() and token not in NO_NAMES)
    )


def _base(found: Tokens, place: int) -> tuple[str, int]:
    token = found[place] if place < len(found) else ""
    if token in WRAPPERS:
        inner, place = group(found, place + 1)
        if not inner:
            raise UnreadableError("an empty name")
        return f"{token}{{{''.join(inner)}}}", place
    if not _starts(found, place):
        raise UnreadableError(f"no name: {' '.join(found[place:])}")
    return token, place + 1


def _scripts(found: Tokens, place: int) -> tuple[tuple[Tokens, ...], Tokens, int]:
    below: tuple[Tokens, ...] = ()
    above: Tokens = ()
    seen: set[str] = set()
    while place < len(found) and found[place] in {"_", "^"}:
        mark = found[place]
        if mark in seen:
            raise UnreadableError(f"two scripts in one place: {' '.join(found)}")
        seen.add(mark)
        script, place = group(found, place + 1)
        if mark == "_":
            below = parted(script)
        else:
            above = script
    return below, above, place


def _partial(found: Tokens, place: int) -> tuple[Symbol, int]:
    above, place = group(found, place + 1)
    below, place = group(found, place)
    if above[:1] != (r"\partial",) or below[:1] != (r"\partial",):
        raise UnreadableError(f"no name: {' '.join(found)}")
    made, end = symbol_at(below, 1, ())
    _, mark, place = _scripts(found, place)
    if end != len(below) or mark not in {(), (r"\top",)}:
        raise UnreadableError(f"no derivative by one name: {' '.join(below)}")
    return replace(made, above=made.above + mark, form=PARTIAL % "".join(above[1:])), place


def _nabla(found: Tokens, place: int) -> tuple[Symbol, int]:
    if found[place + 1 : place + 2] != ("_",):
        raise UnreadableError("a gradient by nothing")
    below, place = group(found, place + 2)
    made, end = symbol_at(below, 0, ())
    if end != len(below) or not _starts(found, place):
        raise UnreadableError(f"no gradient by one name: {' '.join(below)}")
    of, place = _name_at(found, place, ())
    return Symbol(fill(NABLA % key(of), key(made))), place
