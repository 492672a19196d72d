"""The door to Omie: what its methods are, how a call is written and read, and the wire itself."""
