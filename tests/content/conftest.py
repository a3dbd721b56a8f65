"""What tests of the works share."""

from __future__ import annotations

import pytest

from sishu.accounts.models import User
from sishu.content import writing
from sishu.content.models import ArticlePage
from sishu.content.writing import DraftValues
from tests.factories import content as make


@pytest.fixture
def draft(shen: User) -> ArticlePage:
    """A work that its writer has not handed in."""
    return writing.create(shen, "zh-hans", DraftValues(title="复盘", markdown=make.LONG_ENOUGH))
