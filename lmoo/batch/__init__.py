"""Many fits at once: stacks of curves and of problems, compiled or in Python."""
