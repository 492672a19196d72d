"""An Omie of our own: an independent witness that demo, tests and load meet instead of the real one.

It knows only the catalogue. It keeps state per company, refuses what Omie refuses, can fail on request (above
all after it has executed), and keeps its own book of what it did and which limits were broken.
"""
