"""Many problems of one kind, solved at once."""
