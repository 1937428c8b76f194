"""Lets `python -m archiver` be the `archiver` command."""

import os
import sys


def leave_the_folder_out() -> None:
    """What lies in the current folder is no module of ours: Python looks there first, also for what others wrote.

    Where the archiver itself lies there, as in its sources, it stays.
    """
    ours = os.path.dirname(os.path.dirname(__file__))
    if not sys.flags.safe_path and sys.path[:1] != [ours]:
        del sys.path[:1]  # with -m, that folder


if __name__ == "__main__":
    try:
        leave_the_folder_out()
        from archiver.cli import main

        code = main()
    except KeyboardInterrupt:
        code = 130
    raise SystemExit(code)
