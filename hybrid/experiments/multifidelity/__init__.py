"""Multi-fidelity closures: right in a climate that their accurate data do not come from."""
