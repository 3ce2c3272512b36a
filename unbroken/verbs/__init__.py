"""One module for each group of verbs: its arguments, and what they start."""
