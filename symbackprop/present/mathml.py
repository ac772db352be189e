"""Elements of presentation MathML as text, and names in them.

Browsers read MathML Core: letters in other alphabets are written as such, since `mathvariant` does nothing there.
"""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape

from .symbols import GREEK, Symbol

BREAK, SOFT = "\x1f", "\x1e"
"""Stand in front of an operator at which a line may end, and between factors; never inside an element."""
TAG = re.compile(r"<(/?)(\w+)[^>]*?(/?)>")
THIN = '<mspace width="0.1667em"></mspace>'
TOP = "<mi>\N{DOWN TACK}</mi>"
PLUS = '<mo form="prefix" lspace="0" rspace="0">+</mo>'
PRIME = '<mo lspace="0" rspace="0">′</mo>'
DEL = '<mo lspace="0" rspace="0">∂</mo>'
NABLA = '<mi mathvariant="normal">∇</mi>'


def identifier(name: str) -> str:
    """A letter (slanted by the browser), or a word (upright)."""
    return f"<mi>{escape(name)}</mi>"


def operator(sign: str, form: str = "infix") -> str:
    """An operator with its usual spaces."""
    return f'<mo form="{form}">{escape(sign)}</mo>'


def tight(sign: str) -> str:
    """A sign without spaces around it."""
    return f'<mo stretchy="false" lspace="0" rspace="0">{escape(sign)}</mo>'


def words(text: str) -> str:
    """Words among formulas; spaces at the ends count."""
    kept = re.sub(r"^ | $", "\u00a0", text)
    return f"<mtext>{escape(kept)}</mtext>"


def row(text: str) -> str:
    """The elements as one, which no line break cuts."""
    text = whole(text)
    depth = count = 0
    for close, _, alone in TAG.findall(text):
        depth += -1 if close else 0 if alone else 1
        count += depth == 0
    return text if count == 1 else f"<mrow>{text}</mrow>"


def fenced(left: str, text: str, right: str, tall: bool, flat: bool = False) -> str:
    """Between two signs, which grow with what is tall; `flat` ones are large then, but may stand on different lines."""
    if flat or not tall:
        size = ' stretchy="true" symmetric="true" minsize="1.9em" maxsize="1.9em"' if tall else ' stretchy="false"'
        first, last = (
            f'<mo form="{form}"{size} lspace="0" rspace="0">{s}</mo>'
            for form, s in (("prefix", left), ("postfix", right))
        )
        return f"{first}{text}{last}"
    inner = whole(text)
    first = f'<mo form="prefix" stretchy="true" fence="true" lspace="0" rspace="0">{left}</mo>'
    last = f'<mo form="postfix" stretchy="true" fence="true" lspace="0" rspace="0">{right}</mo>'
    return f"<mrow>{first}{inner}{last}</mrow>"


def whole(text: str) -> str:
    """The elements without the marks of possible breaks."""
    return text.replace(BREAK, "").replace(SOFT, "")


def bare(text: str) -> str:
    """What is left without tags and marks."""
    return re.sub(r"<[^>]*>", "", whole(text))


def script(base: str, below: str, above: str) -> str:
    """Something with what stands below and above to its right; "" for nothing."""
    base = row(base)
    if below and above:
        return f"<msubsup>{base}{row(below)}{row(above)}</msubsup>"
    if below:
        return f"<msub>{base}{row(below)}</msub>"
    return f"<msup>{base}{row(above)}</msup>" if above else base


def mathml_symbol(symbol: Symbol, indices: str = "", mark: str = "") -> str:
    """The symbol with more indices below and a mark (a transpose) above; `indices` and `mark` are MathML."""
    if symbol.gradient in ("nabla", "grad") and indices:
        whole = mathml_symbol(symbol)
        return script(fenced("(", whole, ")", tall=False) if symbol.gradient == "nabla" else whole, indices, "")
    inner = _scripted(symbol, indices, "" if symbol.gradient else mark)
    loss = identifier(symbol.loss)
    if symbol.gradient == "partial":
        inner = f"<mfrac><mrow>{DEL}{loss}</mrow><mrow>{DEL}{inner}</mrow></mfrac>"
    elif symbol.gradient == "d":
        plain = replace(symbol, gradient="")
        return f"<mrow>{identifier('d')}{_scripted(plain, indices, mark)}</mrow>"
    elif symbol.gradient == "nabla":
        inner = f"<mrow>{script(NABLA, inner, '')}{loss}</mrow>"
    elif symbol.gradient == "grad":
        inner = f"<mrow>{inner}<mtext>.grad</mtext></mrow>"
    return script(inner, "", mark) if symbol.gradient else inner


def _scripted(symbol: Symbol, indices: str, mark: str) -> str:
    under = mathml_symbol(symbol.below) if isinstance(symbol.below, Symbol) else _tokens(symbol.below)
    below = "<mo>,</mo>".join(filter(None, (under, indices)))
    return script(_letter(symbol), below, _tokens(symbol.above) + PRIME * symbol.primes + mark)


def _tokens(text: str) -> str:
    """A number, a word or a layer's number in brackets."""
    made = ""
    for part in re.findall(r"\d+|[^\W\d]+|[^\w\s]", text):
        made += f"<mn>{part}</mn>" if part.isdigit() else identifier(part) if part.isalpha() else tight(part)
    return made


def _letter(symbol: Symbol) -> str:
    letter = GREEK[symbol.letter][0] if symbol.letter in GREEK else symbol.letter
    shown = identifier("".join(map(_bold, letter)) if symbol.bold else letter)
    return f'<mover accent="true">{shown}<mo stretchy="false">^</mo></mover>' if symbol.hat else shown


def _bold(letter: str) -> str:
    """The letter in the bold alphabet: upright Latin, slanted Greek."""
    for first, last, bold in (("A", "Z", 0x1D400), ("a", "z", 0x1D41A), ("α", "ω", 0x1D736), ("0", "9", 0x1D7CE)):
        if first <= letter <= last:
            return chr(bold + ord(letter) - ord(first))
    return {"ϵ": "𝝐"}.get(letter, letter)
