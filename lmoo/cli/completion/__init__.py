"""Scripts by which shells complete the commands, made from the parser of the command line."""
