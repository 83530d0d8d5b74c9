"""Stands in for `az`: writes down every command, and keeps an inventory of what was made.

Run with az's own interpreter, which has JMESPath. Answers only the commands that the set-up uses; whether az
knows them is asked of az itself (az_parser.py). The state is in the folder RECORDER_STATE.
"""

import json
import os
import re
import sys
import zlib
from pathlib import Path

STATE = Path(os.environ["RECORDER_STATE"])
INVENTORY = STATE / "inventory.json"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUPS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
NOT_FOUND = 3

# Commands that make a resource of a type, of which the inventory keeps no more than that it stands.
MAKERS = {
    "storage account create": "Microsoft.Storage/storageAccounts",
    "keyvault create": "Microsoft.KeyVault/vaults",
    "monitor log-analytics workspace create": "Microsoft.OperationalInsights/workspaces",
    "monitor action-group create": "Microsoft.Insights/actionGroups",
}


class Missing(Exception):
    """What az tells with its status 3."""


def main(words):
    """Write the command down, do what it says to the inventory, and answer."""
    options, command = _split(words)
    with (STATE / "az.jsonl").open("a") as log:
        json.dump({"words": words, "files": _files(options)}, log)
        log.write("\n")
    if options.get("ids", options.get("id", "")) in os.environ.get("RECORDER_OUTAGE", "-").split(","):
        sys.exit("ERROR: (ServiceUnavailable) the service is out")
    if os.environ.get("RECORDER_BREAK") in words and "create" in words:
        sys.exit("ERROR: (InternalServerError) it broke")
    inventory = json.loads(INVENTORY.read_text()) if INVENTORY.exists() else _empty()
    try:
        answer = _answer(command, options, inventory)
    except Missing:
        sys.stderr.write("ERROR: (ResourceNotFound) it was not found\n")
        return NOT_FOUND
    INVENTORY.write_text(json.dumps(inventory))
    _print(answer, options)
    return 0


def _identifier(number):
    return f"00000000-0000-0000-0000-{number:012x}"


def _empty():
    return {
        "groups": [],
        "providers": [],
        "resources": {},
        "roles": [],
        "settings": {},
        "keys": {},
        "apps": [],
    }


def _split(words):
    positional, options, name = [], {}, None
    for word in words:
        if word.startswith("--"):
            name = word[2:]
            options[name] = ""
        elif name is None:
            positional.append(word)
        else:
            options[name] = f"{options[name]}\n{word}" if options[name] else word
    return options, " ".join(positional)


def _files(options):
    """What the files hold that a command was given with @."""
    return [Path(value[1:]).read_text() for value in options.values() if value.startswith("@/")]


def _json(value):
    return json.loads(Path(value[1:]).read_text() if value.startswith("@") else value)


def _answer(command, options, inventory):
    if command in MAKERS:
        _make(f"{_group(options)}/providers/{MAKERS[command]}/{options['name']}", {}, inventory)
        return {}
    return COMMANDS[command](options, inventory)


def _group(options):
    return f"{GROUPS}/{options['resource-group']}"


def _make(resource_id, content, inventory):
    if "/Microsoft.KeyVault/vaults/" in resource_id and "/secrets/" in resource_id:
        content = {}
    made = {"id": resource_id, "properties": {}} | content
    if "identity" in made:
        made["identity"]["principalId"] = _identifier(zlib.crc32(resource_id.encode()))
    if "/Microsoft.Databricks/" in resource_id:
        made["properties"]["workspaceUrl"] = "adb-1234567890123456.7.azuredatabricks.net"
    if "/Microsoft.Insights/components/" in resource_id:
        made["properties"]["ConnectionString"] = "InstrumentationKey=0"
    if resource_id.endswith("flexibleServers/shanlee-mysql"):
        made["properties"].pop("administratorLoginPassword", None)
        for name, value in (("require_secure_transport", "ON"), ("tls_version", "TLSv1,TLSv1.2")):
            _make(f"{resource_id}/configurations/{name}", {"properties": {"value": value}}, inventory)
    for setting in made["properties"].get("siteConfig", {}).get("appSettings", []):
        inventory["settings"][setting["name"]] = setting["value"]
    inventory["resources"][resource_id] = made


def _account(_options, _inventory):
    return {
        "id": SUBSCRIPTION,
        "tenantId": _identifier(2),
        "user": {"type": "user", "name": "a@example.org"},
    }


def _group_exists(options, inventory):
    return options["name"] in inventory["groups"]


def _group_create(options, inventory):
    inventory["groups"].append(options["name"])


def _provider_show(options, inventory):
    return {
        "registrationState": "Registered"
        if options["namespace"] in inventory["providers"]
        else "NotRegistered"
    }


def _provider_register(options, inventory):
    inventory["providers"].append(options["namespace"])


def _resource_show(options, inventory):
    if options["ids"] not in inventory["resources"]:
        raise Missing
    return inventory["resources"][options["ids"]]


def _resource_create(options, inventory):
    content = _json(options["properties"])
    _make(options["id"], content if "is-full-object" in options else {"properties": content}, inventory)


def _resource_patch(options, inventory):
    _resource_show(options, inventory)


def _resource_delete(options, inventory):
    del inventory["resources"][options["ids"]]


