"""The centre: takes in what the stations deliver, keeps it, and answers for it."""
