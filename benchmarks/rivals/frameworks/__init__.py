"""Rivals in PyTorch and JAX; they run in an environment of their own, and import nothing of this project."""
