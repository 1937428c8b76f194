"""Every way the archiver can fail: one tree, each message, hint and exit code written once, on its class.

ArchiverError
├── UsageError                      2
│   ├── TimeNotUnderstood           2
│   └── StatementRefused            2
├── ReferenceUnclear
│   ├── NoSuchResource              3
│   │   └── NoSuchResourceButNear   3
│   ├── AmbiguousReference          3
│   ├── NoSuchEvent                 3
│   ├── NotThen                     3
│   └── TooManyResources            3
├── Unreachable
│   ├── DatabaseUnreachable         4
│   │   ├── DatabaseBusy            4
│   │   │   ├── DaemonElsewhere     4
│   │   │   └── CommitUndecided     4
│   │   ├── DatabaseReadOnly        4
│   │   ├── RightMissing            4
│   │   ├── TakesNothing            4
│   │   ├── ArchiveReplaced         4
│   │   ├── NotADatabase            4
│   │   ├── DatabaseNotAllowed      4
│   │   ├── DatabaseFull            4
│   │   └── DatabaseMissing         4
│   │       └── DatabaseElsewhere   4
│   ├── DaemonRefuses               4
│   ├── DaemonBusy                  4
│   └── StreamUnreachable           4
├── JobRefused                      1, or that of the daemon's error
├── NoSuchReject                    3
├── RowRefused                      1
├── SchemaNotAtHead                 5
├── SpoolError                      1
│   ├── SpoolFull                   1
│   ├── SpoolDamaged                1
│   └── SpoolInUse                  1
├── QueryFailed                     1
├── QueryTimedOut                   1
├── BadInput                        1
├── CursorOfAnother                 1
├── CannotWrite                     1
├── CannotServe                     1
├── BackupUnusable                  1
│   └── BackupMissing               1
├── UpgradeFailed                   1
├── CredentialsRefused             77
├── DatabaseUnfit                  78
└── ConfigurationWrong             78
    ├── StreamUrlWrong             78
    └── NotInstalled               78
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime


class ArchiverError(Exception):
    """Something went wrong that the reader can do something about.

    A class gives its text as ``message``, a template filled from the keyword arguments, and as ``hint`` the next step.
    """

    message: ClassVar[str] = "the archiver failed: {reason}"
    hint: ClassVar[str] = ""
    exit_code: ClassVar[int] = 1

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self.message.format(**facts))

    def __reduce__(self) -> tuple[Any, ...]:
        # An error is carried from one process to another; its constructor takes more than `args`.
        return _restored, (type(self), self.args, self.__dict__)

    @property
    def next_step(self) -> str:
        """What to do about it, one line; empty when there is nothing to do."""
        return self.hint.format(**self.facts)


def _restored(kind: type[ArchiverError], args: tuple[Any, ...], state: dict[str, Any]) -> ArchiverError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class UsageError(ArchiverError):
    """A command was called in a way it cannot take."""

    message = "{reason}"
    hint = "{hint}"
    exit_code = 2

    def __init__(self, *, reason: str, hint: str = "") -> None:
        super().__init__(reason=reason, hint=hint)


class TimeNotUnderstood(UsageError):
    """A time was given in words the grammar does not have."""

    message = "cannot read {text!r} as a time"
    hint = "try 2h, '2 hours ago', yesterday, 14:00, 2026-11-20 or 2026-11-20T14:00Z"

    def __init__(self, text: str) -> None:
        ArchiverError.__init__(self, text=text)


class StatementRefused(UsageError):
    """A statement of somebody's own is not one that only reads."""

    message = "cannot put this statement: {reason}"
    hint = "one SELECT that writes nothing is put; 'archiver schema' has views and columns, 'archiver sql -h' examples"

    def __init__(self, reason: str) -> None:
        ArchiverError.__init__(self, reason=reason)


class ReferenceUnclear(ArchiverError):
    """A reference does not name exactly one resource."""

    exit_code = 3


class NoSuchResource(ReferenceUnclear):
    """No resource of the archive answers to the reference."""

    message = "no resource matches {ref!r}"
    hint = "give a URI, type/key, a key, a name, or at least 4 characters of a key; 'archiver events' shows some"


class NoSuchResourceButNear(NoSuchResource):
    """No resource answers to the reference, and one to a name that is spelled much like it."""

    hint = "did you mean {near}?"


class Candidate(NamedTuple):
    """A resource that a reference may mean, and what tells it from the others."""

    uri: str
    type: str
    name: str | None
    state: str | None
    since: datetime | None
    """Since when it is in that state."""
    heard_at: datetime | None
    """When it was heard of last; None: only others named it."""
    platform: str | None = None
    """Where it lives, where they are on several platforms."""


