"""Tasks for the tests of the runner. They must stand in a module: a job knows its task by its path."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django_tasks import task

CALLS: list[object] = []


@task()
def note(word: str, *, loud: bool = False) -> str:
    CALLS.append(word.upper() if loud else word)
    return word


@task(max_attempts=3)
def stumble(word: str) -> None:
    CALLS.append(word)
    raise ValueError(f"stumbled over {word}")


@task(takes_context=True)
def count_attempt(context) -> int:
    return context.attempt


@task()
async def note_later(word: str) -> None:
    CALLS.append(word)


@task()
def answer_with_a_row() -> object:
    return Group(name="not JSON")


@task()
def leave() -> None:
    raise SystemExit(3)
