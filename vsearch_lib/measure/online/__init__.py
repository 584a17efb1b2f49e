"""What people did with the answers, and whether pictures and queries have drifted."""
