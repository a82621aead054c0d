"""The parts of a report, one module per section: its tables, its figures and its sentences."""
