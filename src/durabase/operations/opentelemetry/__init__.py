"""Metrics and traces for OpenTelemetry, by its own packages: imported only when that is turned on."""
