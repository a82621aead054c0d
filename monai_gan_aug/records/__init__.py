"""What is on disk, each file declared once: read strictly, written atomically."""
