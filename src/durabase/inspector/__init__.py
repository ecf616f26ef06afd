"""A page for people that shows and edits what lives in a server."""
