"""Networks: what they learn from, how they are trained, and how well they do on states."""
