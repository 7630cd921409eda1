"""Archives in place of the physics of running columns: what ``hybrid climsim rollout`` does."""
