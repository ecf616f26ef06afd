"""The client of a project on the same origin as its server."""
