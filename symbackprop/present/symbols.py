"""Names in their parts, and the same parts in plain text and in LaTeX. Which parts a name has, a view says."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ..language.tensor import Tensor

GREEK = {
    "alpha": ("α", r"\alpha"),
    "beta": ("β", r"\beta"),
    "gamma": ("γ", r"\gamma"),
    "delta": ("δ", r"\delta"),
    "eps": ("ε", r"\varepsilon"),
    "epsilon": ("ϵ", r"\epsilon"),
    "zeta": ("ζ", r"\zeta"),
    "eta": ("η", r"\eta"),
    "theta": ("θ", r"\theta"),
    "kappa": ("κ", r"\kappa"),
    "lam": ("λ", r"\lambda"),
    "mu": ("μ", r"\mu"),
    "nu": ("ν", r"\nu"),
    "xi": ("ξ", r"\xi"),
    "pi": ("π", r"\pi"),
    "rho": ("ρ", r"\rho"),
    "sigma": ("σ", r"\sigma"),
    "tau": ("τ", r"\tau"),
    "phi": ("φ", r"\varphi"),
    "chi": ("χ", r"\chi"),
    "psi": ("ψ", r"\psi"),
    "omega": ("ω", r"\omega"),
    "Gamma": ("Γ", r"\Gamma"),
    "Delta": ("Δ", r"\Delta"),
    "Theta": ("Θ", r"\Theta"),
    "Lambda": ("Λ", r"\Lambda"),
    "Xi": ("Ξ", r"\Xi"),
    "Pi": ("Π", r"\Pi"),
    "Sigma": ("Σ", r"\Sigma"),
    "Phi": ("Φ", r"\Phi"),
    "Psi": ("Ψ", r"\Psi"),
    "Omega": ("Ω", r"\Omega"),
}

NAME = re.compile(r"(.*?[^\W\d_])(_*\d+|_\w*)?")


@dataclass(frozen=True, slots=True)
class Symbol:
    """A printed name: W with 1 below, delta with (2) above, x with a hat.

    `letter` is a letter, a word, or a key of GREEK; `below` a number, a word or another symbol; `above` a layer's
    number as it is written. `gradient` says that dL/d(this) is meant, and how that is written: "partial" (a fraction
    of the letter `loss`), "d" (a d in front), "nabla" or "grad" (as frameworks do); "" for the name itself.
    """

    letter: str
    below: Symbol | str = ""
    above: str = ""
    hat: bool = False
    primes: int = 0
    bold: bool = False
    gradient: str = ""
    loss: str = "L"


def symbol_of(name: str) -> Symbol:
    """A name's parts as Python code spells them: W1, delta_mu, xhat3, y_digit."""
    match = NAME.fullmatch(name)
    base, suffix = (match.group(1), match.group(2) or "") if match else (name, "")
    hat = base.endswith("hat") and len(base) > 3
    letter = base[:-3] if hat else base
    inner = suffix.lstrip("_")
    if not inner:
        return Symbol(letter, hat=hat, primes=len(suffix))
    words = re.fullmatch(r"(_[^\W\d_]{2,})+(_*\d+)?", suffix)
    if words and len(letter) > 1 and not hat and letter not in GREEK:  # running_mean2 is one word and a number
        return Symbol(letter + suffix.rstrip("_0123456789"), (words.group(2) or "").lstrip("_"))
    if inner.isdigit():
        return Symbol(letter, above=f"({inner})") if letter == "delta" else Symbol(letter, inner, hat=hat)
    return Symbol(letter, symbol_of(inner) if NAME.fullmatch(inner) else inner, hat=hat)


def plain_symbol(tensor: Tensor) -> Symbol:
    """A tensor's symbol where no notation says otherwise; a gradient is that of the parameter it is named after."""
    name = tensor.name
    if tensor.kind == "gradient" and len(name) > 1 and name.startswith("d"):
        return replace(symbol_of(name[1:].rstrip("_")), gradient="partial")
    return symbol_of(name)


def text_name(tensor: Tensor) -> str:
    """The name in plain text: lam -> λ, delta1 -> δ1, delta_mu -> δ_μ, dW2."""
    name = tensor.name
    gradient = tensor.kind == "gradient" and len(name) > 1 and name.startswith("d")
    match = NAME.fullmatch(name[1:].rstrip("_") if gradient else name)
    base, suffix = (match.group(1), match.group(2) or "") if match else (name, "")
    return ("d" if gradient else "") + _text_word(base) + "_".join(map(_text_word, suffix.split("_")))


def _text_word(word: str) -> str:
    return GREEK[word][0] if word in GREEK else word


def latex_symbol(symbol: Symbol, indices: str = "", mark: str = "") -> str:
    r"""The symbol in LaTeX, W_{1}, \delta^{(1)}, \hat{x}, with more indices below and a mark (a transpose) above.

    A gradient is \frac{\partial L}{\partial W_{1}}, and the like.
    """
    if symbol.gradient in ("nabla", "grad") and indices:
        whole = latex_symbol(symbol)
        return (f"({whole})" if symbol.gradient == "nabla" else whole) + f"_{{{indices}}}"
    below = ",".join(filter(None, (_below(symbol.below), indices)))
    inside = symbol.gradient in ("", "d")
    above = symbol.above + r"\prime" * symbol.primes + (mark if inside else "")
    text = _latex_letter(symbol) + (f"_{{{below}}}" if below else "") + (f"^{{{above}}}" if above else "")
    if not symbol.gradient:
        return text
    marked = f"^{{{mark}}}" if mark and not inside else ""
    return {
        "partial": rf"\frac{{\partial {symbol.loss}}}{{\partial {text}}}",
        "d": rf"d{text}",
        "nabla": rf"\nabla_{{{text}}} {symbol.loss}",
        "grad": rf"{text}\mathrm{{.grad}}",
    }[symbol.gradient] + marked


def _below(below: Symbol | str) -> str:
    return latex_symbol(below) if isinstance(below, Symbol) else below.replace("_", r"\_")


def _latex_letter(symbol: Symbol) -> str:
    letter = symbol.letter
    if letter in GREEK:
        shown = rf"\boldsymbol{{{GREEK[letter][1]}}}" if symbol.bold else GREEK[letter][1]
    elif len(letter) == 1:
        shown = rf"\mathbf{{{letter}}}" if symbol.bold else letter
    else:
        shown = rf"\{'mathbf' if symbol.bold else 'mathit'}{{{letter}}}".replace("_", r"\_")
    return rf"\hat{{{shown}}}" if symbol.hat else shown
