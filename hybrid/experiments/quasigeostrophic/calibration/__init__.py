"""Coefficients of the closures of the project, given or fitted to climates of runs."""
