"""Whole experiments: arms and controls, their jobs, and the record of what came out."""
