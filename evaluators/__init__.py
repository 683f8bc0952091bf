"""One file a measure: quality, FLOPs, bytes, parameters, memory; latency and energy by a device profile."""
