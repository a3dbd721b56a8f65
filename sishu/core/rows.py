"""Rows read and written by statements put together from their model's columns.

The ORM builds a statement for longer than it runs. Where a bench shows that this matters (docs/adr/0013), a row of a model
goes through here: the same columns and conversions, without querysets and signals. Aliases and conditions
are the caller's own words; values are parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

Row = TypeVar("Row", bound=Model)


def columns(model: type[Model], alias: str) -> str:
    """All columns of a model as a SELECT names them, in the order that `make` expects."""
    quote = _connection().ops.quote_name
    return ", ".join(f"{alias}.{quote(str(field.column))}" for field in model._meta.concrete_fields)


def for_update() -> str:
    """What ends a SELECT whose rows are locked until the transaction ends; nothing on SQLite, where one writes at a time.

    Raises TransactionManagementError outside of a transaction, where a lock would end with its own statement.
    """
    connection = _connection()
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "Rows are locked inside a transaction only; open atomic() around it."
        )
    return connection.ops.for_update_sql() if connection.features.has_select_for_update else ""


def make(model: type[Row], values: Sequence[Any]) -> Row:
    """The object that a row's values stand for, as the ORM makes it."""
    connection, names, converted = _connection(), [], []
    for field, value in zip(model._meta.concrete_fields, values, strict=True):
        column = field.cached_col
        for convert in (*connection.ops.get_db_converters(column), *field.get_db_converters(connection)):
            value = convert(value, column, connection)
        names.append(field.attname)
        converted.append(value)
    return model.from_db(connection.alias, names, converted)


def find(model: type[Row], condition: str, params: Sequence[Any]) -> Row | None:
    """The one row that fulfils a condition in SQL."""
    table = model._meta.db_table
    with _connection().cursor() as cursor:
        cursor.execute(f"SELECT {columns(model, table)} FROM {table} WHERE {condition}", params)  # noqa: S608  our names
        values = cursor.fetchone()
    return make(model, values) if values else None


def insert(row: Row) -> Row:
    """Write a new row, whose id the database gives. Raises IntegrityError; a transaction around it is then unusable."""
    connection, meta = _connection(), row._meta
    quote, returns = connection.ops.quote_name, connection.features.can_return_columns_from_insert
    fields = [field for field in meta.concrete_fields if not field.primary_key]
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]
    names, marks = ", ".join([quote(str(field.column)) for field in fields]), ", ".join(["%s"] * len(fields))
    statement = f"INSERT INTO {meta.db_table} ({names}) VALUES ({marks})"  # noqa: S608  our names
    with transaction.mark_for_rollback_on_error(connection.alias), connection.cursor() as cursor:
        cursor.execute(f"{statement} RETURNING id" if returns else statement, values)
        row.pk = cursor.fetchone()[0] if returns else cursor.lastrowid
    row._state.adding, row._state.db = False, connection.alias
    return row


def insert_if_new(row: Model) -> bool:
    """Write a new row unless a constraint refuses it; whether it was written. A transaction around it goes on.

    Outside of one it is a single statement: nothing is begun and committed for it.
    """
    try:
        with transaction.atomic() if _connection().in_atomic_block else nullcontext():
            insert(row)
    except IntegrityError:
        return False
    return True


def _connection() -> BaseDatabaseWrapper:
    # Not django.db.connection, which looks its thread's connection up for every attribute.
    return connections[DEFAULT_DB_ALIAS]
