"""What tests need, ours and our users': a fake clock, conformance suites."""

from durabase.testing.fake_clock import FakeClock
from durabase.testing.persister_checks import check_persister

__all__ = ["FakeClock", "check_persister"]
