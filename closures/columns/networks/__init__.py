"""Architectures of column networks, one a file; `closures.columns.registry` lists them."""
