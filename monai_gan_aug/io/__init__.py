"""Files to arrays and the few tags we keep, and back. Imports no torch."""
