"""People, and the keys their programs use."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sishu.accounts import names


class People(UserManager["User"]):
    """Finds a person by any spelling of the user name."""

    use_in_migrations = False

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(username_key=names.key(username or ""))


class User(AbstractUser):
    """A person of the house: reader, creator, reviewer, owner."""

    username = models.CharField(
        _("user name"),
        max_length=names.MAX_LENGTH,
        unique=True,
        validators=names.VALIDATORS,
        help_text=_("3 to 30 letters or digits; . _ - are fine too."),
        error_messages={"unique": _("This user name is taken. Choose another one.")},
    )
    # Casefolding may make a name longer (ß → ss). A stored key, because not every database has functional indexes.
    username_key = models.CharField(max_length=names.MAX_LENGTH * 4, unique=True, editable=False)
    email = models.EmailField(_("e-mail"), unique=True, error_messages={"unique": _("This e-mail address is taken.")})
    display_name = models.CharField(
        _("display name"), max_length=60, blank=True, help_text=_("Shown to others. Empty: your user name.")
    )
    language = models.CharField(
        _("language"), max_length=12, blank=True, choices=settings.LANGUAGES, help_text=_("For pages and messages.")
    )

    objects: ClassVar[People] = People()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")

    @property
    def name(self) -> str:
        """What others call this person."""
        return self.display_name or self.username

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        # First, because normal form may be longer than what was typed.
        self._settle_spelling()
        super().clean_fields(exclude)

    def clean(self) -> None:
        super().clean()
        # Forms do not show the key, so they would not check it.
        if User.objects.filter(username_key=self.username_key).exclude(pk=self.pk).exists():
            raise ValidationError({"username": User._meta.get_field("username").error_messages["unique"]})

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        self._settle_spelling()
        if update_fields is not None and "username" in update_fields:
            update_fields = {*update_fields, "username_key"}
        super().save(*args, update_fields=update_fields, **kwargs)

    def _settle_spelling(self) -> None:
        self.username = names.normal(self.username)
        self.username_key = names.key(self.username)
        self.email = self.email.lower()


class ApiToken(models.Model):
    """A key with which a person's program speaks for them. Only its hash is kept."""

    class Scope(models.TextChoices):
        READ = "read", _("read")
        WRITE = "write", _("read and write")

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens", verbose_name=_("user"))
    name = models.CharField(_("name"), max_length=60, help_text=_("What it is for, such as “backup script”."))
    digest = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(_("begins with"), max_length=16, editable=False)
    scope = models.CharField(pgettext_lazy("a token", "may"), max_length=8, choices=Scope.choices, default=Scope.READ)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    expires_at = models.DateTimeField(_("ends"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
