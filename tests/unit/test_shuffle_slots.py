import pytest

from backend.transformations.shuffle_slots import _spark_hash, slots


# From `SELECT hash(n)` in Spark 4.1.
@pytest.mark.parametrize(
    ("number", "spark_says"), [(0, 933211791), (1, -559580957), (2, 1765031574), (123, 85273170)]
)
def test_the_hash_is_that_of_spark(number: int, spark_says: int) -> None:
    assert _spark_hash(number) == spark_says


@pytest.mark.parametrize("tasks", [1, 2, 7, 200])
def test_each_task_has_a_number_that_leads_to_it(tasks: int) -> None:
    assert [_spark_hash(number) % tasks for number in slots(tasks)] == list(range(tasks))
