"""Problems: residuals as functions of parameters, with their data, names and bounds."""
