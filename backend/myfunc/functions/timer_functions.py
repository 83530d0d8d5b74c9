"""What is done at intervals too short, or too small a matter, for Data Factory's pipelines."""

import logging

import azure.functions as func
import msgspec

from backend.myfunc.process_services import process_services

blueprint = func.Blueprint()  # type: ignore[no-untyped-call] # the library left it untyped

_log = logging.getLogger(__name__)


@blueprint.timer_trigger(schedule="*/15 * * * * *", arg_name="timer")
def look_after_jobs(timer: func.TimerRequest) -> None:  # noqa: ARG001 - a binding's name
    """Sweep, since somebody waits for a job whose worker is gone."""
    process_services().sweeping.step()


@blueprint.timer_trigger(schedule="0 40 3 * * *", arg_name="timer")
def clear_unfinished(timer: func.TimerRequest) -> None:  # noqa: ARG001 - a binding's name
    """Once a day, remove what killed processes have left half done."""
    _log.info("cleared: %s", msgspec.json.encode(process_services().janitor.clear()).decode())
