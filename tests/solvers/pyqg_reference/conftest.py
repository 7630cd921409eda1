"""What is here runs in an environment of its own, with a NumPy that this one must not have."""

collect_ignore = ["trajectory.py"]
