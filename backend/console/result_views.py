"""What a job wrote: pictures of its quality and its Gold, the first rows of its tables, and downloads."""

from flask import Blueprint, Response, make_response, render_template

from backend.console.charts import gold_charts, quality_charts
from backend.console.session import require_session
from backend.routes.authentication import current_user_id
from backend.routes.jobs import GREATEST_PREVIEW, TableFormat, table_download
from backend.routes.request_services import services

_PRODUCTS = 10
_COUNTRIES = 12

results = Blueprint("results", __name__, url_prefix="/console/jobs/<job_id>")
results.before_request(require_session)


@results.get("/quality")
def quality(job_id: str) -> Response:
    """The quality report, and Gold at a glance."""
    user_id, own = current_user_id(), services()
    metrics = own.reporting.quality(user_id, job_id)
    orders, products, users = (
        own.reporting.output(user_id, job_id, table)
        for table in ("fact_orders", "agg_product_metrics", "dim_users")
    )
    figures = own.gold_figures.read(
        orders, products, users, most_products=_PRODUCTS, most_countries=_COUNTRIES
    )
    return make_response(
        render_template(
            "console/quality.html",
            job=own.reporting.job(user_id, job_id),
            metrics=metrics,
            quality_charts=quality_charts(metrics),
            gold_charts=gold_charts(figures),
        )
    )


@results.get("/tables/<table>")
def table(job_id: str, table: str) -> Response:
    """The first rows of a table."""
    user_id, own = current_user_id(), services()
    report = own.reporting.report(user_id, job_id)
    preview = own.tables.preview(own.reporting.output(user_id, job_id, table), GREATEST_PREVIEW)
    return make_response(
        render_template(
            "console/table.html", job=report.job, outputs=report.outputs, table=table, preview=preview
        )
    )


@results.get("/tables/<table>/<any(csv, parquet):kind>")
def download(job_id: str, table: str, kind: str) -> Response:
    """A whole table."""
    return table_download(current_user_id(), job_id, table, TableFormat(kind))
