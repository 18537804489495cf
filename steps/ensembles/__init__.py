"""Trials of a study as one model: which of them mix well, and the network that averages them."""
