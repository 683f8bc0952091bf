"""Data sets of the user's own: read in four formats, checked, divided into splits, and kept decoded."""
