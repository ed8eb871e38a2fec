"""The suite that every store passes: subclass StoreSuite and give it a way to open one."""

from __future__ import annotations

import pytest
from tests.store.suite_asking import Asking
from tests.store.suite_people import People
from tests.store.suite_receipts import Receipts
from tests.store.suite_taking_in import TakingIn
from tests.store.suite_understanding import Understanding
from tests.store.world import Opener

from ariane.types import Store


class StoreSuite(TakingIn, Understanding, Asking, Receipts, People):
    """What a Store must do; `open_store` and `fresh_store` are fixtures of the subclass's file.

    `open_store(**settings)` opens the one store of a test, `fresh_store()` an empty one each time.
    """

    @pytest.fixture
    def store(self, open_store: Opener) -> Store:
        return open_store()
