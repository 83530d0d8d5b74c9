"""What a new worker does before its first message, so that no job waits for an import."""

from datetime import UTC, datetime

import azure.functions as func
from azure.functions.warmup import WarmUpContext

from backend.myfunc.process_services import process_services

blueprint = func.Blueprint()  # type: ignore[no-untyped-call] # the library left it untyped


# Azure calls a function with a warm-up trigger only under the name "warmup".
@blueprint.warm_up_trigger(arg_name="context")
def warmup(context: WarmUpContext) -> None:  # noqa: ARG001 - a binding's name and type are fixed
    """Build the services, and clean a few sample records: first use is what loads tables and kernels."""
    services = process_services()
    _ = services.cleaning, services.generation, services.poisoning, services.loading
    _clean_sample_records()


def _clean_sample_records() -> None:
    # Here and not above: the import of the app must not wait for these.
    from backend.sample_data.generator import generate_chunk
    from backend.transformations.bronze import BronzePart
    from backend.transformations.order_lines import ORDER_LINES
    from backend.transformations.pandas_transforms import PandasTransformer

    sample = generate_chunk(seed=1, first_record=0, record_count=100, error_rate=0.1)
    transformer = PandasTransformer(ORDER_LINES, datetime.now(UTC))
    transformer.transform_to_gold(transformer.transform_to_silver([BronzePart("sample.json", sample)]).silver)
