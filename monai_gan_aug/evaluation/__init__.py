"""Generation, quality, the benefit study and its statistics."""
