"""The load harness of a whole node: loopback only."""
