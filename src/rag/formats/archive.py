"""The ZIP archives that DOCX and EPUB files are, looked at before anything in them is unpacked."""

import io
import zipfile
import zlib

from rag.formats.extracted import Limits, UnreadableError

_SMALL = 10_000_000


def open_archive(data: bytes, limits: Limits) -> zipfile.ZipFile:
    """Return the archive; raises UnreadableError when it is none, or when it would unpack to too much."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise UnreadableError("it is cut short or damaged (it is no whole ZIP archive); get it again") from error
    entries = archive.infolist()
    if len(entries) > limits.entries:
        raise UnreadableError(f"it holds {len(entries):,} files, and {limits.entries:,} is the limit; divide it")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > limits.unpacked_bytes:
        raise UnreadableError(
            f"it unpacks to {unpacked:,} bytes, and {limits.unpacked_bytes:,} is the limit; divide it"
        )
    if unpacked > _SMALL and unpacked > limits.ratio * len(data):
        raise UnreadableError(f"it unpacks to over {limits.ratio} times its size, as a trap does; remove it")
    if any(entry.flag_bits & 1 for entry in entries):
        raise UnreadableError("it is encrypted; save it without a password")
    return archive


def read_member(archive: zipfile.ZipFile, name: str) -> bytes | None:
    """Return the content of one file; None when there is no such file. Raises UnreadableError when it is damaged."""
    try:
        return archive.read(name)
    except KeyError:
        return None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError) as error:
        raise UnreadableError("it is damaged inside; get it again") from error
