"""Scores of climates against the truth, with intervals and ceilings."""
