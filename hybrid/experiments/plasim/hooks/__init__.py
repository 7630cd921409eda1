"""Fortran that stands in the place of PlaSim's radiation, and its insertion.

The files beside this one are compiled together with the model. They are this project's own.
"""
