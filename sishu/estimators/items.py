"""What is known of the items themselves: their words, their categories, who made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sishu.estimators.errors import InvalidInput
from sishu.estimators.interactions import Ids


@dataclass(frozen=True, eq=False)
class Items:
    """Texts by field and item: `fields["title"][i]` is the title of `ids[i]`, "" where it has none.

    A field may hold several labels parted by `|`: `labels` takes them apart.
    """

    ids: Ids
    fields: Mapping[str, Sequence[str]]

    def __post_init__(self) -> None:
        for name, texts in self.fields.items():
            if len(texts) != len(self.ids):
                raise InvalidInput(f"There are {len(self.ids)} items and {len(texts)} texts in {name!r}.")

    def aligned(self, ids: Ids) -> Items:
        """The same texts for these items, in their order; "" for an item nothing is known of."""
        found = self.ids.positions(ids)
        fields = {
            name: tuple(texts[position] if position >= 0 else "" for position in found)
            for name, texts in self.fields.items()
        }
        return Items(ids, fields)

    def labels(self, name: str) -> list[tuple[str, ...]]:
        """The labels of each item in one field. Raises InvalidInput where there is no such field."""
        if name not in self.fields:
            raise InvalidInput(f"Items have no field {name!r}; known: {', '.join(self.fields) or 'none'}.")
        return [tuple(label.strip() for label in text.split("|") if label.strip()) for text in self.fields[name]]

    @cached_property
    def has_texts(self) -> bool:
        return any(any(texts) for texts in self.fields.values())
