"""Runs steps: one by its own command line, or a whole graph in one local Spark session."""
