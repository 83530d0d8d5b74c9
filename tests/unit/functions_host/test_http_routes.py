import pytest
from werkzeug.exceptions import NotFound
from werkzeug.routing import Map

from backend.local.functions_host.errors import InvalidFunctionApp
from backend.local.functions_host.http_endpoint import to_rule
from backend.local.functions_host.triggers import HttpTrigger


def _match(route: str, path: str, prefix: str = "api") -> dict[str, object]:
    routes = Map([to_rule(HttpTrigger("work", route, ("GET",)), prefix)]).bind("127.0.0.1")
    endpoint, values = routes.match(path)
    assert endpoint == "work"
    return dict(values)


@pytest.mark.parametrize(
    ("route", "path", "values"),
    [
        ("jobs", "/api/jobs", {}),
        ("jobs/{id}", "/api/jobs/a1", {"id": "a1"}),
        ("jobs/{id:int}/parts", "/api/jobs/12/parts", {"id": 12}),
        ("files/{*rest}", "/api/files/a/b.json", {"rest": "a/b.json"}),
    ],
)
def test_a_route_template_matches_as_on_azure(route: str, path: str, values: dict[str, object]) -> None:
    assert _match(route, path) == values


def test_the_prefix_may_be_empty() -> None:
    assert _match("jobs", "/jobs", prefix="") == {}


def test_a_constraint_that_does_not_hold_is_no_match() -> None:
    with pytest.raises(NotFound):
        _match("jobs/{id:int}", "/api/jobs/a1")


@pytest.mark.parametrize("route", ["jobs/{id:regex(a)}", "jobs/{id?}", "jobs/{id:decimal}"])
def test_syntax_that_the_host_lacks_is_refused(route: str) -> None:
    with pytest.raises(InvalidFunctionApp, match="work"):
        to_rule(HttpTrigger("work", route, ("GET",)), "api")
