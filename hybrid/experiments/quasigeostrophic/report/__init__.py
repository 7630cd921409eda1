"""What the experiment found, as tables, metrics and figures."""
