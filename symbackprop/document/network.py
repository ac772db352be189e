"""The section that shows the whole network: a drawing and its size."""

from __future__ import annotations

from ..present.tree import Leaf
from .diagram import diagram
from .records import Block, Paragraph
from .setting import Setting


def blocks(setting: Setting) -> tuple[Block, ...]:
    """What depends on what."""
    system = setting.derivation.system
    sentence = setting.words(
        "opening.network",
        loss=Leaf(setting.loss),
        parameters=str(sum(t.entries for t in system.parameters)),
        tensors=str(len(system.parameters)),
    )
    return Paragraph(sentence), diagram(setting.derivation, setting.view)
