"""The solver, its iteration, and the step strategies."""
