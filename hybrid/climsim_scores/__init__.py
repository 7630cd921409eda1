"""Scores of compiled emulators on ClimSim's files: what ``hybrid climsim score`` does."""
