"""What is kept of a message that is too long, as everything that takes messages in knows it."""

from archiver.codec.oversize import KEPT, Oversize

__all__ = ["KEPT", "Oversize"]
