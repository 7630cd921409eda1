"""A network in the place of PlaSim's moist convection: trained, scored, coupled, compared."""
