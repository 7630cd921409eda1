"""Figures of scores, one kind a file."""
