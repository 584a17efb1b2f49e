"""Removing a person's or an image's data from every table, and refusing it when it lands again."""
