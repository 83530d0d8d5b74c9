"""The set-up of Azure, against an Azure that only writes down what it is told."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from backend import lake_paths
from backend.bootstrap import table_names
from tests.infrastructure.recorded_set_up import (
    OPTIONS,
    ROOT,
    RecordedSetUp,
    command_of,
    complaints,
    is_writing,
    option,
    unknown_fields,
)

_DOCUMENT = ROOT / "docs" / "azure_setup.md"
_API_PRINCIPAL = "00000000-0000-0000-0000-00000000000a"


@dataclass(frozen=True)
class History:
    """What happened in one set-up from nothing to the started triggers."""

    empty_what_if: list[dict[str, Any]]
    first: list[dict[str, Any]]
    first_others: list[dict[str, Any]]
    second: list[dict[str, Any]]
    second_others: list[dict[str, Any]]
    after_deployment: list[dict[str, Any]]
    said: str
    inventory: dict[str, Any]
    left_behind: list[str]

    @property
    def calls(self) -> list[dict[str, Any]]:
        return [*self.empty_what_if, *self.first, *self.second, *self.after_deployment]


@pytest.fixture
def set_up(tmp_path: Path) -> RecordedSetUp:
    return RecordedSetUp(tmp_path)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    folder = tmp_path_factory.mktemp("azure")
    set_up = RecordedSetUp(folder)
    options = ("--api-principal", _API_PRINCIPAL, "--client-address", "192.0.2.1")
    said = [_ran(set_up.run("--what-if", *options))]
    empty_what_if = set_up.take_calls()
    assert set_up.take_other_calls() == []
    said.append(_ran(set_up.run(*options)))
    first, first_others = set_up.take_calls(), set_up.take_other_calls()
    said.append(_ran(set_up.run(*options)))
    second, second_others = set_up.take_calls(), set_up.take_other_calls()
    set_up.deploy_functions()
    said.append(_ran(set_up.run(*options)))
    after, inventory = set_up.take_calls(), set_up.inventory()
    left = sorted(path.name for path in folder.iterdir())
    return History(
        empty_what_if, first, first_others, second, second_others, after, "".join(said), inventory, left
    )


def _ran(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def _writing(calls: list[dict[str, Any]]) -> list[str]:
    return [" ".join(call["words"]) for call in calls if is_writing(call["words"])]


def _made(history: History, kind: str) -> list[str]:
    return sorted(name.rpartition("/")[2] for name in history.inventory["resources"] if f"{kind}/" in name)


def test_shellcheck_finds_nothing() -> None:
    checked = subprocess.run(
        [ROOT / ".venv" / "bin" / "shellcheck", "-x", "-a", "scripts/setup_v1_infrastructure.sh"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.stdout == ""
    assert checked.returncode == 0


def test_what_if_on_nothing_sends_no_writing_command(history: History) -> None:
    assert _writing(history.empty_what_if) == []
    assert "would make  Functions app shanlee-functions\n" in history.said


def test_the_first_run_makes_what_the_service_needs(history: History) -> None:
    queues = ["data-generation-queue", "large-batch-queue", "small-batch-queue"]

    assert history.inventory["groups"] == ["shanlee-orchestrator"]
    assert _made(history, "/storageAccounts/shanleequeues/queueServices/default/queues") == sorted(
        queues + [f"{queue}-poison" for queue in queues]
    )
    assert _made(history, "/storageAccounts/shanleequeues/tableServices/default/tables") == sorted(
        table_names()
    )
    assert _made(history, "/storageAccounts/shanleelake/blobServices/default/containers") == sorted(
        [lake_paths.BRONZE_CONTAINER, lake_paths.LAKE_CONTAINER]
    )
    assert _made(history, "/vaults/shanlee-vault/secrets") == [
        "database-url-api",
        "database-url-functions",
        "functions-host-key",
        "jwt-secret-key",
        "mysql-reconciliation-password",
    ]
    for part in (
        "Microsoft.Web/sites/shanlee-functions",
        "Microsoft.DBforMySQL/flexibleServers/shanlee-mysql/databases/orchestrator",
        "Microsoft.Synapse/workspaces/shanlee-synapse/sqlPools/warehouse",
        "Microsoft.Databricks/workspaces/shanlee-databricks",
        "Microsoft.DataFactory/factories/shanlee-factory",
        "Microsoft.OperationalInsights/workspaces/shanlee-logs",
        "Microsoft.Insights/components/shanlee-insights",
    ):
        assert any(name.endswith(part) for name in history.inventory["resources"]), part


def test_the_second_run_changes_nothing(history: History) -> None:
    assert _writing(history.second) == []
    assert history.second_others == []


def test_what_if_of_a_finished_set_up_finds_nothing_to_make(set_up: RecordedSetUp, history: History) -> None:
    set_up.begin_with(history.inventory)

    said = _ran(set_up.run("--what-if"))

    assert "would make" not in said
    assert _writing(set_up.take_calls()) == []


def test_the_triggers_start_once_there_are_functions_to_call(history: History) -> None:
    started = [call["words"] for call in history.after_deployment if is_writing(call["words"])]

    assert [re.sub(r".*/triggers/", "", option(words, "--url")) for words in started] == [
        "every_10_minutes/start?api-version=2018-06-01",
        "every_10_hours/start?api-version=2018-06-01",
        "every_day/start?api-version=2018-06-01",
    ]


def test_a_changed_template_is_deployed_over_stopped_triggers_which_start_again(
    set_up: RecordedSetUp, history: History
) -> None:
    set_up.begin_with(history.inventory)
    set_up.change_template()

    _ran(set_up.run())

    verbs = [
        option(call["words"], "--url").partition("?")[0].rpartition("/")[2]
        if command_of(call["words"]) == "rest"
        else command_of(call["words"])
        for call in set_up.take_calls()
        if is_writing(call["words"])
    ]
    assert verbs == [*["stop"] * 3, "deployment group create", *["start"] * 3]


def test_az_itself_knows_every_command_and_option(history: History, tmp_path: Path) -> None:
    commands = sorted({tuple(call["words"]) for call in history.calls})

    said = complaints([list(words) for words in commands], tmp_path)

    assert {" ".join(words): what for words, what in zip(commands, said, strict=True) if what} == {}


def test_az_refuses_what_is_made_up(tmp_path: Path) -> None:
    said = complaints(
        [
            ["storage", "account", "create", "--name", "a", "--resource-group", "b", "--bold", "true"],
            ["storage", "account", "create", "--resource-group", "b"],
            ["storage", "account", "invent", "--name", "a"],
            ["storage", "account", "create", "--name", "a", "--resource-group", "b", "--kind", "Bold"],
            ["storage", "account", "create", "--name", "a", "--resource-group", "b"],
        ],
        tmp_path,
    )

    assert [what is not None and what.splitlines()[0] for what in said] == [
        "unrecognized arguments: --bold true",
        "the following arguments are required: --name/-n",
        "'invent' is misspelled or not recognized by the system.",
        (
            "az storage account create: 'Bold' is not a valid value for '--kind'. Allowed values: "
            "Storage, StorageV2, BlobStorage, FileStorage, BlockBlobStorage."
        ),
        False,
    ]


def test_azures_models_know_every_field_of_what_is_made_from_json(history: History, tmp_path: Path) -> None:
    resources = [_resource(call) for call in history.first if command_of(call["words"]) == "resource create"]
    resources = [(kind, content) for kind, content in resources if content != {}]

    unknown = unknown_fields(resources, tmp_path)

    without_model = {kind for (kind, _), fields in zip(resources, unknown, strict=True) if fields is None}
    assert without_model == {"Microsoft.Insights/components", "Microsoft.Databricks/workspaces"}
    assert [fields for fields in unknown if fields] == []
    assert len(resources) == 14


def test_azures_models_find_a_field_that_is_made_up(tmp_path: Path) -> None:
    site = {"location": "here", "properties": {"functionAppConfig": {"runtime": {"bold": "python"}}}}
    workspace = {"location": "here", "properties": {"managedVirtualNetwork": "", "bold": True}}

    unknown = unknown_fields(
        [("Microsoft.Web/sites", site), ("Microsoft.Synapse/workspaces", workspace)], tmp_path
    )

    assert unknown == [["/properties/functionAppConfig/runtime/bold"], ["/properties/bold"]]


def _resource(call: dict[str, Any]) -> tuple[str, Any]:
    """A resource's type, from its id, and its JSON."""
    namespace, *rest = option(call["words"], "--id").rpartition("/providers/")[2].split("/")
    given = call["files"][0] if call["files"] else option(call["words"], "--properties")
    return "/".join([namespace, *rest[::2]]), json.loads(given)


