"""What becomes of one HTTP request to the simulated server: a stream, an answer of the REST API, or a refusal."""

from __future__ import annotations

import http
import json
import re
import threading
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from websockets.http11 import Request

from archiver.simulator.service import rest, writing
from archiver.simulator.service.access import Access, Admission
from archiver.simulator.service.connection import Connection, frame
from archiver.simulator.service.filters import Filter
from archiver.simulator.service.lying import Liar
from archiver.simulator.service.misbehaviour import Fault

_STREAM_PATH: Final = re.compile(r"/v1/events/?|/api/audit/v1/(?:[^/]+/)?events/?")
_UNAUTHORIZED: Final = '{"type":"error","data":{"errorMessage":"UNAUTHORIZED"}}'
_SLASHES: Final = re.compile(r"/{2,}")
"""python-dockercloud asks for `…/service/<uuid>//trigger/`, its documents for `//api/…`."""
_JSON: Final = {"Content-Type": "application/json"}


class Router:
    """Judges requests.

    `ask` and `obey` answer those of the REST API, `enter` takes an opened stream into the audience, `recite` the logs,
    `pause` waits.
    """

    def __init__(
        self,
        admission: Admission,
        ask: Callable[[str, str], rest.Answer],
        obey: Callable[[writing.Request], writing.Told],
        enter: Callable[[Connection], None],
        recite: Callable[[str, str], tuple[list[str], bool] | None],
        pause: Callable[[float], object],
    ) -> None:
        self.faults: dict[str, Fault] = {}
        """The misbehaviours still to come, by kind."""
        self.liar = Liar()
        """What becomes of the REST API's answers."""
        self.handshakes = 0
        self._access, self._refuse = Access(admission), admission.refuse
        self._ask, self._obey, self._enter, self._recite, self._pause = ask, obey, enter, recite, pause
        self._lock = threading.Lock()

    def receive(self, connection: Connection, request: Request) -> None:
        """Serve one request to its end, which for a stream is the end of the connection."""
        path, mark, query = request.path.partition("?")
        url = urlsplit(_SLASHES.sub("/", path) + mark + query)
        stream = connection.method == "GET" and _STREAM_PATH.fullmatch(url.path) is not None
        with self._lock:
            self.handshakes += stream
            admitted = self._access.admits(url.query, request.headers)
        fault = self._take("handshake_status" if stream else "rest_status")
        if fault is not None:
            body = json.dumps({"error": http.HTTPStatus(fault.status).phrase}).encode()
            connection.respond(fault.status, body, _JSON | ({"Location": fault.location} if fault.location else {}))
        elif not admitted and (not stream or self._refuse == "status" or self._access.locked):
            self._turn_away(connection)
        elif stream:
            self._open(connection, request, url.query, admitted)
        elif connection.method == "GET" and (log := self._recite(url.path, url.query)) is not None:
            self._read_out(connection, request, *log)
        else:
            self._answer(connection, request, url.path, url.query)

    def _open(self, connection: Connection, request: Request, query: str, admitted: bool) -> None:
        if not connection.accept(request):
            return
        if not admitted:
            connection.offer(frame(_UNAUTHORIZED))
            connection.close(1000)
        elif self._take("accept_close") is not None:
            connection.close(1001, "going away")
        else:
            connection.filter = Filter(query)
            self._enter(connection)
        connection.read_frames()

    def _read_out(self, connection: Connection, request: Request, lines: list[str], stays: bool) -> None:
        if not connection.accept(request):
            return
        for line in lines:
            connection.offer(frame(line))
        if not stays:
            connection.close(1000)
        connection.read_frames()

    def _answer(self, connection: Connection, request: Request, path: str, query: str) -> None:
        if connection.method == "GET":
            told = self.liar.tell(path, query, *self._ask(path, query))
            self._pause(told.seconds)
            connection.respond(told.status, told.body, _JSON | told.fields)
            return
        user, agent = self._access.user_of(query, request.headers), request.headers.get("User-Agent") or ""
        caller = (user, connection.address, "", agent, True)
        done = self._obey(writing.Request(connection.method, path, connection.body, caller))
        text = b"" if done.status == http.HTTPStatus.NO_CONTENT else json.dumps(done.body).encode()
        connection.respond(done.status, text, _JSON | done.fields)

    def _turn_away(self, connection: Connection) -> None:
        if self._access.locked:
            connection.respond(429, b'{"detail": "Too many login attempts."}', _JSON)
        else:
            connection.respond(401, b'{"error": "Unauthorized"}', _JSON)

    def _take(self, kind: str) -> Fault | None:
        with self._lock:
            fault = self.faults.get(kind)
            if fault is not None and fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    del self.faults[kind]
            return fault
