"""Who a network learned from, whether that leaks, and the screen for copies of patients."""
