"""Hold the JSON of resources to the models of Azure's own libraries, as far as az brings them.

Run with az's own interpreter. Reads a JSON list of [type, object] from stdin, and writes a JSON list: for
each, the fields that the type's model does not know, or null for a type that az brings no model of.
"""

import json
import sys
from importlib import import_module

MODELS = {
    "Microsoft.Web/serverfarms": ("azure.mgmt.web.models", "AppServicePlan"),
    "Microsoft.Web/sites": ("azure.mgmt.web.models", "Site"),
    "Microsoft.DBforMySQL/flexibleServers": ("azure.mgmt.mysqlflexibleservers.models", "Server"),
    "Microsoft.DBforMySQL/flexibleServers/firewallRules": (
        "azure.mgmt.mysqlflexibleservers.models",
        "FirewallRule",
    ),
    "Microsoft.DBforMySQL/flexibleServers/databases": ("azure.mgmt.mysqlflexibleservers.models", "Database"),
    "Microsoft.KeyVault/vaults/secrets": ("azure.mgmt.keyvault.models", "SecretCreateOrUpdateParameters"),
    "Microsoft.Synapse/workspaces": ("azure.mgmt.synapse.models", "Workspace"),
}


def unknown_fields(resource_type, content):
    """The paths of fields that the type's model lacks, or None when there is no model."""
    if resource_type not in MODELS:
        return None
    module, name = MODELS[resource_type]
    model = getattr(import_module(module), name)
    if hasattr(model, "_attribute_map"):
        known = model.deserialize(json.loads(json.dumps(content))).serialize(keep_readonly=True)
        return _missing(content, known, "")
    return _unknown(model._deserialize(content, []), content, "")


def _missing(given, kept, path):
    """What a model lost that reads what it knows and writes it again."""
    if isinstance(given, dict):
        return [
            lost
            for name, value in given.items()
            for lost in (
                _missing(value, kept[name], f"{path}/{name}") if name in kept else [f"{path}/{name}"]
            )
        ]
    return [] if given == kept else [path]


def _unknown(read, given, path):
    """What a model keeps without knowing it."""
    if isinstance(given, list):
        return [lost for one, other in zip(read, given, strict=True) for lost in _unknown(one, other, path)]
    fields = getattr(read, "_attr_to_rest_field", None)
    if fields is None:
        return []
    attributes = {field._rest_name: attribute for attribute, field in fields.items()}
    return [
        lost
        for name, value in given.items()
        for lost in (
            _unknown(getattr(read, attributes[name]), value, f"{path}/{name}")
            if name in attributes
            else [f"{path}/{name}"]
        )
    ]


if __name__ == "__main__":
    json.dump([unknown_fields(*resource) for resource in json.load(sys.stdin)], sys.stdout)
