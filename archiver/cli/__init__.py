"""The command line: `main` is the console script, and the one place where an error becomes a line and an exit code."""

from __future__ import annotations

import atexit
import gc
import os
import sys


def main(argv: list[str] | None = None) -> int:
    """Runs the command named by the arguments; returns its exit code."""
    try:
        return _run(argv)
    except KeyboardInterrupt:  # also while its modules are still being loaded
        return 130


def _run(argv: list[str] | None) -> int:
    _look_for_cycles_less_often()
    if os.environ.get("HOME") == "":  # else the root folder would be home; so the user's own is, where he has one
        del os.environ["HOME"]
    from archiver.cli.sparing import load_typer

    load_typer()
    from archiver.cli.app import app
    from archiver.cli.globals import Globals

    chosen = Globals()
    _never_fail_on_a_character()
    if not {"-h", "--help"}.isdisjoint(sys.argv[1:] if argv is None else argv):
        from archiver.cli.leaving import die_with_the_reader

        die_with_the_reader()
    try:
        app(argv, prog_name="archiver", obj=chosen)
        code = 0
    except SystemExit as exc:
        code = exc.code if isinstance(exc.code, int) else int(bool(exc.code))
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        code = 141
    except Exception as exc:  # noqa: BLE001 - whatever it is, the reader gets one line
        code = _explain(exc, debug=chosen.debug)
    code = _flush(code)
    if chosen.leave_at_once:
        os._exit(code)
    return code


def _look_for_cycles_less_often() -> None:
    """What the commands make is freed by counting references; looking for cycles every few hundred objects is in vain.

    It took a tenth of the time of an import, and of what it takes to load SQLAlchemy.
    """
    gc.set_threshold(50_000, 20, 20)
    atexit.register(gc.freeze)


def _explain(exc: Exception, *, debug: bool) -> int:
    from archiver.cli.common import complain
    from archiver.errors import AmbiguousReference, ArchiverError

    if debug:
        from archiver.cli.common import show_traceback

        show_traceback(exc)
    if isinstance(exc, AmbiguousReference) and exc.known:
        from archiver.cli.words.candidates import how_to_name, lines

        complain(str(exc), more=lines(exc), hint=how_to_name(exc))
        return exc.exit_code
    if isinstance(exc, ArchiverError):
        complain(str(exc), hint=exc.next_step)
        return exc.exit_code
    if isinstance(exc, FileNotFoundError) and _is_nowhere():
        complain("the folder in which this runs is there no more", hint="go to another one, or: cd .")
        return 1
    hint = "" if debug else "run with --debug for the traceback: archiver --debug ..."
    if isinstance(exc, OSError) and exc.strerror:
        where = f"{exc.filename}: " if exc.filename else ""
        complain(f"{where}{exc.strerror}", hint=hint)
    else:
        complain(f"{type(exc).__name__}: {exc}", hint=hint)
    return 1


def _is_nowhere() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _never_fail_on_a_character() -> None:
    """An output that cannot hold a character gets its escaped form, whatever the locale is."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _flush(code: int) -> int:
    """Writes out what is still buffered; so that the interpreter, when it ends, has nothing left to fail on."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        _discard(sys.stdout.fileno())
        return code or 141
    except OSError as exc:
        _discard(sys.stdout.fileno())
        if code == 0:
            from archiver.cli.common import complain

            complain(f"cannot write the output: {exc.strerror}", hint="what was written is not complete")
        return code or 1
    return code


def _discard(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
