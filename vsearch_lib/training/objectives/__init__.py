"""What a training minimises: which pictures are compared, which of them are to be near each other, and by what loss."""
