"""Orders in blocks: who ordered what, when, and how it was paid."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.sample_data.catalogue import catalogue
from backend.sample_data.customers import CUSTOMER_COUNT, customers
from backend.sample_data.identifiers import UuidPool
from backend.sample_data.timeline import (
    ORDERS_FROM,
    ORDERS_UNTIL,
    days,
    microseconds,
    microseconds_between,
    spelled,
)

BLOCK_RECORDS = 1_000
"""Records in a block. Parts of 2,500 cut blocks in two, so that duplicates cross from part to part."""

_STREAM = 3
_LINES_OF_AN_ORDER = (1, 2, 3, 4)
_LINES_SHARES = (0.55, 0.25, 0.13, 0.07)
_NEW_CUSTOMERS_OF_A_BLOCK = 260
# Above 1: earlier customers come back more often.
_LOYALTY = 1.3
_GREATEST_QUANTITY = 12
_STATUSES = ("Success", "Pending", "Failed", "Refunded")
_STATUS_SHARES = (0.82, 0.07, 0.05, 0.06)
_PROVIDERS = (
    "VISA 16 digit", "Mastercard", "American Express", "Discover", "PayPal", "JCB 16 digit",
    "Maestro", "Diners Club / Carte Blanche", "VISA 13 digit", "JCB 15 digit",
)  # fmt: skip
_SECOND = 1_000_000
_HOUR = 3_600 * _SECOND
_DAY = 24 * _HOUR


class OrderBlock:
    """The clean records of one block; each is built when it is asked for."""

    def __init__(self, seed: int, number: int) -> None:
        rng = np.random.default_rng([seed, _STREAM, number])
        shop = catalogue(seed)
        order_of_line = _orders_of_lines(rng)
        order_count = int(order_of_line[-1]) + 1
        chosen = shop.choose(rng, BLOCK_RECORDS)
        quantities = np.minimum(rng.geometric(0.6, BLOCK_RECORDS), _GREATEST_QUANTITY)
        buyers = _buyers(rng, number, order_count)
        known = customers(seed).records(np.unique(buyers))
        amounts = np.bincount(order_of_line, shop.price_cents[chosen] * quantities).astype(np.float64)

        self._order_of_line: list[int] = order_of_line.tolist()
        self._skus = [shop.skus[place] for place in chosen.tolist()]
        self._quantities: list[int] = quantities.tolist()
        self._buyers = [known[buyer] for buyer in buyers.tolist()]
        self._draw_payments(rng, amounts)
        self._draw_times(rng, order_of_line, order_count)
        self._payment_ids = UuidPool(rng, order_count)
        self._order_ids = UuidPool(rng, order_count)
        self._item_ids = UuidPool(rng, BLOCK_RECORDS)
        self._wishlist_ids = UuidPool(rng, BLOCK_RECORDS)

    def record(self, place: int) -> dict[str, Any]:
        """The record at a place of the block; some of its entities are JSON already."""
        number = self._order_of_line[place]
        buyer, sku = self._buyers[number], self._skus[place]
        order_id = f"order_details_id-{self._order_ids[number]}"
        payment_id = f"payment_details_id-{self._payment_ids[number]}"
        ordered, updated = self._ordered[number], self._updated[number]
        return {
            "user": buyer.user,
            "address": buyer.address,
            "category": sku.category,
            "subcategory": sku.subcategory,
            "product": sku.product,
            "products_sku": sku.products_sku,
            "wishlist": {
                "id": f"wishlist_id-{self._wishlist_ids[place]}",
                "user_id": buyer.user_id,
                "products_sku_id": sku.sku_id,
                "create_time": self._wished[place],
                "delete_time": self._unwished[place],
            },
            "payment": {
                "id": payment_id,
                "amount": self._amounts[number],
                "provider": self._providers[number],
                "status": self._statuses[number],
                "create_time": self._paid[number],
                "updated_at": updated,
            },
            "order": {
                "id": order_id,
                "user_id": buyer.user_id,
                "payment_id": payment_id,
                "create_time": ordered,
                "updated_at": updated,
            },
            "order_item": {
                "id": f"order_item_id-{self._item_ids[place]}",
                "order_id": order_id,
                "products_sku_id": sku.sku_id,
                "quantity": self._quantities[place],
                "create_time": ordered,
                "updated_at": updated,
            },
        }

    def _draw_payments(self, rng: np.random.Generator, amounts: NDArray[np.float64]) -> None:
        """Every order is paid at once: the sum of price times quantity over its lines."""
        providers = rng.integers(0, len(_PROVIDERS), len(amounts)).tolist()
        statuses = rng.choice(len(_STATUSES), len(amounts), p=_STATUS_SHARES).tolist()
        self._amounts = [round(cents) / 100 for cents in amounts.tolist()]
        self._providers = [_PROVIDERS[place] for place in providers]
        self._statuses = [_STATUSES[place] for place in statuses]

    def _draw_times(
        self, rng: np.random.Generator, order_of_line: NDArray[np.int64], order_count: int
    ) -> None:
        # Orders are updated within a month: the last ones are made a month before the two years end.
        span = microseconds_between(ORDERS_FROM, ORDERS_UNTIL) - 31 * _DAY
        ordered = ORDERS_FROM + microseconds(rng.integers(0, span, order_count))
        wished = ordered[order_of_line] - microseconds(rng.integers(_HOUR, 30 * _DAY, BLOCK_RECORDS))
        self._ordered = spelled(ordered)
        self._paid = spelled(ordered + microseconds(rng.integers(_SECOND, _HOUR, order_count)))
        self._updated = spelled(ordered + microseconds(rng.integers(_HOUR, 30 * _DAY, order_count)))
        self._wished = spelled(wished)
        self._unwished = spelled(wished + days(rng.integers(60, 400, BLOCK_RECORDS)))


def _orders_of_lines(rng: np.random.Generator) -> NDArray[np.int64]:
    """The order that each line of a block belongs to; orders don't cross from block to block."""
    sizes = rng.choice(_LINES_OF_AN_ORDER, BLOCK_RECORDS, p=_LINES_SHARES)
    return np.repeat(np.arange(BLOCK_RECORDS), sizes)[:BLOCK_RECORDS]


def _buyers(rng: np.random.Generator, block: int, count: int) -> NDArray[np.int64]:
    known = min((block + 1) * _NEW_CUSTOMERS_OF_A_BLOCK, CUSTOMER_COUNT)
    return (known * rng.random(count) ** _LOYALTY).astype(np.int64)