def test_storage_takes_no_shared_key_no_old_tls_and_no_public_reader(history: History) -> None:
    accounts = [
        call["words"] for call in history.first if command_of(call["words"]) == "storage account create"
    ]

    assert [
        {name: option(words, f"--{name}") for name in ("name", "enable-hierarchical-namespace")}
        for words in accounts
    ] == [
        {"name": "shanleequeues", "enable-hierarchical-namespace": "false"},
        {"name": "shanleelake", "enable-hierarchical-namespace": "true"},
    ]
    for words in accounts:
        assert option(words, "--kind") == "StorageV2"
        assert option(words, "--min-tls-version") == "TLS1_2"
        assert option(words, "--https-only") == "true"
        assert option(words, "--allow-blob-public-access") == "false"
        assert option(words, "--allow-shared-key-access") == "false"


def test_the_functions_app_reaches_its_storage_and_its_database_without_a_secret(history: History) -> None:
    settings = history.inventory["settings"]

    assert settings == {
        "AzureWebJobsStorage__accountName": "shanleequeues",
        "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=0",
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "Authorization=AAD",
        "AZURE_STORAGE_CONNECTION_STRING__accountName": "shanleequeues",
        "AZURE_STORAGE_CONNECTION_STRING__queueServiceUri": "https://shanleequeues.queue.core.windows.net",
        "AZURE_STORAGE_CONNECTION_STRING__credential": "managedidentity",
        "ADLS_ACCOUNT": "shanleelake",
        "SMALL_BATCH_QUEUE": "small-batch-queue",
        "LARGE_BATCH_QUEUE": "large-batch-queue",
        "DATA_GENERATION_QUEUE": "data-generation-queue",
        "DATABASE_URL": "@Microsoft.KeyVault("
        "SecretUri=https://shanlee-vault.vault.azure.net/secrets/database-url-functions/)",
        "SYNAPSE_SERVER": "shanlee-synapse.sql.azuresynapse.net",
        "SYNAPSE_DATABASE": "warehouse",
        "DATABRICKS_HOST": "adb-1234567890123456.7.azuredatabricks.net",
        "DATABRICKS_JOB_ID": "4711",
    }


