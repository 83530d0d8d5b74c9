"""`/openapi.json`, made from the code, and `/docs`, which shows it without anything from elsewhere."""

from importlib import resources

from flask import Blueprint, Response
from flask_openapi3.openapi import OpenAPI

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Universal AI Data Orchestrator</title>
<link rel="icon" href="/docs/assets/images/swagger.svg">
<link rel="stylesheet" href="/docs/assets/css/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<script src="/docs/assets/js/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""

_START = """SwaggerUIBundle({url: "/openapi.json", dom_id: "#docs", deepLinking: true});
"""

# Swagger UI sets styles and draws icons of its own; scripts come from here alone.
_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"


def documentation_blueprint(app: OpenAPI) -> Blueprint:
    """The document of `app` and the page that shows it."""
    assets = resources.files("flask_openapi3_swagger") / "templates" / "swagger"
    blueprint = Blueprint(
        "documentation", __name__, static_folder=str(assets), static_url_path="/docs/assets"
    )

    @blueprint.get("/openapi.json")
    def document() -> Response:
        return Response(app.json.dumps(app.api_doc), mimetype="application/json")

    @blueprint.get("/docs")
    def page() -> Response:
        return Response(_PAGE, mimetype="text/html")

    @blueprint.get("/docs/start.js")
    def start() -> Response:
        return Response(_START, mimetype="text/javascript")

    @blueprint.after_request
    def allow_own_scripts(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _POLICY
        return response

    return blueprint
