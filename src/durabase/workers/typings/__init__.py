"""Types for editors: stubs of the modules that programs import, and of their own ``env``."""

from durabase.workers.typings.files import typings

__all__ = ["typings"]
