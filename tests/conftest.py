"""What every test shares."""

from hypothesis import HealthCheck, settings

# The same examples on every machine, and no deadline: machines here are shared and noisy.
settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow]
)
