"""The tasks, training, samplers, the study and the command line."""
