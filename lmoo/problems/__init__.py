"""Problems: residuals of parameters, with their data, their names and their bounds."""
