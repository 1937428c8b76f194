"""Questions about objects: which there are, how each was, and how all of them stood at an instant."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from archiver.api.opened import ALWAYS, Opened, Ref, now, one, platform_number, resolve_all_of, stream_number
from archiver.model import TimeRange

if TYPE_CHECKING:
    from archiver.model import Diff, History, Lanes, Resource, Timeline, TreeNode
    from archiver.model.records import Platform


class Objects(Opened):
    """What an archive says of its objects."""

    def platforms(self) -> list[Platform]:
        """What objects live in: the accounts, swarms and engines that the archive knows."""
        from archiver.queries.platforms import known

        with self._reader.question() as connection:
            return list(known(connection).values())

    def platform_of(self, resource: Resource) -> str:
        """The key of the platform that a resource lives in."""
        from archiver.queries.platforms import key_of

        with self._reader.question() as connection:
            return key_of(connection, resource.id)

    def resolve(self, ref: str, *, platform: str | None = None, range: TimeRange = ALWAYS) -> Resource:
        """The resource that a reference means, on a platform of that name, key or stream (None: on any).

        A name means who bore it as the range ended, or last before; and a question about a range reads names so.
        Raises NoSuchPlatform.
        """
        from archiver.queries.references import resolve

        with self._reader.question() as connection:
            return resolve(connection, ref, platform_number(connection, platform), range)

    def resolve_all(
        self, refs: Iterable[str], *, platform: str | None = None, range: TimeRange = ALWAYS
    ) -> list[Resource]:
        """The resources that references and patterns (`web-*`) mean, each once, in the order of the references.

        Names as in `resolve`. Raises TooManyResources for a pattern that fits more than 1,000, and NoSuchPlatform.
        """
        from archiver.queries.patterns import resolve_all

        wanted = list(refs)  # whoever names them may take his time
        with self._reader.question() as connection:
            return resolve_all(connection, wanted, platform_number(connection, platform), range)

    def history(self, ref: Ref, range: TimeRange = ALWAYS, *, stream: str | None = None) -> History:
        """The state timeline of a resource; of the `stream` of a URL alone, what that told. Raises NoSuchStream."""
        from archiver.queries.history import history
        from archiver.queries.notes import beside

        ask = self._reader.pages()
        resource, told_by = ask(resolve_all_of, ref, range)[0], ask(stream_number, stream)
        found = history(ask, resource, range, now(), told_by)
        return found if told_by is not None else found._replace(notes=beside(ask, resource.id, range))

    def timeline(self, ref: Ref, range: TimeRange = ALWAYS, *, stream: str | None = None) -> Timeline:
        """As `history`, of a resource that may have a million states: they are read as they are asked for, once."""
        from archiver.queries.history import timeline
        from archiver.queries.notes import beside

        ask = self._reader.pages()
        resource, told_by = ask(resolve_all_of, ref, range)[0], ask(stream_number, stream)
        found = timeline(ask, resource, range, now(), told_by)
        return found if told_by is not None else found._replace(notes=beside(ask, resource.id, range))

    def lanes(self, ref: Ref | None = None, range: TimeRange = ALWAYS) -> Lanes:
        """What a picture is drawn from: all that was under a resource within a range, its states and actions.

        Without a reference, all that there was. Raises TooMuchForPicture when that is more than can be drawn.
        """
        from archiver.queries.lanes import lanes

        ask = self._reader.pages()
        return lanes(ask, None if ref is None else ask(resolve_all_of, ref, range)[0], range, now())

    def tree(self, ref: Ref | None = None, *, gone: bool = False) -> TreeNode:
        """A resource with what lives under it, and the states; with the `gone`, also what was under it when it went.

        Without one, all that lives, below the platform. What is certain is so up to the last sign of life (`at`).
        """
        from archiver.queries.moment import everything
        from archiver.queries.tree import tree

        with self._reader.question() as connection:
            if ref is None:
                return everything(connection, now())
            return tree(connection, resolve_all_of(connection, ref)[0], now(), gone=gone)

    def at(self, moment: datetime, ref: Ref | None = None) -> TreeNode:
        """A resource with what lived under it, or the whole platform, as it stood at an instant.

        States, names and images are those of then, and `certain` says of each state whether somebody was watching since
        it was told. Raises NotThen when the resource did not live then.
        """
        from archiver.queries.moment import at

        with self._reader.question() as connection:
            return at(connection, one(connection, ref, TimeRange.ending_at(moment)), moment, now())

    def diff(self, first: datetime, second: datetime, ref: Ref | None = None, *, causes: bool = False) -> Diff:
        """What of a resource and all under it, or of the whole platform, was otherwise at the second instant.

        The first is not after the second. `causes`: why the containers that ended did, of no more than 200. Raises
        NotThen when the resource lived at neither.
        """
        from archiver.queries.difference import difference

        with self._reader.question() as connection:
            subject = one(connection, ref, TimeRange.ending_at(second, first))
            return difference(connection, subject, TimeRange(first, second), now(), causes=causes)
