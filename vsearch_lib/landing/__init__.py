"""The landing zone: its files, their lines, and the reasons of refusals."""
