"""Jacobian strategies, and the check of a problem's Jacobian."""
