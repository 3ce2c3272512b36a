"""``python -m unbroken``."""

import sys

from base.parent import end_as_asked
from unbroken.cli import main

if __name__ == "__main__":
    end_as_asked()
    sys.exit(main())
