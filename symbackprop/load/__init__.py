"""From an emitted source to a module that runs: compilers, the cache, shared libraries, NumPy modules."""
