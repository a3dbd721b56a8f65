"""Shapes shared by many models, and the keys of sealed cells."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from sishu.core import clock
from sishu.core.errors import DomainError


class Timestamped(models.Model):
    """Rows that know when they came and when they last changed."""

    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("last changed"), auto_now=True)

    class Meta:
        abstract = True


class WrongStatus(DomainError):
    """A row is not in a status from which this move exists."""

    code = "wrong_status"


class Stateful(models.Model):
    """A row whose `status` moves along named arrows, each by one conditional UPDATE."""

    # from → the statuses that may follow it
    MOVES: ClassVar[dict[str, frozenset[str]]] = {}

    class Meta:
        abstract = True

    def move_to(self, status: str, **values: Any) -> None:
        """Move to `status` and set `values`, if the database still has the status this object was read with.

        Raises WrongStatus when the arrow does not exist, or another process moved the row first.
        """
        before: str = self.status  # type: ignore[attr-defined]
        if status not in self.MOVES.get(before, frozenset()):
            raise WrongStatus(f"{self._meta.verbose_name} {self.pk} is {before}; it cannot become {status}.")
        values = {"status": status, **values}
        if isinstance(self, Timestamped):
            values.setdefault("updated_at", clock.now())
        if not self._update_from(before, values):
            raise WrongStatus(f"{self._meta.verbose_name} {self.pk} is no longer {before}; read it again.")
        for name, value in values.items():
            setattr(self, name, value)

    def _update_from(self, before: str, values: dict[str, Any]) -> bool:
        """Write plain values if the row still has that status. By hand: the ORM builds this for longer than it runs."""
        columns = {field.name: field for field in self._meta.concrete_fields}
        quote = connection.ops.quote_name
        changes = ", ".join(f"{quote(str(columns[name].column))} = %s" for name in values)
        plain = {name: value.pk if isinstance(value, models.Model) else value for name, value in values.items()}
        params = [columns[name].get_db_prep_save(value, connection) for name, value in plain.items()]
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {quote(self._meta.db_table)} SET {changes} WHERE id = %s AND status = %s",  # noqa: S608  our names
                [*params, self.pk, before],
            )
            return bool(cursor.rowcount)


class SubjectKey(models.Model):
    """The key of all that is sealed for one subject, itself wrapped. sishu.core.crypto makes, opens and deletes it."""

    subject = models.CharField(_("subject"), max_length=80, unique=True)
    kek_version = models.PositiveSmallIntegerField(_("version of the wrapping key"))
    wrapped = models.BinaryField(_("wrapped key"), max_length=60)
    created_at = models.DateTimeField(_("created at"), default=clock.now)

    class Meta:
        verbose_name = _("subject’s key")
        verbose_name_plural = _("subjects’ keys")

    def __str__(self) -> str:
        return self.subject
