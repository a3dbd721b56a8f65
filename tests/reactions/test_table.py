"""The table and the schedule themselves."""

from __future__ import annotations

from sishu.reactions.schedule import SCHEDULE
from sishu.reactions.table import TABLE


def test_names_are_unique_where_the_database_goes_by_them():
    assert len({kind.__name__ for kind in TABLE}) == len(TABLE)
    for reactions in TABLE.values():
        assert len({reaction.__name__ for reaction in reactions}) == len(reactions)
    assert len({entry.name for entry in SCHEDULE}) == len(SCHEDULE)
