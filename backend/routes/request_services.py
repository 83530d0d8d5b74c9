"""The services of the application that handles the present request."""

from typing import TYPE_CHECKING, cast

from flask import Flask, current_app

if TYPE_CHECKING:
    from backend.bootstrap import Services

_EXTENSION = "orchestrator"


def install_services(app: Flask, services: "Services") -> None:
    """Let the routes of `app` find their services."""
    app.extensions[_EXTENSION] = services


def services() -> "Services":
    """What the routes call."""
    return cast("Services", current_app.extensions[_EXTENSION])
