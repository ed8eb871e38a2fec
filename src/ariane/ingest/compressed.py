"""Bytes out of plain, gzip and xz files, told apart by their first bytes; memory stays bounded."""

from __future__ import annotations

import gzip
import io
import lzma
import zlib

from ariane.ingest.source import Stream

GZIP, XZ = b"\x1f\x8b", b"\xfd7zXZ\x00"
CHUNK = 65_536

UNREADABLE = (EOFError, OSError, lzma.LZMAError, zlib.error)
"""All that reading such a stream may raise where its bytes are cut, corrupt or gone."""

XZ_MEMORY = 256 * 2**20
"""What an xz header may ask for: `xz -9` needs 65 MiB, a hostile header 4 GiB."""


def decompressed(stream: io.BufferedReader) -> Stream:
    """The bytes that were compressed, or the same bytes if they were not; it owns `stream`."""
    head = stream.peek(len(XZ))
    if head.startswith(GZIP):
        return _Gzip(stream)
    if head.startswith(XZ):
        return io.BufferedReader(_Xz(stream), CHUNK)
    return stream


class _Gzip(gzip.GzipFile):
    """A gzip stream that closes what it reads from."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._under = stream
        super().__init__(fileobj=stream, mode="rb")

    def close(self) -> None:
        super().close()
        self._under.close()


class _Xz(io.RawIOBase):
    """An xz stream under a memory limit, which the standard library's LZMAFile does not offer."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._under = stream
        self._one = self._new()

    @staticmethod
    def _new() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = b""
        while not data:
            if self._one.eof:  # another stream may follow, after padding
                rest = self._one.unused_data.lstrip(b"\0") or self._under.read(CHUNK).lstrip(b"\0")
                if not rest:
                    return 0
                self._one = self._new()
            else:
                rest = self._under.read1(CHUNK) if self._one.needs_input else b""
                if not rest and self._one.needs_input:
                    raise EOFError("the xz data ends early")
            data = self._one.decompress(rest, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._under.close()
        super().close()
