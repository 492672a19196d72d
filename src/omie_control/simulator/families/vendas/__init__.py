"""Sales: orders and quotes, their items, their stages, and their invoicing."""
