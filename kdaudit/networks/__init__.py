"""Torch modules as subjects: built from a seed, trained in steps, asked in padded batches, kept without pickle."""
