"""The Azure Functions app: every function of `functions/`, registered in one place.

Imported by the host at every start, so nothing heavy is imported here or by the functions' modules.
"""

import azure.functions as func

from backend.myfunc.functions import (
    data_generation_functions,
    large_batch_functions,
    pipeline_functions,
    small_batch_functions,
    timer_functions,
    warm_up_functions,
)
from backend.myfunc.process_services import SERVICE
from backend.telemetry.log_lines import log_json_lines

log_json_lines(SERVICE)
app = func.FunctionApp()
app.register_functions(small_batch_functions.blueprint)
app.register_functions(large_batch_functions.blueprint)
app.register_functions(pipeline_functions.blueprint)
app.register_functions(timer_functions.blueprint)
app.register_functions(data_generation_functions.blueprint)
app.register_functions(warm_up_functions.blueprint)