class AmbiguousReference(ReferenceUnclear):
    """Several resources answer to the reference; ``candidates`` are their URIs.

    ``platforms`` are the names of their platforms, one for each candidate, where they are on several; ``known`` is what
    tells them apart.
    """

    message = "{ref!r} matches {count} resources"
    hint = "{how}: {listed}"

    def __init__(
        self,
        *,
        ref: str,
        candidates: list[str],
        more: bool = False,
        platforms: Sequence[str] = (),
        known: Sequence[Candidate] = (),
    ) -> None:
        self.candidates = candidates
        self.known = tuple(known)
        self.platforms = tuple(platforms)
        count = f"more than {len(candidates)}" if more else str(len(candidates))
        listed, how = " ".join(candidates), "use one of"
        if platforms:
            listed = ", ".join(f"{uri} on {name}" for uri, name in zip(candidates, platforms, strict=True))
            how = "say with --platform NAME which platform it is on"
        super().__init__(ref=ref, count=count, listed=listed, how=how)


class NoSuchPlatform(ReferenceUnclear):
    """The archive has no platform of this name; ``known`` are the names of those it has."""

    message = "no platform is called {name!r}"
    hint = "{listed}"

    def __init__(self, *, name: str, known: Sequence[str]) -> None:
        self.known = tuple(known)
        listed = f"there are: {', '.join(known)}" if known else "the archive has none yet"
        super().__init__(name=name, listed=listed)


class NoSuchStream(ReferenceUnclear):
    """The archive has no stream of this URL; ``known`` are the URLs of those it has."""

    message = "no stream of the archive is {url!r}"
    hint = "{listed}"

    def __init__(self, *, url: str, known: Sequence[str]) -> None:
        self.known = tuple(known)
        listed = f"there are: {', '.join(known)}" if known else "the archive has none yet"
        super().__init__(url=url, listed=listed)


class NoSuchEvent(ReferenceUnclear):
    """The archive has no event of this number; ``known`` says which it has."""

    message = "there is no event {number}: {known}"
    hint = "'archiver events -o plain' shows the numbers"


class NotThen(ReferenceUnclear):
    """A resource is asked about as it stood at an instant at which it was not there; ``life`` says when it was."""

    message = "{what} was not there at {at}"
    hint = "{life}"


class NotTold(ReferenceUnclear):
    """A stream alone is asked about a resource of which it told nothing."""

    message = "{stream} told nothing of {what}"
    hint = "leave out --stream: others told of it"


class TooManyResources(ReferenceUnclear):
    """A pattern fits more resources than one question is put about."""

    message = "{ref!r} matches more than {most:,} resources"
    hint = "give more of the name, or the type, as in container/web-*; or ask about what they are under"


class TooMuchForPicture(ArchiverError):
    """There is more under what was asked about than one picture holds."""

    message = "too much for one picture: {found}"
    hint = "ask about less: a service or a container instead of the whole, or a shorter time (--since, --until)"


class Unreachable(ArchiverError):
    """Something the command needs did not answer."""

    exit_code = 4


class DatabaseUnreachable(Unreachable):
    """The archive's database did not answer, or refused."""

    message = "cannot reach the archive at {database}: {reason}"
    hint = "check --database (or ARCHIVER_DATABASE_URL) and that the database is running"


class DatabaseMissing(DatabaseUnreachable):
    """The archive's SQLite file is not there."""

    message = "there is no archive at {database}"
    hint = (
        "a daemon creates it, a moment after it was started: archiver run --stream URL; without one: "
        "archiver db upgrade   (or see the whole thing work with: archiver demo)"
    )


class DatabaseDamaged(DatabaseUnreachable):
    """What SQLite reads of the archive's file cannot be."""

    message = "the archive at {database} is damaged: {reason}"
    hint = "put a backup in its place: archiver db restore FILE"


class DatabaseRelative(DatabaseMissing):
    """The archive's SQLite file is not below the folder in which one is, and there is one of that name below the root.

    A URL of three slashes names a path from the folder in which one is: https://docs.sqlalchemy.org/en/20/dialects/sqlite.html
    """

    hint = "three slashes name a path from the folder in which you are; did you mean sqlite:///{meant}?"


class DatabaseElsewhere(DatabaseMissing):
    """The archive's SQLite file is not there, and the daemon of this machine has one."""

    hint = (
        "the daemon's archive is {other}; ask it: sudo archiver --database {other} status   (or see docs/operating.md)"
    )


class DatabaseNotAllowed(DatabaseUnreachable):
    """The archive's SQLite file, or a folder on the way to it, is not for this user."""

    message = "the archive at {database} may not be read: {what} belongs to {owner}, who lets nobody else look"
    hint = "ask with sudo, or as {owner}; how others are let in: docs/operating.md, 'Who may read a SQLite archive'"


