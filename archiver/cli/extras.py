"""Parts of the program that need more than a bare installation, each with what to do where that is missing."""

from __future__ import annotations

from typing import Any

from archiver.errors import ConfigurationWrong


def simulator_server() -> Any:
    """The module of the simulator's server. Raises ConfigurationWrong when what it is built on is not installed."""
    try:
        from archiver.simulator.service import server
    except ModuleNotFoundError as error:
        reason = f"the simulator needs {error.name}, which is not installed; pip install 'websockets>=15'"
        raise ConfigurationWrong(setting="installation", reason=reason, origin="this Python environment") from error
    return server
