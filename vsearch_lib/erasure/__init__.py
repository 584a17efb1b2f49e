"""Erasure removes the data of a user or an image from every table, and refuses it when it lands again."""
