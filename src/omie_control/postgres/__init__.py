"""The truth: everything that must not be lost stands in PostgreSQL, and SQL stands in files of its own."""
