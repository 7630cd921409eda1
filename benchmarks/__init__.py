"""What things cost. Run by ``make bench``; nothing imports this package."""
