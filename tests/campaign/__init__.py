"""Kills under load, and the books compared afterwards: a slice runs in `make test`, the long one by `make campaign`."""
