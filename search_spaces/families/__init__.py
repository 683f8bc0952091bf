"""Block families: which units of a block modules are made of, and where they sit in its tensors."""
