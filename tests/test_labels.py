"""Everything that a form, a list, a comparison or an export of the studio can name has a name in both languages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models import AutoField, Field, Model
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext, override
from wagtail import blocks

from sishu.content.blocks import BodyBlock

OURS = [model for model in apps.get_models() if model.__module__.startswith("sishu.")]


def names_of_others(model: type[Model]) -> set[str]:
    """The fields that an abstract model of somebody else brings."""
    bases = [base for base in model.__mro__ if hasattr(base, "_meta") and not base.__module__.startswith("sishu.")]
    return {field.name for base in bases if base._meta.abstract for field in base._meta.local_fields}


def fields_of(model: type[Model]) -> Iterator[Field]:
    """The fields of ours that people may be shown: no key, no link to a parent, nothing that is kept out of every form."""
    for field in model._meta.local_fields:
        is_key = isinstance(field, AutoField) or (
            field.remote_field and getattr(field.remote_field, "parent_link", False)
        )
        is_seen = field.editable or getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
        if is_seen and not is_key and field.name not in names_of_others(model):
            yield field


def children_of(block: blocks.Block, path: str = "body") -> Iterator[tuple[str, blocks.Block]]:
    for name, child in getattr(block, "child_blocks", {}).items():
        yield f"{path}.{name}", child
        yield from children_of(child, f"{path}.{name}")


def says(label: object, language: str) -> str:
    with override(language):
        return str(label)


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_models_and_fields_are_named_in_chinese_too(model: type[Model]):
    labels = {"": model._meta.verbose_name, "(more)": model._meta.verbose_name_plural}
    labels |= {field.name: field.verbose_name for field in fields_of(model)}
    unnamed = [name for name, label in labels.items() if not isinstance(label, Promise)]
    assert unnamed == []
    alike = [name for name, label in labels.items() if says(label, "zh-hans") == says(label, "en")]
    assert alike == []


@pytest.mark.parametrize(
    ("path", "block"), children_of(BodyBlock()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_a_block_asks_for_is_named_in_chinese_too(path: str, block: blocks.Block):
    assert says(block.label, "zh-hans") != says(block.label, "en")
    assert capfirst(says(block.label, "en")) == says(block.label, "en")
    with override("zh-hans"):
        assert block.label == gettext(says(block.label, "en"))


@pytest.mark.django_db
def test_the_migrations_know_the_labels():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
