"""Print derivations in matrix notation: `text.text`, `latex.latex`, `latex.repr_latex`."""
