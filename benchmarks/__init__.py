"""Measurements behind the claims of the README, side by side on one machine."""
