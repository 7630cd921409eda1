"""Discovery of what a model lacks, as equations, from observations of what it models."""
