"""A real Chromium that does as it is told by the DevTools protocol, for the tests of pages."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from websocket import WebSocket, create_connection

NO_CHROMIUM = "no Chromium here: install Debian's package `chromium`, without which no page is looked at"
PATIENCE = 60.0
"""Seconds that anything may take on a busy machine."""
_KEYS = {"/": "Slash", "[": "BracketLeft", "]": "BracketRight", "?": "Slash"}


def find_chromium() -> str | None:
    """The browser of this machine."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Tab:
    """One page: what it shows, what it asked for, what it complained of."""

    def __init__(self, url: str) -> None:
        self._socket: WebSocket = create_connection(url, timeout=PATIENCE, suppress_origin=True)
        self._number = 0
        self._is_loaded = False
        self.requests: list[str] = []
        self.complaints: list[str] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Gives an order, and takes note of what is told meanwhile."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            told = json.loads(self._socket.recv())
            if told.get("id") == self._number:
                if "error" in told:
                    raise AssertionError(f"{method}: {told['error']}")
                result: dict[str, Any] = told["result"]
                return result
            self._note(told)

    def _note(self, told: dict[str, Any]) -> None:
        method, said = told.get("method"), told.get("params", {})
        self._is_loaded = self._is_loaded or method == "Page.loadEventFired"
        if method == "Network.requestWillBeSent":
            self.requests.append(said["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(said["exceptionDetails"]))
        elif method == "Log.entryAdded":
            self.complaints.append(said["entry"]["text"])
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(json.dumps(said["args"]))

    def ask(self, expression: str) -> Any:
        """The value of an expression, waited for where it is a promise."""
        told = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in told:
            raise AssertionError(f"{expression}: {json.dumps(told['exceptionDetails'])}")
        return told["result"].get("value")

    def until(self, expression: str) -> Any:
        """Waits until an expression is true."""
        deadline = monotonic() + PATIENCE
        while not (value := self.ask(expression)):
            assert monotonic() < deadline, f"never true: {expression}"
            sleep(0.02)
        return value

    def open(self, page: Path, hash: str = "", *, script: bool = True) -> None:
        """Opens a file anew, with or without its script."""
        self.call("Emulation.setScriptExecutionDisabled", value=not script)
        self.go("about:blank")
        self.go(page.as_uri() + hash)

    def go(self, url: str) -> None:
        """Opens an address; forgets what was asked for and complained of before."""
        self.requests.clear()
        self.complaints.clear()
        self._is_loaded = False
        self.call("Page.navigate", url=url)
        while not self._is_loaded:
            self._note(json.loads(self._socket.recv()))

    def seen(self, *, dark: bool = False, width: int = 1200, height: int = 700) -> None:
        """Chooses the size of the window, and light or dark."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def shown(self, selector: str) -> dict[str, Any] | None:
        """Where an element is on the page; None: it is not shown. Asks no script of the page."""
        self.call("DOM.enable")
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        try:
            model: dict[str, Any] = self.call("DOM.getBoxModel", nodeId=node)["model"]
        except AssertionError:
            return None
        return model

    def press(self, *keys: str) -> None:
        """Presses keys, one after another; a long word is typed."""
        for key in keys:
            typed = {"text": key} if len(key) == 1 else {}
            code = _KEYS.get(key, f"Key{key.upper()}" if len(key) == 1 else key)
            number = {"Enter": 13, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38, "ArrowLeft": 37, "ArrowRight": 39}
            more = {"windowsVirtualKeyCode": number[key]} if key in number else {}
            self.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=code, **typed, **more)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=code, **more)

    def click(self, x: float, y: float) -> None:
        """Clicks at a place on the screen."""
        self.drag((x, y), (x, y))

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Presses the pointer at one place, and lets it go at another."""
        for kind, (x, y) in (
            ("mouseMoved", start),
            ("mousePressed", start),
            ("mouseMoved", end),
            ("mouseReleased", end),
        ):
            more = {"clickCount": 1} if kind != "mouseMoved" else {}
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", **more)

    def wheel(self, x: float, y: float, down: float, *, ctrl: bool = False) -> None:
        """Turns the wheel at a place."""
        keys = 2 if ctrl else 0
        self.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=down, modifiers=keys)

    def screenshot(self) -> bytes:
        """What is seen, as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def close(self) -> None:
        self._socket.close()


@contextmanager
def running_chromium(binary: str, folder: Path) -> Iterator[Tab]:
    """A browser with one tab, which keeps what it keeps in a folder; it ends with the tests."""
    order = [binary, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    order += [
        "--disable-background-networking",
        "--disable-extensions",
        "--remote-debugging-port=0",
        "--hide-scrollbars",
    ]
    order += [f"--user-data-dir={folder}", "about:blank"]
    with (folder.parent / "chromium.log").open("wb") as log:
        process = subprocess.Popen(
            order, stdout=log, stderr=log, env={"HOME": str(folder), "PATH": "/usr/bin:/bin", "TZ": "UTC"}
        )
    try:
        tab = Tab(_tab(_port(folder, process)))
        try:
            yield tab
        finally:
            tab.close()
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


def _port(folder: Path, process: subprocess.Popen[bytes]) -> int:
    told, deadline = folder / "DevToolsActivePort", monotonic() + PATIENCE
    while not (told.exists() and told.read_text().strip()):
        assert process.poll() is None, "Chromium ended at once"
        assert monotonic() < deadline, "Chromium never said where it listens"
        sleep(0.05)
    return int(told.read_text().split()[0])


def _tab(port: int) -> str:
    import urllib.request

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=PATIENCE) as answer:
        pages = [each for each in json.load(answer) if each["type"] == "page"]
    return str(pages[0]["webSocketDebuggerUrl"])
