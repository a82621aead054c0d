"""Generators, discriminators and classifiers, built from MONAI blocks."""
