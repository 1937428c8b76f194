"""A registry on loopback that has one image: as much of it as `docker pull` asks for (OCI Distribution, "Pull")."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _image(content: bytes) -> tuple[bytes, list[bytes]]:
    """A manifest, and the two blobs that it names: the configuration, and a layer with one file."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        entry = tarfile.TarInfo("content")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    packed = gzip.compress(layer.getvalue(), mtime=0)
    root = {"type": "layers", "diff_ids": [_digest(layer.getvalue())]}
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": root}).encode()
    parts = [(config, "container.image.v1+json"), (packed, "image.rootfs.diff.tar.gzip")]
    told: list[dict[str, Any]] = [
        {"mediaType": f"application/vnd.docker.{kind}", "size": len(blob), "digest": _digest(blob)}
        for blob, kind in parts
    ]
    manifest = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": told[0], "layers": told[1:]}
    return json.dumps(manifest).encode(), [config, packed]


@contextmanager
def registry(name: str, tag: str, content: bytes = b"anything") -> Iterator[str]:
    """Serves one image; how `docker pull` is told it. An engine takes it without TLS since it is on this machine."""
    manifest, blobs = _image(content)
    kept = {f"/v2/{name}/blobs/{_digest(blob)}": (blob, "application/octet-stream") for blob in blobs}
    kept |= {f"/v2/{name}/manifests/{word}": (manifest, _MANIFEST) for word in (tag, _digest(manifest))}
    kept["/v2/"] = (b"{}", "application/json")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments: Any) -> None:
            pass

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            body, kind = kept.get(self.path, (b"", ""))
            self.send_response_only(200 if kind else 404)
            self.send_header("Content-Type", kind or "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Docker-Content-Digest", _digest(body))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}/{name}:{tag}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
