"""The Model Context Protocol on two pipes: one JSON message a line in, one out, for an assistant that asks.

Two revisions are spoken, https://modelcontextprotocol.io/specification: 2025-11-25, which begins with a handshake
(2025-06-18 is accepted there, too), and 2026-07-28, in which each request says its revision in an envelope of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO

from archiver.codec.secrets import blanked_text
from archiver.codec.text import dump, parse
from archiver.errors import ArchiverError
from archiver.report.mcp_schemas import INSTRUCTIONS, TOOLS
from archiver.report.mcp_tools import Tools
from archiver.version import __version__

MODERN = "2026-07-28"
HANDSHAKES = ("2025-11-25", "2025-06-18")
VERSIONS = [MODERN, *HANDSHAKES]
LONGEST = 1_048_576
"""Bytes of a line of a client; no question is longer."""

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32600, -32601, -32602, -32603
UNSUPPORTED_VERSION = -32022

_META = "io.modelcontextprotocol/"
_SERVER = {"name": "archiver", "title": "Event archiver", "version": __version__}
_LASTS_MS = 3_600_000
"""How long a client may keep the list of tools: it changes with the program only."""

Params = dict[str, Any]
Result = dict[str, Any]


class Refused(Exception):
    """A request that is answered by an error of the protocol."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message} | ({} if data is None else {"data": data})


def serve(tools: Tools, source: BinaryIO, sink: BinaryIO, complain: Callable[[Exception], None]) -> None:
    """Answers line by line until the source ends. `complain` is told of what should not have happened."""
    server = Server(tools, complain)
    while line := source.readline(LONGEST + 1):
        answer = server.answer(line) if len(line) <= LONGEST else _too_long(source, line)
        if answer is not None:
            sink.write(dump(answer).encode() + b"\n")
            sink.flush()


def _too_long(source: BinaryIO, line: bytes) -> Result:
    while line and not line.endswith(b"\n"):
        line = source.readline(LONGEST)
    return _failure(None, Refused(INVALID_REQUEST, f"a message of more than {LONGEST} bytes is not read").error)


def _failure(id: Any, error: Result) -> Result:
    return {"jsonrpc": "2.0", "id": id, "error": error}


