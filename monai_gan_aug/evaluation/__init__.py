"""Generated images, their quality, the copy screen, and choices among them."""