def test_no_secret_is_said_or_is_an_argument_of_a_program(history: History) -> None:
    secrets = _secrets(history)
    arguments = [word for call in [*history.calls, *history.first_others] for word in call["words"]]

    assert len(secrets) >= 8
    for secret in secrets:
        assert secret not in history.said
        assert not [word for word in arguments if secret in word]


def _secrets(history: History) -> set[str]:
    """Every secret that went by: from files, from stdin, and what Azure made."""
    seen = [text for call in history.calls for text in call["files"]]
    seen += [call["stdin"] for call in history.first_others]
    found = {secret for text in seen for secret in re.findall(r"A-[0-9a-f]{64}", text)}
    return found | {"functions-key-that-azure-made==", "client-secret-that-azure-made"}


def test_each_user_of_the_database_has_another_password_which_its_secret_holds(history: History) -> None:
    written = {
        option(call["words"], "--id").rpartition("/")[2]: json.loads(call["files"][0])["properties"]["value"]
        for call in history.first
        if command_of(call["words"]) == "resource create" and "/secrets/" in option(call["words"], "--id")
    }
    statements = "".join(call["stdin"] for call in history.first_others if call["program"] == "mysql")
    passwords = dict(re.findall(r"ALTER USER '(\w+)'@'%' IDENTIFIED BY '(.+)' REQUIRE SSL;", statements))

    assert sorted(passwords) == ["orchestrator_api", "orchestrator_functions", "orchestrator_reconciliation"]
    assert len(set(passwords.values())) == 3
    assert set(re.findall(r"TO '(\w+)'@'%'", statements)) == passwords.keys()
    address = (
        "shanlee-mysql.mysql.database.azure.com:3306/orchestrator?ssl_ca=/etc/ssl/certs/ca-certificates.crt"
    )
    for name, secret in (
        ("orchestrator_api", "database-url-api"),
        ("orchestrator_functions", "database-url-functions"),
    ):
        assert written[secret] == f"mysql+pymysql://{name}:{passwords[name]}@{address}"
    assert written["mysql-reconciliation-password"] == passwords["orchestrator_reconciliation"]


