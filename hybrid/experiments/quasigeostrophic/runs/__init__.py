"""Flows, what is run in them, and the climates that runs have."""
