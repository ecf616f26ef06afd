"""Telling other services what happens in a room: signed requests, kept until they have arrived."""
