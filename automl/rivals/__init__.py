"""Rivals: other ways to share a model, measured on a run's data, splits and cloud model; one file a rival."""
