"""The numbers that this project promises, each measured beside its reference in the same run."""
