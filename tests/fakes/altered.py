"""A real recorder that takes the machine for another: ``python -m tests.fakes.altered [--boot ID] [--board FOLDER]``.

Another kernel boot, as after a power cut; or another board or card, whose sysfs lies under a folder.
"""

import argparse
import sys
from pathlib import Path
from unittest.mock import patch

from appliance.config import load_config
from appliance.recorder import record
from appliance.upkeep.hardware import Hardware
from base.clock import kernel_boot_id
from base.log import begin_logging


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--boot", default=kernel_boot_id())
    parser.add_argument("--board", type=Path, default=Path("/"))
    parser.add_argument("--config", type=Path)
    arguments = parser.parse_args()
    begin_logging()
    with patch("appliance.recorder.kernel_boot_id", lambda: arguments.boot):
        return record(load_config(arguments.config), Hardware(arguments.board))


if __name__ == "__main__":
    sys.exit(main())
