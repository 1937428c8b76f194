"""Parts of the program that need more than a bare installation, each with what to do where that is missing."""

from __future__ import annotations

from typing import Any

from archiver.errors import ConfigurationWrong


class PartMissing(ConfigurationWrong):
    """A command needs a package that a bare installation does not bring."""

    message = (
        "the simulator needs {package}, which is not installed;"
        " pip install 'websockets>=15', or in the folder of the source: pip install '.[demo]'"
    )
    hint = (
        "into the environment of this archiver; with pipx: pipx inject event-archiver 'websockets>=15';"
        " with uv: uv tool install --with 'websockets>=15' and what was installed"
    )


def simulator_server() -> Any:
    """The module of the simulator's server. Raises PartMissing when what it is built on is not installed."""
    try:
        from archiver.simulator.service import server
    except ModuleNotFoundError as error:
        raise PartMissing(package=error.name) from error
    return server