def _mysql_parameter(options, inventory):
    server = f"{_group(options)}/providers/Microsoft.DBforMySQL/flexibleServers/{options['server-name']}"
    content = {"properties": {"value": options["value"]}}
    _make(f"{server}/configurations/{options['name']}", content, inventory)


def _synapse_part(kind):
    def make(options, inventory):
        workspace = f"{_group(options)}/providers/Microsoft.Synapse/workspaces/{options['workspace-name']}"
        _make(f"{workspace}/{kind}/{options['name']}", {}, inventory)

    return make


def _settings_list(_options, inventory):
    return [{"name": name, "value": value} for name, value in inventory["settings"].items()]


def _settings_set(options, inventory):
    inventory["settings"].update(line.split("=", 1) for line in options["settings"].split("\n"))


def _keys_set(options, inventory):
    # The host can't keep keys before it may write to its storage; at first it never can.
    if not inventory["keys"].setdefault("refused", ""):
        inventory["keys"]["refused"] = "once"
        INVENTORY.write_text(json.dumps(inventory))
        sys.exit("ERROR: (InternalServerError) the host could not keep the key")
    inventory["keys"][options["key-name"]] = "functions-key-that-azure-made=="


def _keys_list(_options, inventory):
    return {"functionKeys": inventory["keys"]}


def _app_create(options, inventory):
    inventory["apps"].append(options["display-name"])
    return {"appId": _identifier(3)}


def _applications(kind):
    def found(options, inventory):
        known = inventory["apps"] if kind == "app" else inventory.get("principals", [])
        return [
            {"displayName": name, "appId": _identifier(3), "id": _identifier(4)}
            for name in known
            if name.startswith(options["display-name"])
        ]

    return found


def _principal_create(_options, inventory):
    inventory["principals"] = list(inventory["apps"])
    return {"id": _identifier(4)}


def _deployment(options, inventory):
    deployments = f"{_group(options)}/providers/Microsoft.Resources/deployments"
    _make(f"{deployments}/{options['name']}", {}, inventory)
    template = json.loads(Path(options["template-file"]).read_text())
    given = dict(line.split("=", 1) for line in options["parameters"].split("\n"))
    _check_parameters(template["parameters"], given)
    factory = f"{_group(options)}/providers/Microsoft.DataFactory/factories/{given['factoryName']}"
    _make(factory, {"identity": {}}, inventory)
    for resource in template["resources"]:
        if resource["type"].endswith("/triggers"):
            name = resource["name"].rpartition("/")[2].removesuffix("')]")
            _make(f"{factory}/triggers/{name}", {"properties": {"runtimeState": "Stopped"}}, inventory)


def _check_parameters(declared, given):
    required = {name for name, parameter in declared.items() if "defaultValue" not in parameter}
    if (
        not required <= {name for name, value in given.items() if value}
        or not given.keys() <= declared.keys()
    ):
        sys.exit(f"ERROR: parameters: {sorted(given)} where {sorted(declared)} are declared")


def _rest(options, inventory):
    path = options["url"].removeprefix("https://management.azure.com").partition("?")[0]
    trigger, _, verb = path.rpartition("/")
    inventory["resources"][trigger]["properties"]["runtimeState"] = (
        "Started" if verb == "start" else "Stopped"
    )


def _role_list(options, inventory):
    wanted = [options[name] for name in ("assignee-object-id", "role", "scope")]
    return [{"id": "an assignment"}] if wanted in inventory["roles"] else []


def _role_create(options, inventory):
    inventory["roles"].append([options[name] for name in ("assignee-object-id", "role", "scope")])


COMMANDS = {
    "account show": _account,
    "group exists": _group_exists,
    "group create": _group_create,
    "provider show": _provider_show,
    "provider register": _provider_register,
    "resource show": _resource_show,
    "resource create": _resource_create,
    "resource patch": _resource_patch,
    "resource delete": _resource_delete,
    "mysql flexible-server parameter set": _mysql_parameter,
    "synapse workspace firewall-rule create": _synapse_part("firewallRules"),
    "synapse sql pool create": _synapse_part("sqlPools"),
    "functionapp config appsettings list": _settings_list,
    "functionapp config appsettings set": _settings_set,
    "functionapp keys set": _keys_set,
    "functionapp keys list": _keys_list,
    "ad signed-in-user show": lambda *_: {"id": _identifier(5)},
    "ad app list": _applications("app"),
    "ad app create": _app_create,
    "ad app credential reset": lambda *_: {"password": "client-secret-that-azure-made"},
    "ad sp list": _applications("principal"),
    "ad sp create": _principal_create,
    "ad sp show": lambda *_: {"appId": _identifier(6), "id": _identifier(7)},
    "deployment group create": _deployment,
    "rest": _rest,
    "role assignment list": _role_list,
    "role assignment create": _role_create,
}


def _print(answer, options):
    if "query" in options:
        answer = _search(options["query"], answer)
    if options.get("output") == "none" or answer is None:
        return
    sys.stdout.write((answer if isinstance(answer, str) else json.dumps(answer)) + "\n")


def _search(query, answer):
    if re.fullmatch(r"\w+(\.\w+)*", query):
        for name in query.split("."):
            answer = (answer or {}).get(name)
        return answer
    # Here and not above: most calls need it not, and there are hundreds.
    import jmespath

    return jmespath.search(query, answer)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
