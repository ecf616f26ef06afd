"""Watching and operating a running server: records of events, metrics, and what an administrator may do."""
