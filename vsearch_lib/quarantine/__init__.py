"""Refused items of landings, and the reasons of their refusals."""
