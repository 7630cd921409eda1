"""ClimSim: reading, splitting and converting its files, emulating its column physics, scoring.

ClimSim pairs the state of a multi-scale climate model before its embedded cloud-resolving
model runs (``mli``) with the state and surface fluxes after it (``mlo``). Level index 0 is the
model top.

References
----------
Yu et al. 2023, ClimSim: a large multi-scale dataset for hybrid physics-ML climate emulation,
NeurIPS Datasets and Benchmarks.
"""
