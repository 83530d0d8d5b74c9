from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.integration.api.described_client import DescribedClient


def test_the_document_is_valid_openapi_3_1(anonymous: DescribedClient) -> None:
    assert anonymous.document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(anonymous.document).validate()


def test_the_document_describes_every_call(anonymous: DescribedClient) -> None:
    calls = {(method, path) for path, item in anonymous.document["paths"].items() for method in item}
    assert calls == {
        ("post", "/register"),
        ("post", "/login"),
        ("post", "/refresh"),
        ("post", "/upload_raw"),
        ("post", "/generate_raw"),
        ("post", "/clean_data"),
        ("get", "/routing_config"),
        ("get", "/routing_config/{pathType}"),
        ("get", "/jobs"),
        ("get", "/jobs/{jobId}"),
        ("get", "/jobs/{jobId}/events"),
        ("get", "/jobs/{jobId}/quality"),
        ("get", "/jobs/{jobId}/tables/{table}"),
        ("post", "/jobs/{jobId}/retry"),
        ("post", "/write_to_db"),
        ("get", "/get_{table}"),
        ("get", "/list_parent_jobs"),
        ("get", "/get_raw_data/{parentJobId}/{table}"),
        ("get", "/read_data_metadata/{parentJobId}"),
        ("delete", "/delete_folder/{parentJobId}"),
        ("get", "/notifications/unread"),
        ("post", "/notifications/save"),
        ("delete", "/notifications/{notificationId}"),
        ("get", "/healthz"),
        ("get", "/readyz"),
        ("get", "/metrics"),
    }


def test_the_document_says_which_calls_take_which_token(anonymous: DescribedClient) -> None:
    paths = anonymous.document["paths"]
    assert paths["/clean_data"]["post"]["security"] == [{"accessToken": []}]
    assert paths["/refresh"]["post"]["security"] == [{"refreshToken": []}]
    assert paths["/metrics"]["get"]["security"] == [{"metricsToken": []}, {}]
    assert "security" not in paths["/login"]["post"]


def test_every_upload_format_is_described(anonymous: DescribedClient) -> None:
    body = anonymous.document["paths"]["/upload_raw"]["post"]["requestBody"]
    assert {"application/json", "text/csv", "multipart/form-data"} <= set(body["content"])


def test_the_docs_load_nothing_from_elsewhere(anonymous: DescribedClient) -> None:
    page = anonymous._client.get("/docs")
    assert page.status_code == 200
    assert page.mimetype == "text/html"
    assert "//" not in page.text.replace("</", "")
    for asset in ("assets/css/swagger-ui.css", "assets/js/swagger-ui-bundle.js", "start.js"):
        assert f"/docs/{asset}" in page.text
        with anonymous._client.get(f"/docs/{asset}") as response:
            assert response.status_code == 200
            assert "script-src" not in response.headers["Content-Security-Policy"]
            assert "default-src 'self'" in response.headers["Content-Security-Policy"]
