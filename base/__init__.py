"""What every program stands on: durable writes, the clock, service notification, errors."""
