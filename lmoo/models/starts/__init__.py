"""Starting points for the parameters of an expression, from the data."""
