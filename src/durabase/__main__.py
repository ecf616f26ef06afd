"""``python -m durabase`` is the command ``durabase``."""

import sys

from durabase.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
