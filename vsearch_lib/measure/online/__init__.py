"""What people did with the answers, and whether pictures and queries are still what they were."""
