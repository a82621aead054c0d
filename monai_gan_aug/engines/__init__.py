"""Ignite engines around plain step functions, their handlers and checkpoints."""
