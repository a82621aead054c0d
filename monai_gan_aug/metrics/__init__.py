"""Numbers that compare real with synthetic images, and predictions with labels."""
