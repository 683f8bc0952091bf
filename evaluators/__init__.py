"""One file a measure: quality, FLOPs, bytes, parameters, memory."""
