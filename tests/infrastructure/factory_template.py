"""The template of the data factory: as it is written, and as it is deployed with given parameters."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.infrastructure.expressions import Call, evaluate, literal_argument, parse_arm, walk

PATH = Path(__file__).parents[2] / "infrastructure" / "v1_adf_template.json"

FACTORY = "Microsoft.DataFactory/factories"

_GROUP = "/subscriptions/0/resourceGroups/orders/providers"

PARAMETERS = {
    "factoryName": "orders-factory",
    "keyVaultUrl": "https://orders-vault.vault.azure.net/",
    "functionsAppUrl": "https://orders-functions.azurewebsites.net",
    "storageAccount": "ordersbronze",
    "lakeAccount": "orderslake",
    "databricksHost": "adb-1234567890123456.7.azuredatabricks.net",
    "databricksWorkspaceId": f"{_GROUP}/Microsoft.Databricks/workspaces/w",
    "databricksJobId": "1122334455",
    "mySqlServer": "orders.mysql.database.azure.com",
    "mySqlDatabase": "orchestrator",
    "mySqlUser": "reconciliation",
    "synapseServer": "orders.sql.azuresynapse.net",
    "synapseDatabase": "warehouse",
    "actionGroupId": f"{_GROUP}/Microsoft.Insights/actionGroups/operators",
    "logAnalyticsWorkspaceId": f"{_GROUP}/Microsoft.OperationalInsights/w",
}
"""What somebody might deploy with."""


@dataclass(frozen=True)
class Resource:
    """A resource of the factory, with every ARM expression evaluated.

    Attributes:
        kind: `pipelines`, `triggers`, `datasets` or `linkedservices`.
        depends_on: the ids of the resources that are deployed before it.
    """

    kind: str
    name: str
    properties: dict[str, Any]
    depends_on: frozenset[str]

    @property
    def identity(self) -> str:
        """Its id, as `depends_on` spells it."""
        return resource_id(f"{FACTORY}/{self.kind}", PARAMETERS["factoryName"], self.name)


def written() -> dict[str, Any]:
    """The template as it is in the file."""
    template: dict[str, Any] = json.loads(PATH.read_text())
    return template


def deployed(template: dict[str, Any]) -> list[dict[str, Any]]:
    """Every resource with its ARM expressions evaluated. Raises ExpressionError or KeyError."""
    functions = _arm_functions(template)
    resources: list[dict[str, Any]] = _evaluated(template["resources"], functions)
    return resources


def of_the_factory(template: dict[str, Any]) -> list[Resource]:
    """The pipelines, triggers, datasets and linked services."""
    return [
        Resource(
            each["type"].removeprefix(f"{FACTORY}/"),
            each["name"].partition("/")[2],
            each["properties"],
            frozenset(each["dependsOn"]),
        )
        for each in deployed(template)
        if each["type"].startswith(f"{FACTORY}/")
    ]


def named_of(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """The properties of each resource of a kind, by its name."""
    return {each.name: each.properties for each in of_the_factory(template) if each.kind == kind}


def resource_id(kind: str, *names: str) -> str:
    """A resource's id within its group."""
    provider, *types = kind.split("/")
    return "/".join([provider, *(piece for pair in zip(types, names, strict=True) for piece in pair)])


def inner_activities(activity: dict[str, Any]) -> list[dict[str, Any]]:
    """What a container holds; nothing of any other activity."""
    properties = activity["typeProperties"]
    return [
        inner
        for key in ("activities", "ifTrueActivities", "ifFalseActivities")
        for inner in properties.get(key, [])
    ]


def all_activities(activities: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The activities and all within them."""
    for each in activities:
        yield each
        yield from all_activities(inner_activities(each))


def texts_in(value: Any) -> Iterator[str]:
    """Every string below a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts_in(each)


def used_parameters(template: dict[str, Any]) -> set[str]:
    """The names of all parameters that are asked for."""
    return {
        literal_argument(call)
        for text in texts_in([template["resources"], template["outputs"], template["parameters"]])
        if (expression := parse_arm(text)) is not None
        for call in walk(expression)
        if isinstance(call, Call) and call.name == "parameters"
    }


def _arm_functions(template: dict[str, Any]) -> dict[str, Callable[..., Any]]:
    def parameter(name: str) -> Any:
        declared = template["parameters"][name]
        if name in PARAMETERS:
            return PARAMETERS[name]
        return _evaluated(declared["defaultValue"], functions)

    functions: dict[str, Callable[..., Any]] = {
        "concat": lambda *texts: "".join(texts),
        "empty": lambda value: not value,
        "environment": lambda: {"suffixes": {"storage": "core.windows.net"}},
        "not": lambda value: not value,
        "parameters": parameter,
        "resourceGroup": lambda: {"location": "westeurope"},
        "resourceId": resource_id,
    }
    return functions


def _evaluated(value: Any, functions: dict[str, Callable[..., Any]]) -> Any:
    if isinstance(value, str):
        expression = parse_arm(value)
        return value if expression is None else evaluate(expression, functions)
    if isinstance(value, dict):
        return {key: _evaluated(each, functions) for key, each in value.items()}
    if isinstance(value, list):
        return [_evaluated(each, functions) for each in value]
    return value
