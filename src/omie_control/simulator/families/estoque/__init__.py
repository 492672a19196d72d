"""Stock: what is adjusted by hand, and what can be asked about it."""
