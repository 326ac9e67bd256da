"""Problems in blocks of rows: evaluation on threads, processes or Dask, and their merging."""
