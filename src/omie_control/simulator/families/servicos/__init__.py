"""Services: work orders, contracts, what they are invoiced as, and what they come to."""
