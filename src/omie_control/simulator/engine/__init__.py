"""What answers the methods that no family has written by hand: records kept by the catalogue, and made-up rows."""
