"""The verbs: each asks for its right, works in one transaction and writes its audit row. Every face calls these."""
