"""The disk of a unit: where things lie, how they become durable, what is found after a crash."""
