"""What the click rate of one policy would be, estimated from the log of another."""
