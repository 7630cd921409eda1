"""MEDIDA on the Kuramoto-Sivashinsky equation: model error as equations, from observations."""