def test_the_schema_is_migrated_with_the_settings_that_the_command_needs(
    history: History, tmp_path: Path
) -> None:
    (migration,) = [call for call in history.first_others if call["program"] == "python"]
    assert migration["words"] == ["-m", "backend", "migrate"]
    assert migration["environment"]["DATABASE_URL"].startswith("mysql+pymysql://orchestrator_admin:A-")

    done = subprocess.run(
        [ROOT / ".venv" / "bin" / "python", *migration["words"]],
        cwd=ROOT,
        env=migration["environment"] | {"DATABASE_URL": f"sqlite:///{tmp_path / 'operational.db'}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_migrating_again_changes_no_password(set_up: RecordedSetUp, history: History) -> None:
    set_up.begin_with(history.inventory)

    _ran(set_up.run("--migrate"))

    assert [call["program"] for call in set_up.take_other_calls()] == ["python", "mysql"]
    written = [call["words"] for call in set_up.take_calls() if is_writing(call["words"])]
    assert [command_of(words) for words in written] == ["resource patch"]


@pytest.mark.parametrize("broken", ["jwt-secret-key", "database-url-functions", "functions-host-key"])
def test_a_set_up_that_broke_at_a_secret_is_finished_by_the_next(
    set_up: RecordedSetUp, history: History, broken: str
) -> None:
    group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/shanlee-orchestrator"
    vault = f"{group}/providers/Microsoft.KeyVault/vaults/shanlee-vault"
    without = {
        name: what for name, what in history.inventory["resources"].items() if not name.endswith(broken)
    }
    set_up.begin_with(history.inventory | {"resources": without})

    assert set_up.run(RECORDER_BREAK=f"{vault}/secrets/{broken}").returncode == 1
    set_up.take_calls()
    _ran(set_up.run())

    created = [
        call["words"] for call in set_up.take_calls() if command_of(call["words"]) == "resource create"
    ]
    assert [option(words, "--id") for words in created] == [f"{vault}/secrets/{broken}"]
    assert set_up.inventory()["resources"].keys() == history.inventory["resources"].keys()


def test_what_failed_to_be_made_is_made_again(set_up: RecordedSetUp, history: History) -> None:
    inventory = json.loads(json.dumps(history.inventory))
    server = next(name for name in inventory["resources"] if name.endswith("/shanlee-mysql"))
    inventory["resources"][server]["properties"]["provisioningState"] = "Failed"
    set_up.begin_with(inventory)

    said = _ran(set_up.run("--what-if"))

    assert "would make  MySQL server shanlee-mysql (Standard_D2ads_v5)\n" in said


def test_every_role_is_one_that_the_documentation_gives(history: History) -> None:
    identities = {
        history.inventory["resources"][name]["identity"]["principalId"]: who
        for name in history.inventory["resources"]
        for kind, who in (
            ("/sites/", "Functions app"),
            ("/Microsoft.Synapse/workspaces/", "Synapse"),
            ("/factories/", "Data Factory"),
        )
        if kind in name and "identity" in history.inventory["resources"][name]
    } | {_API_PRINCIPAL: "API", "00000000-0000-0000-0000-000000000004": "Databricks job"}
    given = {
        (identities[principal], role, "/".join(scope.rsplit("/", 2)[1:]))
        for principal, role, scope in history.inventory["roles"]
    }

    assert given == _documented_roles()


def _documented_roles() -> set[tuple[str, str, str]]:
    """The rows of the table of roles: who, the role, and each of the things that it is on."""
    text = _DOCUMENT.read_text()
    table = text[text.index("| who | role | on |") :].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return {
        (row[0], row[1], thing)
        for row in rows
        for thing in re.findall(r"`([^`]+)`", row[2].replace("PREFIX", "shanlee"))
    }


def test_an_outage_is_not_taken_for_a_missing_secret(set_up: RecordedSetUp, history: History) -> None:
    set_up.begin_with(history.inventory)
    vault = next(name for name in history.inventory["resources"] if name.endswith("/vaults/shanlee-vault"))

    done = set_up.run(RECORDER_OUTAGE=f"{vault}/secrets/jwt-secret-key")

    assert done.returncode == 1
    assert "could not find out whether there is" in done.stderr
    assert _writing(set_up.take_calls()) == []


def test_without_synapse_and_databricks_there_is_no_factory_and_nothing_of_theirs(
    set_up: RecordedSetUp,
) -> None:
    said = _ran(set_up.run(SKIP_SYNAPSE="1", SKIP_DATABRICKS="1"))

    assert "left out    Data Factory: its pipelines need Synapse and Databricks" in said
    stands = set_up.inventory()
    assert not [name for name in stands["resources"] if re.search("Synapse|Databricks|DataFactory", name)]
    assert not [name for name in stands["settings"] if re.search("SYNAPSE|DATABRICKS", name)]
    assert not any(role[0] == "" for role in stands["roles"])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ((), "--prefix has to be 3 to 11 lower-case letters and digits, a letter first, not ''"),
        (("--prefix", "Shan-Lee"), "--prefix has to be 3 to 11 lower-case letters"),
        ((*OPTIONS, "--location", 'west"europe'), "--location has to be a region's short name"),
        ((*OPTIONS, "--client-address", "here"), "--client-address has to be an IPv4 address"),
        ((*OPTIONS, "--bold", "1"), "--bold is no option"),
        (("--prefix",), "--prefix is no option, or lacks its value"),
    ],
)
def test_names_that_can_not_be_are_refused_before_anything_is_asked(
    set_up: RecordedSetUp, options: tuple[str, ...], reason: str
) -> None:
    done = set_up.run_with(*options)

    assert done.returncode == 1
    assert done.stderr.startswith(f"set-up: {reason}")
    assert set_up.take_calls() == []


def test_help_lists_every_option(set_up: RecordedSetUp) -> None:
    done = set_up.run_with("--help")

    assert done.returncode == 0
    known = re.findall(
        r"^ +(--[a-z-]+)\)", (ROOT / "scripts" / "azure" / "options.sh").read_text(), re.MULTILINE
    )
    assert len(known) >= 12
    assert [name for name in known if name not in done.stdout] == []


def test_no_temporary_file_is_left_behind(history: History) -> None:
    assert history.left_behind == ["checkout", "programs", "state"]
