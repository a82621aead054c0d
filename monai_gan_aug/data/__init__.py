"""Datalists, splits, the decode-once cache, batches, provenance and phantoms."""
