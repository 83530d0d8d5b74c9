"""`python -m backend.local.stack`: the whole service on one machine, until Ctrl-C."""

import argparse
import shlex
import signal
import sys
from pathlib import Path

from backend.local import azurite
from backend.local.addresses import LAST_PORT, PORTS_IN_A_ROW, Addresses
from backend.local.signals import SignalWaiter, stop_signals
from backend.local.stack_errors import StackFailed
from backend.local.stack_programs import StackPrograms
from backend.local.state_directory import StateDirectory
from backend.local.supervisor import StopRequested, Supervisor

_DEFAULT_PORT = 5000
_DEFAULT_STATE = Path(__file__).resolve().parents[2] / ".state"


def main() -> int:
    """Run the stack as the command line says; the exit status.

    0 after a stop that was asked for, or when the demo of `--once` ended well; 1 when something failed.
    """
    options = _options()
    waiter = SignalWaiter()
    supervisor = Supervisor(waiter, _say)
    state = StateDirectory(options.state)
    try:
        with state.locked():
            Addresses(options.port).require_free()
            _install_azurite()
            waiter.listen()
            try:
                return _run(supervisor, StackPrograms(Addresses(options.port), state), options)
            except StopRequested:
                _say("\nStopping ...")
                # With --once the demo was to end by itself, and has not.
                return int(options.once)
            finally:
                supervisor.stop()
    except StackFailed as error:
        sys.stderr.write(f"start: {error}\n")
    except KeyboardInterrupt:
        sys.stderr.write("\nstart: stopped before anything was started\n")
    return 1


def _install_azurite() -> None:
    # Until the parts run, every signal that means "stop" ends npm and this process as Ctrl-C does.
    for number in stop_signals():
        signal.signal(number, signal.default_int_handler)
    azurite.install()


def _run(supervisor: Supervisor, programs: StackPrograms, options: argparse.Namespace) -> int:
    programs.start_all(supervisor)
    _say(_overview(programs))
    if options.demo:
        status = supervisor.run(programs.demo())
        if options.once:
            return status
    _say("\nThe stack is running. Ctrl-C stops it.")
    supervisor.watch()
    return 0


def _overview(programs: StackPrograms) -> str:
    addresses, state = programs.addresses, programs.state
    lines = (
        ("console", f"{addresses.api_url}/"),
        ("API", addresses.api_url),
        ("docs", f"{addresses.api_url}/docs"),
        ("blob, lake", addresses.account_url(addresses.lake)),
        ("queues", addresses.account_url(addresses.queue)),
        ("tables", addresses.account_url(addresses.table)),
        ("Functions", f"http://127.0.0.1:{addresses.functions}"),
        ("Spark", f"http://127.0.0.1:{addresses.spark}/status"),
        ("warehouse", str(state.warehouse_file)),
        ("logs", str(state.logs)),
    )
    table = "\n".join(f"  {name:<11} {address}" for name, address in lines)
    hint = f'export AZURE_STORAGE_CONNECTION_STRING="$(cat {shlex.quote(str(state.connection_string))})"'
    return f"Ready.\n{table}\n  for az      {hint}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="start", description="Start the whole stack on this machine.")
    parser.add_argument("--demo", action="store_true", help="clean 5,000 sample records and show the result")
    parser.add_argument("--once", action="store_true", help="with --demo: stop when the demo has ended")
    parser.add_argument(
        "--port",
        type=_port,
        default=_DEFAULT_PORT,
        help=f"of the API; the stand-ins take the {PORTS_IN_A_ROW - 1} ports after it (default: %(default)s)",
    )
    parser.add_argument(
        "--state",
        type=Path,
        default=_DEFAULT_STATE,
        metavar="DIR",
        help="where all state is kept (default: .state)",
    )
    options = parser.parse_args()
    if options.once and not options.demo:
        parser.error("--once goes with --demo")
    return options


def _port(text: str) -> int:
    highest = LAST_PORT - PORTS_IN_A_ROW + 1
    if not text.isdecimal() or not 1 <= int(text) <= highest:
        raise argparse.ArgumentTypeError(f"a port from 1 to {highest}, not {text!r}")
    return int(text)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
