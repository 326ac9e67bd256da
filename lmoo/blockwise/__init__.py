"""Problems in blocks of rows: evaluation on threads, processes or Dask, and the merge of blocks."""
