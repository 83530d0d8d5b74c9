"""The recording app, whose host.json allows a function one second."""

from tests.integration.function_apps.recording.function_app import app as app
