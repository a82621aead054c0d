"""Augmentation of whole batches on the device, for the GAN and for the classifier."""
