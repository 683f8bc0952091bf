"""The built-in vision tasks and the catalogue that finds them and installed ones by name."""
