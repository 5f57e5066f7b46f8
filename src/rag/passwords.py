"""Who may ask: names with salted scrypt hashes of their passwords, one a line of a file."""

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rag.errors import RagError

LEAST_CHARACTERS, MOST_CHARACTERS = 8, 1_000  # of a password
# One check takes 32 MiB and about a quarter of a second (Percival and Josefsson 2016, RFC 7914).
_COST, _BLOCK, _PARALLEL = 2**15, 8, 3
_MEMORY = 64 * 2**20
_SALT, _HASH = 16, 32  # bytes
_NAME = re.compile(r"[^\s:\x00-\x1f\x7f]{1,64}")
_FORM = f"scrypt-{_COST}-{_BLOCK}-{_PARALLEL}"


@dataclass(frozen=True, slots=True)
class Secret:
    """A salted hash of a password."""

    salt: bytes
    digest: bytes

    @classmethod
    def of(cls, password: str) -> "Secret":
        """Hash a password with a fresh salt."""
        salt = os.urandom(_SALT)
        return cls(salt, _digest(password, salt))

    def matches(self, password: str) -> bool:
        """Tell whether it is the password, in a time that does not depend on how wrong it is."""
        return hmac.compare_digest(self.digest, _digest(password, self.salt))


_NOBODY = Secret(bytes(_SALT), bytes(_HASH))


@dataclass(frozen=True, slots=True)
class Passwords:
    """The secrets of those who may ask, by name."""

    secrets: Mapping[str, Secret]

    @classmethod
    def read(cls, path: Path) -> "Passwords":
        """Read a file of lines that `password_line` made; raises RagError when it cannot be read or holds another."""
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise RagError(
                f"the passwords in {path} cannot be read ({_why(error)}): make them with `rag password NAME >> {path}`"
            ) from error
        secrets: dict[str, Secret] = {}
        for number, line in enumerate(lines, start=1):
            if not line.strip() or line.startswith("#"):
                continue
            name, secret = _read_line(line.strip(), f"{path}, line {number}")
            if name in secrets:
                raise RagError(f'{path}, line {number}: "{name}" has a password already: take one of the lines out')
            secrets[name] = secret
        if not secrets:
            raise RagError(f"there is nobody in {path}: add a line with `rag password NAME >> {path}`")
        return cls(secrets)

    def accept(self, name: str, password: str) -> bool:
        """Tell whether this is the password of somebody by that name; an unknown name takes as long as a known one."""
        known = self.secrets.get(name)
        matches = (known or _NOBODY).matches(password[:MOST_CHARACTERS])
        return matches and known is not None


def check_name(name: str) -> None:
    """Raise RagError when nobody can log in with the name."""
    if not _NAME.fullmatch(name):
        raise RagError("a name has 1 to 64 characters, none of them a space, a colon or a control character")


def password_line(name: str, password: str) -> str:
    """Return the line for a file of passwords; raises RagError when the name or the password will not do."""
    check_name(name)
    if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        raise RagError(f"a password has {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters: choose another")
    secret = Secret.of(password)
    return f"{name}:{_FORM}${_text(secret.salt)}${_text(secret.digest)}"


def _read_line(line: str, place: str) -> tuple[str, Secret]:
    name, _, rest = line.partition(":")
    form, *values = rest.split("$")
    try:
        salt, digest = (base64.b64decode(value, validate=True) for value in values)
    except ValueError:
        salt = digest = b""
    if form != _FORM or not _NAME.fullmatch(name) or len(salt) != _SALT or len(digest) != _HASH:
        # The line is not repeated: it may hold a password in plain words.
        raise RagError(f"{place}: this is no line that `rag password NAME` made; make it again")
    return name, Secret(salt, digest)


def _digest(password: str, salt: bytes) -> bytes:
    words = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(words, salt=salt, n=_COST, r=_BLOCK, p=_PARALLEL, maxmem=_MEMORY, dklen=_HASH)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _why(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8"
