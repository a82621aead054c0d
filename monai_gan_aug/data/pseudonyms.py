"""Keyed hashes in place of patient ids.

A plain hash of a patient id can be undone by trying all ids; a keyed one only by who has the key.
The key is a file of its own, outside the data and the results: by default
``~/.config/monai_gan_aug/patient.key``, or wherever ``MONAI_GAN_AUG_KEY_FILE`` says. Whoever loses
it cannot compare new datalists with old ones; whoever publishes it publishes the patient ids.
"""

import hashlib
import hmac
import logging
import os
import secrets
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from monai_gan_aug.errors import DataError

__all__ = ["KEY_FILE_VARIABLE", "PatientKey", "default_key_file"]

KEY_FILE_VARIABLE = "MONAI_GAN_AUG_KEY_FILE"
KEY_BYTES = 32
logger = logging.getLogger(__name__)


def default_key_file() -> Path:
    """Where the key lives unless told otherwise."""
    if named := os.environ.get(KEY_FILE_VARIABLE):
        return Path(named).expanduser()
    config = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(config).expanduser() / "monai_gan_aug" / "patient.key"


@dataclass(frozen=True)
class PatientKey:
    """The secret that turns patient ids into pseudonyms.

    Args:
        secret: At least 16 bytes.

    Example:
        >>> key = PatientKey(b"0123456789abcdef")
        >>> key.pseudonym("Jane Roe") == key.pseudonym(" Jane Roe ")
        True
        >>> len(key.pseudonym("Jane Roe"))
        16
    """

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) < 16:
            raise ValueError(f"`secret` must have at least 16 bytes, got {len(self.secret)}.")

    def pseudonym(self, patient: str) -> str:
        """16 hexadecimal digits for one patient id; spaces around it do not count.

        Raises:
            ValueError: If the id is empty.
        """
        if not patient.strip():
            raise ValueError("An empty patient id has no pseudonym: give each image a patient.")
        return self._digest("patient", patient.strip())

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that name the key without revealing it."""
        return self._digest("fingerprint", "")

    def _digest(self, purpose: str, text: str) -> str:
        message = f"{purpose}:{text}".encode("utf-8", "surrogateescape")
        return hmac.new(self.secret, message, hashlib.sha256).hexdigest()[:16]

    @classmethod
    def load_or_create(cls, path: Path | str | None = None) -> "PatientKey":
        """Read the key file, or make one that only its owner can read.

        Args:
            path: Key file; the default one if ``None``.

        Raises:
            DataError: If the file is there and holds no key.
        """
        path = Path(path) if path is not None else default_key_file()
        if not path.exists():
            _create(path)
        try:
            secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
            key = cls(secret)
        except ValueError as error:
            raise DataError(
                f"{path.name} holds no patient key: restore it from a backup, or delete it to get "
                "a new key (old datalists then no longer compare with new ones)."
            ) from error
        if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            logger.warning("The key file %s is open to others: chmod 600 it.", path.name)
        return key


def _create(path: Path) -> None:
    """Write a new key under ``path`` unless another process was faster."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(secrets.token_hex(KEY_BYTES) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):
            os.link(temporary, path)  # unlike a rename, never replaces a key that is in use
    finally:
        Path(temporary).unlink()
    logger.info("Made a patient key; keep %s secret and backed up.", path.name)
