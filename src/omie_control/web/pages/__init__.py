"""One file a noun: each page is a shell round a partial, and the partial also answers the live refresh."""
