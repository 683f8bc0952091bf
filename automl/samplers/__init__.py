"""Samplers: what is tried next, one file each; all are Optuna samplers, stateless, built anew for every ask."""
