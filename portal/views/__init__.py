"""One blueprint for each noun in the addresses."""
