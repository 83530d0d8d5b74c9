"""The shop's catalogue: a few products that everybody buys, and a long tail."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from backend.sample_data.assortment import CATEGORIES, SENTENCES, STYLES, Subcategory
from backend.sample_data.identifiers import UuidPool, sku_ids
from backend.sample_data.timeline import CUSTOMERS_FROM, days, microseconds, spelled

SKU_COUNT = 3_000
"""Things that can be ordered: sizes and colours of products, each at its price."""

PRODUCT_COUNT = 1_800
"""Products; one and two thirds SKUs each on average."""

_STREAM = 2
_SHELVES = [(category, shelf) for category in CATEGORIES for shelf in category.subcategories]
_LISTED_WITHIN_DAYS = 1_000
_DAY_MICROSECONDS = 86_400_000_000
# Zipf's law with Mandelbrot's shift, which keeps the first product from taking every tenth order.
_ZIPF_SHIFT = 8
_ZIPF_EXPONENT = 1.05


@dataclass(frozen=True, slots=True)
class SkuRecord:
    """What a Bronze record says of the thing ordered, as JSON."""

    sku_id: str
    price_cents: int
    category: orjson.Fragment
    subcategory: orjson.Fragment
    product: orjson.Fragment
    products_sku: orjson.Fragment


class Catalogue:
    """All products of one seed.

    Attributes:
        skus: what can be ordered, the most popular first.
        price_cents: the prices of `skus`.
    """

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([seed, _STREAM])
        shelves = _Shelves(rng)
        products = _Products(rng, shelves)
        self.skus = _skus(rng, shelves, products)
        self.price_cents = np.array([sku.price_cents for sku in self.skus])
        weights = 1 / (np.arange(SKU_COUNT) + 1 + _ZIPF_SHIFT) ** _ZIPF_EXPONENT
        self._popularity = np.cumsum(weights / weights.sum())

    def choose(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """Places in `skus` of what somebody orders, the popular ones more often."""
        return np.minimum(np.searchsorted(self._popularity, rng.random(count)), SKU_COUNT - 1)


@lru_cache(maxsize=2)
def catalogue(seed: int) -> Catalogue:
    """The catalogue of a seed; about 40 ms the first time."""
    return Catalogue(seed)


class _Shelves:
    """Categories and subcategories as JSON, in the order of `_SHELVES`."""

    def __init__(self, rng: np.random.Generator) -> None:
        category_ids = UuidPool(rng, len(CATEGORIES))
        shelf_ids = UuidPool(rng, len(_SHELVES))
        created, deleted = _life_times(rng, len(_SHELVES))
        words = rng.integers(0, len(SENTENCES), len(_SHELVES)).tolist()
        self.ids = [f"subcategory_id-{shelf_ids[place]}" for place in range(len(_SHELVES))]
        self.categories: list[orjson.Fragment] = []
        self.subcategories: list[orjson.Fragment] = []
        for place, (category, shelf) in enumerate(_SHELVES):
            category_id = f"category_id-{category_ids[CATEGORIES.index(category)]}"
            first = next(at for at, (other, _) in enumerate(_SHELVES) if other is category)
            self.categories.append(
                _entity(
                    {"id": category_id, "name": category.name},
                    f"{SENTENCES[words[first]]} {category.pitch}",
                    (created[first], deleted[first]),
                )
            )
            self.subcategories.append(
                _entity(
                    {"id": self.ids[place], "parent_id": category_id, "name": shelf.name},
                    f"{SENTENCES[words[place] - 1]} {category.pitch}",
                    (created[place], deleted[place]),
                )
            )


class _Products:
    """Products as JSON; `shelves` says on which shelf each of them is."""

    def __init__(self, rng: np.random.Generator, shelves: _Shelves) -> None:
        self.shelves: list[int] = rng.integers(0, len(_SHELVES), PRODUCT_COUNT).tolist()
        ids = UuidPool(rng, PRODUCT_COUNT)
        self.ids = [f"product_id-{ids[place]}" for place in range(PRODUCT_COUNT)]
        created, deleted = _life_times(rng, PRODUCT_COUNT)
        draws = rng.integers(0, 1_000_000, (PRODUCT_COUNT, 4)).tolist()
        self.products = [
            _entity(
                {"id": self.ids[place], "name": _product_name(shelf, style, thing, model)},
                f"{SENTENCES[words % len(SENTENCES)]} {category.pitch}",
                (created[place], deleted[place]),
                category_id=shelves.ids[self.shelves[place]],
            )
            for place, (style, thing, model, words) in enumerate(draws)
            for category, shelf in [_SHELVES[self.shelves[place]]]
        ]


def _product_name(shelf: Subcategory, style: int, thing: int, model: int) -> str:
    return f"{STYLES[style % len(STYLES)]} {shelf.things[thing % len(shelf.things)]} {model % 9_000 + 1_000}"


def _skus(rng: np.random.Generator, shelves: _Shelves, products: _Products) -> list[SkuRecord]:
    created, deleted = _life_times(rng, SKU_COUNT)
    owners: list[int] = rng.integers(0, PRODUCT_COUNT, SKU_COUNT).tolist()
    stocks = rng.integers(0, 10_000, SKU_COUNT).tolist()
    price_levels = rng.beta(1.1, 3.0, SKU_COUNT).tolist()
    skus = []
    for place, sku_id in enumerate(sku_ids(rng, SKU_COUNT)):
        owner = owners[place]
        shelf = products.shelves[owner]
        price_cents = _price_cents(_SHELVES[shelf][1], price_levels[place])
        entity = {
            "id": sku_id,
            "product_id": products.ids[owner],
            "price": price_cents / 100,
            "quantity": stocks[place],
            "create_time": created[place],
            "delete_time": deleted[place],
        }
        skus.append(
            SkuRecord(
                sku_id=sku_id,
                price_cents=price_cents,
                category=shelves.categories[shelf],
                subcategory=shelves.subcategories[shelf],
                product=products.products[owner],
                products_sku=orjson.Fragment(orjson.dumps(entity)),
            )
        )
    return skus


def _price_cents(shelf: Subcategory, level: float) -> int:
    """A price of the shelf, mostly ending in 99 or so as shops like it."""
    least, greatest = shelf.prices
    whole = int(least + level * (greatest - least))
    return whole * 100 + (99, 95, 49, 0)[whole % 4]


def _life_times(rng: np.random.Generator, count: int) -> tuple[list[str], list[str]]:
    listed = CUSTOMERS_FROM + microseconds(rng.integers(0, _LISTED_WITHIN_DAYS * _DAY_MICROSECONDS, count))
    return spelled(listed), spelled(listed + days(rng.integers(1_900, 3_000, count)))


def _entity(ids: dict[str, Any], description: str, life: tuple[str, str], **parent: str) -> orjson.Fragment:
    times = {"create_time": life[0], "delete_time": life[1]}
    return orjson.Fragment(orjson.dumps(ids | {"description": description} | parent | times))
