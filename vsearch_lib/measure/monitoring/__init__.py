"""Monitoring: what has drifted, what is missing, and whether lake and index hold the same images."""
