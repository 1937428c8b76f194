"""One object is one row of the archive, however its URI is spelled."""

from __future__ import annotations

from archiver.api.archive import Archive

from .archives import event, record

UUID = "0339f59e-2cb2-4a8b-ac2e-5e0968e80196"
SPELLINGS = [
    f"/api/v1/container/{UUID}/",
    f"//api/v1/container/{UUID}/",
    f"/api/app/v1.1/ns/container/{UUID.upper()}/",
    f"/app/v1/container/{UUID}/logs/",
    f"%2Fapi%2Fv1%2Fcontainer%2F{UUID}",
]


def test_every_spelling_is_the_history_of_one_object(database_url: str) -> None:
    told = [event("container/1", f"s{n}", n, resource_uri=uri) for n, uri in enumerate(SPELLINGS)]
    record(database_url, *told)

    with Archive.open(database_url) as archive:
        found = [[span.state for span in archive.history(uri).spans] for uri in SPELLINGS]
    assert found == [[f"s{n}" for n in range(len(SPELLINGS))]] * len(SPELLINGS)


def test_a_uuid_in_capitals_is_the_same_object(database_url: str) -> None:
    uri = f"/api/v1/container/{UUID.upper()}/"
    record(database_url, event("container/1", "Starting", 1, resource_uri=uri))
    record(database_url, event("container/1", "Running", 2, resource_uri=uri.lower()))

    with Archive.open(database_url) as archive:
        for ref in (
            uri,
            f"/api/app/v1/ns/container/{UUID.upper()}/",
            UUID.upper(),
            f"container/{UUID.upper()}",
            UUID[:13].upper(),
            UUID,
        ):
            assert [span.state for span in archive.history(ref).spans] == ["Starting", "Running"]
