"""The language of equations: tensors, indices, sums; and how they are substituted."""
