"""Data Factory's resources through the models of Microsoft's own library, and what those find wrong."""

import logging
from collections.abc import Iterator
from typing import Any, ClassVar

from azure.mgmt.datafactory import models
from azure.mgmt.datafactory._serialization import Deserializer, Model

_RESOURCES = {
    "pipelines": "PipelineResource",
    "triggers": "TriggerResource",
    "datasets": "DatasetResource",
    "linkedservices": "LinkedServiceResource",
}


class DatabricksJobActivity(models.ExecutionActivity):
    """As azure-mgmt-datafactory 9.3.0 has it; in 9.2.0 it is missing."""

    _validation: ClassVar = {**models.ExecutionActivity._validation, "job_id": {"required": True}}
    _attribute_map: ClassVar = {
        **models.ExecutionActivity._attribute_map,
        "job_id": {"key": "typeProperties.jobId", "type": "object"},
        "job_parameters": {"key": "typeProperties.jobParameters", "type": "{object}"},
    }

    def __init__(self, *, job_id: Any = None, job_parameters: Any = None, **others: Any) -> None:
        super().__init__(**others)
        self.type = "DatabricksJob"
        self.job_id = job_id
        self.job_parameters = job_parameters


_CLASSES = {name: each for name, each in vars(models).items() if isinstance(each, type)}
_CLASSES["DatabricksJobActivity"] = DatabricksJobActivity
models.ExecutionActivity._subtype_map["type"].setdefault("DatabricksJob", "DatabricksJobActivity")

# What the library falls back to when it does not know a type.
_UNTYPED = {
    models.Activity,
    models.ControlActivity,
    models.ExecutionActivity,
    models.CopySource,
    models.Dataset,
    models.DatasetLocation,
    models.LinkedService,
    models.SecretBase,
    models.Trigger,
}


def model_faults(kind: str, name: str, properties: dict[str, Any]) -> Iterator[str]:
    """What the library's models miss in a resource, do not know, or find out of bounds."""
    # It says on a log what this says in a fault.
    logging.getLogger("azure.mgmt.datafactory._serialization").setLevel(logging.ERROR)
    written = {"properties": properties}
    model = Deserializer(_CLASSES)(_RESOURCES[kind], written)
    yield from _faults(model, f"{kind}/{name}")
    for path in _lost(written, model.serialize(keep_readonly=True), f"{kind}/{name}"):
        yield f"{path} is a field that nobody knows"


def _faults(model: Model, path: str) -> Iterator[str]:
    if type(model) in _UNTYPED:
        yield f"{path} is of no known type"
    for attribute, bounds in model._validation.items():
        yield from _out_of_bounds(getattr(model, attribute), bounds, f"{path}.{attribute}")
    for field in getattr(model, "additional_properties", None) or {}:
        yield f"{path}.{field} is a field that nobody knows"
    for attribute in model._attribute_map:
        if attribute != "additional_properties":
            yield from _faults_below(getattr(model, attribute, None), f"{path}.{attribute}")


def _out_of_bounds(value: Any, bounds: dict[str, Any], path: str) -> Iterator[str]:
    if bounds.get("required") and value is None:
        yield f"{path} is missing"
    if isinstance(value, int) and not bounds.get("minimum", value) <= value <= bounds.get("maximum", value):
        yield f"{path} is out of bounds: {value}"


def _faults_below(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Model):
        yield from _faults(value, path)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _faults_below(each, f"{path}.{key}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _faults_below(each, f"{path}[{number}]")


def _lost(written: Any, known: Any, path: str) -> Iterator[str]:
    """The fields that the models have dropped."""
    if isinstance(written, dict):
        for key, value in written.items():
            if key in known:
                yield from _lost(value, known[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
    elif isinstance(written, list):
        for number, (value, other) in enumerate(zip(written, known, strict=True)):
            yield from _lost(value, other, f"{path}[{number}]")