class Server:
    """One connection: what a client says, message by message, and what it is answered."""

    def __init__(self, tools: Tools, complain: Callable[[Exception], None]) -> None:
        self._tools, self._complain = tools, complain
        self._greeted = False
        self._methods: dict[str, Callable[[Params], Result]] = {
            "initialize": self._initialize,
            "ping": lambda params: {},
            "tools/list": self._list,
            "tools/call": self._call,
        }
        self._modern_methods: dict[str, Callable[[Params], Result]] = {
            "server/discover": self._discover,
            "tools/list": lambda params: self._list(params) | {"ttlMs": _LASTS_MS, "cacheScope": "public"},
            "tools/call": self._call,
        }

    def answer(self, line: bytes) -> Result | None:
        """What one message is answered; None: nothing, as it asks for nothing. Raises nothing but what ends it all."""
        number: Any = None
        try:
            message = _read(line)
            if message is None:
                return None
            number = _id(message)
            method, params = _request(message)
            if "id" not in message:
                return None  # a notification: what they say (begun, cancelled) changes nothing here
            return {"jsonrpc": "2.0", "id": number, "result": self._result(method, params)}
        except Refused as refused:
            return _failure(number, refused.error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets its answer
            self._complain(error)
            return _failure(number, {"code": INTERNAL_ERROR, "message": "the archiver failed; its stderr says how"})

    def _result(self, method: str, params: Params) -> Result:
        if method != "initialize" and _is_enveloped(params):
            _check_envelope(params)
            result = _known(self._modern_methods, method)(params)
            return {"resultType": "complete", **result, "_meta": {f"{_META}serverInfo": _SERVER}}
        ask = _known(self._methods, method)
        if not self._greeted and method not in ("initialize", "ping"):
            reason = f"begin with initialize, or say {_META}protocolVersion and clientCapabilities in params._meta"
            raise Refused(INVALID_PARAMS, reason)
        return ask(params)

    def _initialize(self, params: Params) -> Result:
        wanted = params.get("protocolVersion")
        if not isinstance(wanted, str) or not isinstance(params.get("capabilities"), dict):
            raise Refused(INVALID_PARAMS, "initialize needs protocolVersion and capabilities")
        self._greeted = True
        version = wanted if wanted in HANDSHAKES else HANDSHAKES[0]
        return {
            "protocolVersion": version,
            "capabilities": {"tools": {}},
            "serverInfo": _SERVER,
            "instructions": INSTRUCTIONS,
        }

    def _discover(self, params: Params) -> Result:
        return {
            "supportedVersions": VERSIONS,
            "capabilities": {"tools": {}},
            "instructions": INSTRUCTIONS,
            "ttlMs": _LASTS_MS,
            "cacheScope": "public",
        }

    def _list(self, params: Params) -> Result:
        if params.get("cursor") is not None:
            raise Refused(INVALID_PARAMS, "the list of tools has one page; there is no such cursor")
        return {"tools": TOOLS}

    def _call(self, params: Params) -> Result:
        name, arguments = params.get("name"), params.get("arguments")
        if not isinstance(name, str) or name not in self._tools:
            raise Refused(INVALID_PARAMS, f"there is no tool {str(name)[:100]!r}")
        if arguments is not None and not isinstance(arguments, dict):
            raise Refused(INVALID_PARAMS, "arguments must be an object")
        try:
            answer = self._tools.call(name, arguments or {})
        except ArchiverError as error:
            text = blanked_text(f"{error}\nhint: {error.next_step}" if error.next_step else str(error))
            return {"content": [{"type": "text", "text": text}], "isError": True}
        return {"content": [{"type": "text", "text": dump(answer)}], "structuredContent": answer, "isError": False}


# --- reading a message ----------------------------------------------------------------------------------------------


def _read(line: bytes) -> Params | None:
    """The message of a line; None: an empty line, or an answer, for which nobody asked. Raises Refused."""
    if not line.strip():
        return None
    try:
        message = parse(line.decode().strip())
    except (ValueError, RecursionError) as error:
        raise Refused(PARSE_ERROR, "this is no JSON in UTF-8") from error
    if isinstance(message, list):
        raise Refused(INVALID_REQUEST, "several messages at once are not read; send one a line")
    if not isinstance(message, dict):
        raise Refused(INVALID_REQUEST, "a message is a JSON object")
    return None if "method" not in message and ("result" in message or "error" in message) else message


def _id(message: Params) -> int | str | None:
    """The number of a request. Raises Refused where it is of a kind that no request may have."""
    number = message.get("id")
    if isinstance(number, int | str) and not isinstance(number, bool):
        return number
    if "id" in message:
        raise Refused(INVALID_REQUEST, "the id of a request is a text or a whole number")
    return None


def _request(message: Params) -> tuple[str, Params]:
    """The method and its parameters. Raises Refused where they are none."""
    method, params = message.get("method"), message.get("params")
    if message.get("jsonrpc") != "2.0" or not isinstance(method, str):
        raise Refused(INVALID_REQUEST, 'a request has "jsonrpc": "2.0" and a method')
    if params is not None and not isinstance(params, dict):
        raise Refused(INVALID_PARAMS, "params must be an object")
    return method, params or {}


def _known(methods: dict[str, Callable[[Params], Result]], name: str) -> Callable[[Params], Result]:
    if name not in methods:
        raise Refused(METHOD_NOT_FOUND, f"there is no method {name[:100]!r}")
    return methods[name]


def _is_enveloped(params: Params) -> bool:
    meta = params.get("_meta")
    return isinstance(meta, dict) and f"{_META}protocolVersion" in meta


def _check_envelope(params: Params) -> None:
    """Raises Refused for a revision that is not spoken, or without what each request of the new one must say."""
    meta = params["_meta"]
    version = meta[f"{_META}protocolVersion"]
    if not isinstance(version, str):
        raise Refused(INVALID_PARAMS, f"{_META}protocolVersion must be a text")
    if version != MODERN:
        data = {"supported": VERSIONS, "requested": version[:100]}
        raise Refused(UNSUPPORTED_VERSION, "this revision of the protocol is not spoken", data)
    if not isinstance(meta.get(f"{_META}clientCapabilities"), dict):
        raise Refused(INVALID_PARAMS, f"params._meta lacks {_META}clientCapabilities")
