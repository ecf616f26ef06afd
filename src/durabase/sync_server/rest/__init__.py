"""Rooms by plain HTTP: their tables and values as resources, and what happens there as a stream of events."""