class LogUnreadable(DatabaseUnreachable):
    """What was written last stands in a log, which SQLite reads only where this user may write beside it."""

    message = "the archive at {database} cannot be read here: what was written last stands in {log} beside it"
    hint = "copy both files to a folder of your own and ask there, or let its owner start the archiver once"


class DatabaseFull(DatabaseUnreachable):
    """There is no room left for what is to be written."""

    message = "there is no room left for the archive at {database}: {reason}"
    hint = "make room on its disk; nothing of the archive is lost"


class NotADatabase(DatabaseUnreachable):
    """The file that is named as the archive is no SQLite file: another one, or an archive that was damaged."""

    message = "there is no archive at {database}: {reason}"
    hint = "name the archive's file with --database (or ARCHIVER_DATABASE_URL); a damaged one: archiver db restore COPY"


class DatabaseBusy(DatabaseUnreachable):
    """Somebody else is writing to the archive."""

    message = "the archive at {database} is being written by somebody else: {reason}"
    hint = "wait for the other command to end, or stop it, and try again"


class DatabaseTwice(DatabaseUnreachable):
    """The archive's SQLite file has several names, and SQLite keeps a log for each, which do not know each other."""

    message = "the archive at {database} has another name (hard links: {others}), under which SQLite keeps another log"
    hint = "keep one of the names (find FOLDER -samefile {database}), and copy with 'archiver db backup'"


class DaemonElsewhere(DatabaseBusy):
    """Somebody has the archive, and no daemon answers where its socket would be."""

    message = "the archive at {database} is being written by somebody else ({reason}), who is not to be asked: {socket}"
    hint = (
        "where a daemon has it, name its spool with --spool FILE (or ARCHIVER_SPOOL); else wait for the other command"
    )


class CommitUndecided(DatabaseBusy):
    """A transaction was prepared, as distributed databases commit, and nobody has committed it or rolled it back."""

    message = (
        "the archive at {database} cannot be written before the transaction {name} is decided, prepared at {since} and"
        " neither committed nor rolled back"
    )
    hint = "what prepared it decides it, else its owner: COMMIT PREPARED {name}; or ROLLBACK PREPARED {name};"


class DatabaseReadOnly(DatabaseUnreachable):
    """The archive cannot be written by this user."""

    message = "the archive at {database} cannot be written: {reason}"
    hint = "check who owns the file and its folder, or the rights of the database role"


class RightMissing(DatabaseUnreachable):
    """The role may not read what it asks for; ``grant`` are the statements by which the owner lets it."""

    message = "the archive at {database} cannot be read: {reason}"
    hint = "ask the owner of its tables for: {grant}"


class TakesNothing(DatabaseUnreachable):
    """The database refuses even the plainest record, so no record is to blame."""

    message = "the archive at {database} takes no record at all: {reason}"
    hint = "look for what refuses every row: a trigger, a rule or a constraint that the archiver did not make"


class ArchiveReplaced(DatabaseUnreachable):
    """Another archive took the place of the one that was being read."""

    message = "another archive took the place of {database} while it was read"
    hint = "the answer is not complete; ask again"


class StreamUnreachable(Unreachable):
    """A stream could not be opened, or its connection ended."""

    message = "cannot reach the stream {stream}: {reason}"
    hint = "check the URL and the network; 'archiver listen --retry' waits for it, and 'archiver run' always does"


class DaemonRefuses(Unreachable):
    """The daemon that has the archive is not to be asked by this user."""

    message = "the daemon that has the archive may not be asked by you: {socket} {whose}"
    hint = "ask as the user that it runs as: sudo -u USER archiver ..., or as root"


class DaemonBusy(Unreachable):
    """The daemon that has the archive did not answer in time."""

    message = "the daemon that has the archive gave no answer within {seconds:g} s ({socket})"
    hint = "nothing was done; 'archiver status' and the daemon's log say why, then ask again"


class JobRefused(ArchiverError):
    """The daemon did not do what it was asked for; it says why."""

    message = "the daemon could not do it: {reason}"
    hint = "{step}"

    def __init__(self, *, reason: str, step: str, code: int) -> None:
        super().__init__(reason=reason, step=step)
        self.exit_code = code  # type: ignore[misc]


class NoSuchReject(ReferenceUnclear):
    """The archive has no reject of this number."""

    message = "there is no reject {number}"
    hint = "'archiver rejects list' shows those there are; one that came in by a retry is an event now"


class RowRefused(ArchiverError):
    """The database cannot take a value of a batch; the others of the batch it can."""

    message = "the archive at {database} cannot take a value: {reason}"


class QueryFailed(ArchiverError):
    """The database could not answer a statement of somebody's own."""

    message = "the query failed: {reason}"


