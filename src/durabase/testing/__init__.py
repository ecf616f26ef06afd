"""What tests need, ours and our users': a fake clock, fake networks, conformance suites."""

from durabase.testing.fake_clock import FakeClock

__all__ = ["FakeClock"]
