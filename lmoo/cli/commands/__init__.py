"""The commands of the command line: what each does with its options."""