class QueryTimedOut(ArchiverError):
    """A statement of somebody's own took longer than it may."""

    message = "the query took longer than {seconds:g} s, and was ended"
    hint = "ask for less (a view that is filtered costs what it answers: docs/sql.md), or give it more with --timeout"


class SchemaNotAtHead(ArchiverError):
    """The archive's tables are not of the revision this program writes and reads."""

    message = "the schema of the archive is at {current}, this archiver needs {head}"
    hint = "{step}"
    exit_code = 5


class SpoolError(ArchiverError):
    """The spool cannot be used."""

    message = "the spool at {path} cannot be used: {reason}"
    hint = (
        "check that you may write into the folder, and its free space;"
        " a spool that is there holds what is not yet archived, do not delete it"
    )


class SpoolFull(SpoolError):
    """The spool holds as much as it may."""

    message = "the spool at {path} is full: {reason}"
    hint = "see why the archive does not take what waits, or allow more with --spool-limit"


class SpoolDamaged(SpoolError):
    """The spool's file is not what was written to it."""

    message = "the spool at {path} is damaged: {reason}"
    hint = "start the archiver again: it sets the file aside and begins a new one"


class SpoolInUse(SpoolError):
    """Another process has the spool."""

    message = "the spool at {path} is used by another archiver: {reason}"
    hint = "stop the other one, or give this one its own with --spool"


class SpoolNotAlone(ArchiverError):
    """The archive was last written by another holder of the same spool's identity."""

    message = "another archiver goes on from a copy of this spool"
    hint = "give each machine a spool of its own; until then each takes a new identity by itself"


class ArchiveBehind(ArchiverError):
    """The archive knows less of a spool than was given up of it: somebody has put an older copy in its place."""

    message = "the archive lacks what it had of this spool"
    hint = "what it lacks is written down as a gap by itself"


class BadInput(ArchiverError):
    """What was given to read cannot be read."""

    message = "cannot read {source}: {reason}"
    hint = "{hint}"

    def __init__(self, *, source: str, reason: str, hint: str = "") -> None:
        super().__init__(source=source, reason=reason, hint=hint)


class CursorOfAnother(ArchiverError):
    """A cursor was given by another archive, or before a copy was put back."""

    message = "the cursor is of another archive than {database}, or from before a copy of it was put back"
    hint = "go on without the cursor: then what was told already is told again"


class CannotWrite(ArchiverError):
    """The answer could not be written where it was to go."""

    message = "cannot write {target}: {reason}"
    hint = "what was written is not complete; check that its folder is there, the free space and the rights"


class CannotServe(ArchiverError):
    """Nothing can be served at an address."""

    message = "cannot serve at {address}: {reason}"
    hint = "choose another address or port; port 0 is any that is free"


class BackupUnusable(ArchiverError):
    """A copy of an archive is not what it should be."""

    message = "the copy {path} cannot be used: {reason}"
    hint = "take another one; 'archiver db check --database FILE' says more about this"


class BackupMissing(BackupUnusable):
    """The copy that is to be put back is not there."""

    message = "there is no copy at {path}"
    hint = "name the file that 'archiver db backup' wrote; nothing was changed"


class UpgradeFailed(ArchiverError):
    """An upgraded archive lacks something that the old one has."""

    message = "the upgraded archive is not what the old one was: {reason}"
    hint = "nothing was lost, the old archive is as it was; please report this, with the output of 'archiver db check'"


class CredentialsRefused(ArchiverError):
    """A stream does not accept the credentials."""

    message = "the stream {stream} refused the credentials: {reason}"
    hint = "check the user and the API key; after too many tries the service locks the account for a while"
    exit_code = 77


class DatabaseUnfit(ArchiverError):
    """The database answers, and no archive can be made in it as it is."""

    message = "there can be no archive at {database}: {reason}"
    hint = "{step}"
    exit_code = 78


class ConfigurationWrong(ArchiverError):
    """A setting has a value that cannot be used."""

    message = "{setting} is wrong: {reason}"
    hint = "it was read from {origin}; 'archiver config show' says what is set, 'archiver run --help' what can be"
    exit_code = 78


class StreamUrlWrong(ConfigurationWrong):
    """The URL of a stream cannot be used; who knows where it was read says so (`found_in`)."""

    def found_in(self, origin: str) -> StreamUrlWrong:
        """The same error of an URL that was read there."""
        return type(self)(**{**self.facts, "origin": origin})


class NotInstalled(ConfigurationWrong):
    """Something is to be done for which the program must lie in a folder of its own."""

    message = "this archiver runs out of {place}, and cannot {what}: that needs files, which are not there"
    hint = "install it out of its source: pip install .   then run: archiver db upgrade"
