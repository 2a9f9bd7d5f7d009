"""Cost: parameters, operations, latency, memory and energy of any subject."""
