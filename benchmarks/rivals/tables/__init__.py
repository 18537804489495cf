"""Rivals on tables; they run in an environment of their own, and import nothing of this project."""
