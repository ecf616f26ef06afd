"""Tests against recordings of TinyBase 10.0.1."""
