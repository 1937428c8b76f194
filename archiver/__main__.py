"""Lets `python -m archiver` be the `archiver` command."""

from archiver.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
