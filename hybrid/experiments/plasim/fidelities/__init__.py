"""Closures of moist convection from two of PlaSim's schemes: a cheap one anywhere, Kuo's today."""
