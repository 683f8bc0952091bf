"""Profiling: measures this machine into a device profile."""
