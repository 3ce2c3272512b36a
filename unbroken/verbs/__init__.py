"""One module for each group of verbs; each is imported only when one of its verbs is used."""
