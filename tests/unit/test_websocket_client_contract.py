"""The private parts of websocket-client that are overridden are still where they were."""

from __future__ import annotations

import inspect

from websocket import ABNF, WebSocket
from websocket._abnf import continuous_frame, frame_buffer


def parameters(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type]


def test_the_frame_buffer_reads_through_recv_strict_and_judges_in_recv_length() -> None:
    buffer = frame_buffer(lambda size: b"", True)
    assert parameters(frame_buffer.recv_strict) == ["self", "bufsize"]
    assert (buffer.header, buffer.length) == (None, None)
    source = inspect.getsource(frame_buffer.recv_frame)
    calls = [
        source.index(f"self.{name}(") for name in ("recv_header", "recv_length", "recv_mask", "recv_strict", "clear")
    ]
    assert calls == sorted(calls)


def test_a_header_has_seven_parts_in_this_order() -> None:
    data = iter([b"\xc9\x83"])
    buffer = frame_buffer(lambda size: next(data), True)
    buffer.recv_header()
    assert buffer.header == (1, 1, 0, 0, ABNF.OPCODE_PING, 1, 3)


def test_fragments_pass_validate_add_is_fire_and_extract() -> None:
    source = inspect.getsource(WebSocket.recv_data_frame)
    calls = [source.index(f"self.cont_frame.{name}(") for name in ("validate", "add", "is_fire", "extract")]
    assert calls == sorted(calls)
    joiner = continuous_frame(True, True)
    joiner.cont_data = [ABNF.OPCODE_TEXT, b"x"]
    opcode, frame = joiner.extract(ABNF(1, 0, 0, 0, ABNF.OPCODE_CONT, 0, b""))
    assert (opcode, frame.data, joiner.cont_data, joiner.recving_frames) == (ABNF.OPCODE_TEXT, b"x", None, None)


def test_the_socket_is_read_and_written_through_two_methods() -> None:
    assert parameters(WebSocket._recv) == ["self", "bufsize"]
    assert parameters(WebSocket._send) == ["self", "data"]
    assert "self.frame_buffer" in inspect.getsource(WebSocket.recv_frame)
    assert "self.send_close()" in inspect.getsource(WebSocket.recv_data_frame)
    assert "frame_buffer(self._recv" in inspect.getsource(WebSocket.__init__)
