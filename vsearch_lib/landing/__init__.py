"""The landing zone: what lies there, line by line, and why some of it is refused."""
