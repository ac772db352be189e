"""The paper version of a derivation: a document in words and formulas, and its writers."""
