"""Intervals over seeds and patients, tests, corrections and the verdict."""
