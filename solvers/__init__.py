"""Reference numerics: the high-resolution truths and their diagnostics. Knows no closure."""
