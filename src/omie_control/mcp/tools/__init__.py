"""One file a noun: reads the arguments, calls the verb, shapes a short answer."""
