"""What is public: a tree of files apart from the store, and what lists are made of."""
