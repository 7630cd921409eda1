"""Networks on columns: profiles and scalars in and out, for anyone's variables."""
