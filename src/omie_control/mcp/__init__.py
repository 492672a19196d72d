"""The language for models: FastMCP servers whose every tool call is an execution on record."""
