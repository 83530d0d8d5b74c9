"""What is wrong with the template of the data factory, in words; nothing when it can be deployed and run."""

import re
from collections.abc import Iterator
from typing import Any

from tests.infrastructure import factory_template
from tests.infrastructure.expressions import ExpressionError
from tests.infrastructure.factory_models import model_faults
from tests.infrastructure.factory_template import Resource, texts_in
from tests.infrastructure.pipeline_faults import name_faults, names_of, pipeline_faults

_KINDS_OF_REFERENCES = {
    "LinkedServiceReference": "linkedservices",
    "DatasetReference": "datasets",
    "PipelineReference": "pipelines",
}


def faults(template: dict[str, Any]) -> list[str]:
    """Everything that is wrong; a template whose parts can't be read has only that said."""
    parameters = list(_parameter_faults(template))
    try:
        resources = factory_template.of_the_factory(template)
    except (ExpressionError, KeyError) as error:
        return [*parameters, f"the template can't be read: {error}"]
    found = [*parameters, *_reference_faults(resources, template)]
    for resource in resources:
        found += model_faults(resource.kind, resource.name, resource.properties)
        if resource.kind == "pipelines":
            found += pipeline_faults(resource)
        elif resource.kind == "datasets":
            declared = set(resource.properties.get("parameters", {}))
            found += name_faults(resource.name, "dataset", declared, names_of(resource.properties, "dataset"))
        found += [f"{resource.name}: {fault}" for fault in _secret_faults(resource.properties)]
    return found


def _parameter_faults(template: dict[str, Any]) -> Iterator[str]:
    yield from name_faults(
        "the template", "parameter", set(template["parameters"]), factory_template.used_parameters(template)
    )


def _reference_faults(resources: list[Resource], template: dict[str, Any]) -> Iterator[str]:
    """References between resources, and whether what is referred to is deployed before."""
    every = {each["type"] for each in template["resources"]}
    there = {(each.kind, each.name): each for each in resources}
    factory = factory_template.resource_id(
        factory_template.FACTORY, factory_template.PARAMETERS["factoryName"]
    )
    known = {factory} | {each.identity for each in resources}
    if factory_template.FACTORY not in every:
        yield "there is no factory"
    for resource in resources:
        yield from (f"{resource.name} waits for {each}" for each in sorted(resource.depends_on - known))
        for kind, name in _references(resource.properties):
            if (kind, name) not in there:
                yield f"{resource.name} refers to {kind}/{name}, which is not there"
            elif there[kind, name].identity not in resource.depends_on:
                yield f"{resource.name} is not deployed after {kind}/{name}"


def _references(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        if value.get("type") in _KINDS_OF_REFERENCES:
            yield _KINDS_OF_REFERENCES[value["type"]], value["referenceName"]
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


def _secret_faults(properties: dict[str, Any]) -> Iterator[str]:
    for text in texts_in(properties):
        if re.search(r"(?i)(password|pwd|accountkey|sharedaccess\w*|sig)\s*=", text):
            yield f"a secret in {text}"
    for secret in ("password", "functionKey", "accessToken", "accountKey", "sasToken", "servicePrincipalKey"):
        value = properties.get("typeProperties", {}).get(secret, {"type": "AzureKeyVaultSecret"})
        if not isinstance(value, dict) or value.get("type") != "AzureKeyVaultSecret":
            yield f"{secret} is not in the vault"
