"""What was refused on its way in, and why."""
