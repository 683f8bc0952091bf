"""The kinds of Reporter, one file a kind."""
