"""Lets `python -m archiver` be the `archiver` command."""

if __name__ == "__main__":
    try:
        from archiver.cli import main

        code = main()
    except KeyboardInterrupt:
        code = 130
    raise SystemExit(code)
