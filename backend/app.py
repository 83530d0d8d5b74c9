"""The Flask application. There is no state in this module: `create_app` makes everything."""

from typing import TYPE_CHECKING

from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI
from werkzeug.middleware.proxy_fix import ProxyFix

import backend
from backend.console.blueprint import console_blueprint
from backend.console.formats import install_formats
from backend.console.session import install_sessions
from backend.routes.accounts import credentials, tokens
from backend.routes.authentication import SECURITY_SCHEMES, install_authentication
from backend.routes.credential_limits import install_credential_limits
from backend.routes.cross_origin import install_cross_origin
from backend.routes.data import data
from backend.routes.datasets import datasets
from backend.routes.documentation import documentation_blueprint
from backend.routes.errors import ErrorAnswer, register_error_handlers, validation_error_response
from backend.routes.event_streams import install_event_streams
from backend.routes.frontend import frontend
from backend.routes.health import health
from backend.routes.jobs import jobs
from backend.routes.json_bodies import GREATEST_JSON_BODY, ApiRequest, StrictJson
from backend.routes.metrics import METRICS_SECURITY_SCHEMES, metrics
from backend.routes.notifications import notifications
from backend.routes.request_log import install_request_log
from backend.routes.request_services import install_services
from backend.routes.security_headers import install_security_headers
from backend.settings import Settings

if TYPE_CHECKING:
    from backend.bootstrap import Services


class Api(OpenAPI):
    """Flask with our reading of JSON, and an OpenAPI 3.1 document made from the routes."""

    request_class = ApiRequest
    json_provider_class = StrictJson


def create_app(settings: Settings, services: "Services") -> Api:
    """The application over these services. It connects to nothing before a request needs it.

    Raises:
        InvalidSettings: the settings describe no service that can start.
    """
    settings.require_database_url()
    app = Api(
        "backend",
        info=Info(
            title="Universal AI Data Orchestrator",
            version=backend.__version__,
            description="Cleans order data, and says what it did to every record.",
        ),
        security_schemes=SECURITY_SCHEMES | METRICS_SECURITY_SCHEMES,
        doc_ui=False,
        static_folder=None,
        validation_error_status=400,
        validation_error_model=ErrorAnswer,
        validation_error_callback=validation_error_response,
    )
    app.config["MAX_CONTENT_LENGTH"] = GREATEST_JSON_BODY
    app.url_map.merge_slashes = False
    install_request_log(app)
    install_cross_origin(app, settings.cors_origins)
    install_security_headers(app, local=settings.local)
    install_services(app, services)
    install_authentication(app, settings)
    register_error_handlers(app)
    for blueprint in (credentials, tokens, data, jobs, frontend, datasets, notifications, health, metrics):
        app.register_api(blueprint)
    app.register_blueprint(documentation_blueprint(app))
    install_event_streams(app, settings)
    install_sessions(app, settings)
    install_formats(app)
    app.register_blueprint(console_blueprint())
    install_credential_limits(app, settings, lambda: services.attempt_counts)
    # With 0 the caller's own word for its address is not looked at.
    proxies = settings.trusted_proxy_count
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=0, x_host=0)  # type: ignore[method-assign] # Flask's own way
    return app
