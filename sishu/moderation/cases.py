"""Opening files and deciding them."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from sishu.accounts.models import User
from sishu.core import clock
from sishu.core.models import WrongStatus
from sishu.moderation.models import Case, Decision


def open(
    *,
    ref: str,
    kind: str,
    findings: list[dict[str, Any]] | None = None,
    note: str = "",
    code: str = "",
    data: dict[str, Any] | None = None,
) -> Case:
    """The open case of this kind about `ref`: the one there is, with what is new about it, or a new one.

    `code` and `data` say in no language what is known; `note` is somebody's words.
    """
    key = f"{kind}:{ref}"
    values = {
        "ref": ref, "kind": kind, "findings": findings or [], "note": note, "code": code, "data": data or {},
        "opened_at": clock.now(),
    }  # fmt: skip
    case = Case.objects.filter(open_key=key).first()
    if case is None:
        try:
            with transaction.atomic():
                return Case.objects.create(open_key=key, **values)
        except IntegrityError:  # another process opened it between our look and our insert
            case = Case.objects.get(open_key=key)
    if findings is not None:
        case.findings = findings
    if note:
        case.note = note
    if code:
        case.code, case.data = code, data or {}
    case.save(update_fields=["findings", "note", "code", "data"])
    return case


def find_open(*, ref: str, kind: str) -> Case | None:
    """The open case of this kind about `ref`, if there is one."""
    return Case.objects.filter(open_key=f"{kind}:{ref}").first()


def was_decided(*, ref: str, kind: str, code: str) -> bool:
    """Whether somebody has ruled on just this before."""
    return Case.objects.filter(ref=ref, kind=kind, code=code, status=Case.Status.DECIDED).exists()


def take(case: Case, who: User) -> None:
    """Somebody looks after an open case from now on, whoever did before. WrongStatus when it was decided."""
    if not Case.objects.filter(pk=case.pk, status=Case.Status.OPEN).update(owner=who):
        raise WrongStatus(_("This case was decided meanwhile."))
    case.owner = who


@transaction.atomic
def decide(case: Case, outcome: str, *, who: User | None = None, reason: str = "") -> Decision:
    """Close a case with a ruling. Raises WrongStatus when somebody has already decided it."""
    case.move_to(Case.Status.DECIDED, open_key=None)
    return Decision.objects.create(case=case, who=who, outcome=outcome, reason=reason)
