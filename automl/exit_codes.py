"""Exit codes of the command line and of the workers."""

INTERRUPTED = 130
"""What a shell calls the end of a process by Ctrl-C."""
