"""What `make` calls before anything else. Runs on Python's standard library alone, because nothing else is there yet.

python3 demo/setup/setup.py environment         .venv as uv.lock says
python3 demo/setup/setup.py demo | tests | pictures   the same, and the Debian packages for it
"""

from __future__ import annotations

import sys

from environment import make_environment
from packages import FOR_THE_BROWSER, FOR_THE_DEMO, FOR_THE_TESTS, install_missing
from say import give_up

PURPOSES = {
    "environment": (),
    "demo": FOR_THE_DEMO,
    "tests": FOR_THE_TESTS,
    "pictures": FOR_THE_BROWSER,
}


def main() -> None:
    """Set up for the purpose that is named on the command line."""
    purpose = sys.argv[1] if len(sys.argv) > 1 else "environment"
    if purpose not in PURPOSES:
        give_up(f"there is no set-up for {purpose}", f"One of: {', '.join(PURPOSES)}")
    install_missing(PURPOSES[purpose])
    make_environment()


if __name__ == "__main__":
    main()
