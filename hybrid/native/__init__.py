"""Programs of the native engine: from a closure to elementary steps, and their judge in NumPy.

The bridge's native engine knows no graph of torch; it runs a short list of steps on vectors of
features, a column at a time in meaning and many in fact. `tracing` writes the list down,
`program_file` keeps it in an archive, `evaluate` says what it computes.
"""
