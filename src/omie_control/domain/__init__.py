"""The rules of the business: pure values and functions. No I/O, no clock, no environment."""
