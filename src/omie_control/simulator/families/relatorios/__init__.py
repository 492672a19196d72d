"""Reports: everything in them is reckoned from the records there are, at the moment they are asked for."""
