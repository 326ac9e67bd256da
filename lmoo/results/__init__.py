"""Results of solves: statistics, profiles, reports, pictures, and storage in files."""
