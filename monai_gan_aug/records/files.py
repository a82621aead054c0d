"""Records that are files of their own: read and written in one way, with one rule for versions."""

import json
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.atomic import write_json
from monai_gan_aug.records.parsing import Misfit, parse, plain, reader

__all__ = ["FileRecord", "Record"]

R = TypeVar("R", bound="Record")
F = TypeVar("F", bound="FileRecord")
NUMBER = "schema"


class Record:
    """A frozen dataclass that goes into a file or a checkpoint: see :mod:`.parsing` for its types.

    A subclass says in ``REMEDY`` what to do about content that does not fit, and in ``ERROR``
    which error that is.
    """

    REMEDY: ClassVar[str] = "run the study again to rewrite it"
    ERROR: ClassVar[type[DataError]] = DataError

    def to_dict(self) -> dict[str, Any]:
        """The record in what JSON has."""
        content: dict[str, Any] = plain(self)
        return content

    @classmethod
    def from_dict(cls: type[R], content: object, where: str = "The record") -> R:
        """The inverse of :meth:`to_dict`.

        Args:
            content: What JSON, or a checkpoint, held.
            where: What it came from, for the error message.

        Raises:
            DataError: As :func:`monai_gan_aug.records.parsing.parse` does.
        """
        return parse(cls, content, where, remedy=cls.REMEDY, error=cls.ERROR)


class FileRecord(Record):
    """A record with a JSON file of its own, which begins with the number of its schema.

    A file of an earlier schema is read if :meth:`upgraded` can, and is refused with the way out
    otherwise; one of a later schema is always refused.

    A subclass sets:

    ``KIND``
        What the file is, such as ``"a datalist"``.
    ``SCHEMA``
        The number this version writes; it grows when the content changes.
    ``REMEDY``
        The next step when it cannot be read.
    ``MISSING``
        The next step when there is none, if another.
    ``READS_UNNUMBERED``
        Whether files looked the same before they had a number.
    ``SEAL``
        Where the record's ``sha256`` stands in the file, key by key, if it has one; a file that
        no longer matches it was edited and is refused.
    """

    KIND: ClassVar[str]
    SCHEMA: ClassVar[int] = 1
    MISSING: ClassVar[str] = ""
    READS_UNNUMBERED: ClassVar[bool] = False
    SEAL: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def upgraded(cls, content: Any, schema: int) -> Any:
        """Content of an earlier ``schema`` (0: it has no number) as this version writes it.

        Returns:
            The content, or ``None`` if such files can no longer be read.
        """
        return content if cls.READS_UNNUMBERED and schema == 0 else None

    def check(self) -> None:
        """Refuse content whose parts contradict each other, once it was read.

        Raises:
            DataError: With what contradicts what.
        """

    def save(self, path: Path | str) -> None:
        """Write the record atomically.

        Raises:
            ValueError: If a number is not finite.
        """
        content = {NUMBER: self.SCHEMA, **self.to_dict()}
        if self.SEAL:
            *outer, last = self.SEAL
            part = content
            for key in outer:
                part = part[key]
            part[last] = getattr(self, "sha256")  # noqa: B009  (only sealed records have one)
        write_json(Path(path), content)

    @classmethod
    def load(cls: type[F], path: Path | str) -> F:
        """Read and check a file.

        Raises:
            DataError: With file, place, rule and next step: if the file is missing or damaged, was
                edited or made by another version, or contradicts itself.
        """
        path = Path(path)
        kind: Any = cls
        read = reader(kind)
        content = cls._current(cls._json(path), path.name)
        try:
            seal = cls._broken_off(content)
            record = read(content)
        except Misfit as misfit:
            problem = f"{misfit.place} {misfit.problem}".strip()
            raise cls.ERROR(f"{path.name} is not {cls.KIND} ({problem}): {cls.REMEDY}.") from None
        except DataError as error:
            raise type(error)(f"{path.name}: {error}") from error
        if cls.SEAL and record.sha256 != seal:
            raise cls.ERROR(
                f"{path.name} was changed after it was written (its hash differs): {cls.REMEDY}."
            )
        try:
            record.check()
        except DataError as error:
            raise cls.ERROR(f"{path.name}: {error}") from error
        loaded: F = record
        return loaded

    @classmethod
    def load_if_sound(cls: type[F], path: Path | str) -> F | None:
        """Read a file; nothing if it is missing, damaged or of another version."""
        try:
            return cls.load(path)
        except DataError:
            return None

    @classmethod
    def _json(cls, path: Path) -> Any:
        def refuse(constant: str) -> None:
            raise ValueError(f"{constant} is not a number in JSON")

        try:
            return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
        except FileNotFoundError:
            raise DataError(f"{path.name} does not exist: {cls.MISSING or cls.REMEDY}.") from None
        except IsADirectoryError:
            raise DataError(f"{path.name} is a folder: name {cls.KIND} in it.") from None
        except OSError as error:
            reason = f"cannot be read ({error.strerror}): check its permissions"
            raise DataError(f"{path.name} {reason}.") from None
        except (ValueError, RecursionError) as error:
            raise cls.ERROR(
                f"{path.name} is not {cls.KIND} (it is not a JSON file: {error}): {cls.REMEDY}."
            ) from None

    @classmethod
    def _current(cls, content: Any, name: str) -> Any:
        """``content`` without its number, as this version writes it."""
        numbered = isinstance(content, dict) and NUMBER in content
        schema = content.pop(NUMBER) if numbered else 0
        if type(schema) is not int or schema < 0 or (numbered and schema == 0):
            raise cls.ERROR(
                f"{name} is not {cls.KIND} (schema must be a positive whole number): {cls.REMEDY}."
            )
        if schema == cls.SCHEMA:
            return content
        if schema > cls.SCHEMA:
            raise cls.ERROR(
                f"{name} was made by a newer version of this toolkit (schema {schema}, this one "
                f"reads {cls.SCHEMA}): use that version, or {cls.REMEDY}."
            )
        content = cls.upgraded(content, schema)
        if content is None:
            raise cls.ERROR(
                f"{name} is not {cls.KIND} of this version (schema {schema or 'not given'}, this "
                f"one reads {cls.SCHEMA}): {cls.REMEDY}."
            )
        return content

    @classmethod
    def _broken_off(cls, content: Any) -> str | None:
        """The seal, taken out of ``content``."""
        if not cls.SEAL:
            return None
        *outer, last = cls.SEAL
        part = content
        for depth, key in enumerate(outer):
            if not isinstance(part, dict) or key not in part:
                raise Misfit("is missing", ".".join(outer[: depth + 1]))
            part = part[key]
        if not isinstance(part, dict) or not isinstance(part.get(last), str):
            raise Misfit("is missing", ".".join(cls.SEAL))
        seal: str = part.pop(last)
        return seal
