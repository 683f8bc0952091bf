"""Pareto set, tables, plots, choosers and export."""
