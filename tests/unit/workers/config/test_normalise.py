"""Errors, warnings, defaults and the inheritance of environments."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import Any

import pytest

from durabase.workers.config.classes import ObjectClassConfig
from durabase.workers.config.model import DevConfig, DurableObjectBinding
from durabase.workers.config.normalise import normalise

PATH = "/project/server/wrangler.toml"
GOOD: dict[str, Any] = {"name": "app", "main": "index.py", "compatibility_date": "2025-01-01"}
ROOM = {"bindings": [{"name": "ROOM", "class_name": "Room"}]}


def errors_of(extra: dict[str, Any], environment: str | None = None) -> str:
    raw = {key: value for key, value in (GOOD | extra).items() if value is not ...}
    return normalise(raw, environment, PATH)[1].render_errors()


def warnings_of(extra: dict[str, Any], environment: str | None = None) -> str:
    raw = {key: value for key, value in (GOOD | extra).items() if value is not ...}
    return normalise(raw, environment, PATH)[1].render_warnings()


def test_the_guides_configuration() -> None:
    raw = tomllib.loads("""
        name = "tinybase-durable-object"
        main = "index.py"
        compatibility_date = "2024-11-15"

        [[durable_objects.bindings]]
        name = "TinyBaseDurableObjects"
        class_name = "TinyBaseDurableObject"

        [[migrations]]
        tag = "v1"
        new_classes = ["TinyBaseDurableObject"]
    """)
    config, diagnostics = normalise(raw, None, PATH)
    assert diagnostics.render_errors() == diagnostics.render_warnings() == ""
    binding = DurableObjectBinding("TinyBaseDurableObjects", "TinyBaseDurableObject")
    assert config.durable_objects == (binding,)
    assert config.classes == (ObjectClassConfig("TinyBaseDurableObject", "kv", "TinyBaseDurableObject"),)
    assert config.unique_key(config.classes[0]) == "tinybase-durable-object-TinyBaseDurableObject"
    assert config.main == "/project/server/index.py"
    assert config.import_root == config.directory == "/project/server"
    assert config.dev == DevConfig("127.0.0.1", 8787)


@pytest.mark.feature("M-CF-2")
@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (
            {"name": "Bad Name"},
            'Expected "name" to be of type string, alphanumeric and lowercase with dashes only '
            'but got "Bad Name".',
        ),
        ({"name": 5}, "but got 5."),
        ({"main": ...}, 'Missing entry-point: "main" must name the Python file of the worker.'),
        ({"main": 5}, 'Expected "main" to be of type string but got 5.'),
        ({"main": "src/index.ts"}, 'The entry-point "src/index.ts" is not a Python file.'),
        (
            {"compatibility_date": "yesterday"},
            '"compatibility_date" field should be a valid ISO-8601 date (YYYY-MM-DD), but got "yesterday".',
        ),
        ({"compatibility_date": "2025-02-30"}, 'but got "2025-02-30".'),
        ({"compatibility_date": 20250101}, "but got 20250101."),
        ({"compatibility_flags": "x"}, 'Expected "compatibility_flags" to be of type string array'),
        (
            {"compatibility_flags": ["x", 1]},
            'Expected "compatibility_flags.[1]" to be of type string but got 1.',
        ),
        (
            {"route": "a", "routes": ["b"]},
            'Expected exactly one of the following fields ["routes","route"].',
        ),
        (
            {"route": 5},
            'Expected "route" to be either a string, or an object with shape { pattern, custom_domain, '
            "zone_id | zone_name, enabled, previews_enabled }, but got 5.",
        ),
        ({"routes": "x"}, 'Expected "routes" to be an array but got "x".'),
        ({"routes": ["a.com/*", {"pattern": "b"}]}, 'but these weren\'t valid: [{"pattern":"b"}].'),
        ({"routes": ["a.com/*/b"]}, 'Route "a.com/*/b" contains an infix wildcard, or no host.'),
        ({"route": "a.com/?x"}, 'Route "a.com/?x" contains a query string. This is not allowed.'),
        (
            {"route": {"pattern": "a.com/*", "custom_domain": True}},
            '"a.com/*" is no custom domain: it can have neither wildcards nor a path',
        ),
        (
            {"durable_objects": {"bindings": [{"name": "A", "class_name": "B", "script_name": 5}]}},
            'the field "script_name", when present, should be a string.',
        ),
        (
            {"durable_objects": {"bindings": [{"name": "A", "class_name": "B", "environment": "x"}]}},
            'binding should have a "script_name" field if "environment" is present.',
        ),
        (
            {"durable_objects": {"binding": []}},
            'The field "durable_objects" is missing the required "bindings" property.',
        ),
        (
            {"kv_namespaces": [{"binding": "A", "id": 5}]},
            '"kv_namespaces[0]" bindings should have a string "id" field but got {"binding":"A","id":5}.',
        ),
        (
            {"vars": {"A": 1}, "kv_namespaces": [{"binding": "A"}]},
            "A assigned to KV Namespace and Environment Variable bindings.\n"
            "    Bindings must have unique names, so that they can all be referenced in the worker.",
        ),
        ({"vars": []}, 'The field "vars" should be an object but got [].'),
        ({"dev": {"port": "x"}}, 'Expected "dev.port" to be of type number but got "x".'),
        ({"dev": {"port": True}}, 'Expected "dev.port" to be of type number but got true.'),
        ({"dev": {"port": 99999}}, '"dev": "port" should be between 0 and 65535 but got 99999.'),
        ({"dev": 1}, 'The field "dev" should be an object but got 1.'),
        ({"triggers": {"crons": ["* *"]}}, "'* *' is no cron expression: it has 2 fields, not 5."),
        ({"triggers": {"crons": 1}}, 'Expected "triggers.crons" to be of type string array but got 1.'),
        ({"assets": {}}, '"assets.directory" is a required field.'),
        (
            {"assets": {"directory": "d", "html_handling": "x"}},
            'Expected "assets.html_handling" field to be one of ["auto-trailing-slash",',
        ),
        (
            {"assets": {"directory": "d", "run_worker_first": 1}},
            'The field "assets.run_worker_first" should be an array of strings or a boolean, but got 1.',
        ),
        ({"durable_objects": {"bindings": {}}}, 'The field "durable_objects.bindings" should be an array'),
        (
            {"durable_objects": {"bindings": [{"name": "A"}]}},
            '"durable_objects.bindings[0]": {"name":"A"}\n'
            '    - binding should have a string "class_name" field.',
        ),
        (
            {"durable_objects": {"bindings": [{"class_name": "A"}]}},
            '"durable_objects.bindings[0]": {"class_name":"A"}\n'
            '    - binding should have a string "name" field.',
        ),
        (
            {"durable_objects": {"bindings": ["A"]}},
            'Expected "durable_objects.bindings[0]" to be of type object but got "A".',
        ),
        (
            {"durable_objects": {"bindings": [*ROOM["bindings"], {"name": "ROOM", "class_name": "B"}]}},
            "ROOM assigned to multiple Durable Object bindings.",
        ),
        (
            {"durable_objects": ROOM, "kv_namespaces": [{"binding": "ROOM"}]},
            "ROOM assigned to Durable Object and KV Namespace bindings.",
        ),
        (
            {"kv_namespaces": [{"id": "x"}]},
            '"kv_namespaces[0]" bindings should have a string "binding" field but got {"id":"x"}.',
        ),
        (
            {"kv_namespaces": [{"binding": "A"}, {"binding": "A"}]},
            "A assigned to multiple KV Namespace bindings.",
        ),
        (
            {"services": [{"binding": "B"}]},
            '"services[0]" bindings should have a string "service" field but got {"binding":"B"}.',
        ),
        ({"migrations": {}}, 'The field "migrations" should be an array but got {}.'),
        ({"migrations": [{"new_classes": ["A"]}]}, '"migrations[0].tag" is a required field.'),
        ({"migrations": [{"tag": 1}]}, 'Expected "migrations[0].tag" to be of type string but got 1.'),
        (
            {"migrations": [{"tag": "v1", "new_classes": "A"}]},
            'Expected "migrations[0].new_classes" to be of type string array but got "A".',
        ),
        (
            {"migrations": [{"tag": "v1", "new_classes": ["A"], "new_sqlite_classes": ["A"]}]},
            '"migrations[0]": The class "A" was already created by an earlier migration.',
        ),
        (
            {
                "durable_objects": ROOM,
                "migrations": [
                    {"tag": "v1", "new_classes": ["Room"]},
                    {"tag": "v2", "deleted_classes": ["Room"]},
                ],
            },
            "Cannot apply --delete-class migration to class Room without also removing the binding",
        ),
        ({"exports": {"A": {"type": "x"}}}, 'only exports of type "durable-object" are supported.'),
        (
            {"durable_objects": ROOM, "exports": {"Room": {"type": "durable-object", "state": "deleted"}}},
            "Cannot apply --delete-class migration to class Room without also removing the binding",
        ),
        (
            {"exports": {"A": {"type": "durable-object"}}, "migrations": [{"tag": "v1"}]},
            'Expected at most one of the following fields ["migrations","exports"].',
        ),
    ],
)
def test_errors(extra: dict[str, Any], expected: str) -> None:
    found = errors_of(extra)
    assert found.startswith("Processing wrangler.toml configuration:\n  - ")
    assert expected in found


@pytest.mark.feature("M-CF-2", "M-CF-6", "S-CF-8")
@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"bogus": 1, "odd": 2}, 'Unexpected fields found in top-level field: "bogus","odd"'),
        ({"dev": {"x": 1}}, 'Unexpected fields found in dev field: "x"'),
        ({"migrations": [{"tag": "v1", "x": 1}]}, 'Unexpected fields found in migrations[0] field: "x"'),
        ({"compatibility_date": ...}, 'No "compatibility_date" is set'),
        ({"durable_objects": ROOM}, 'new_classes = [ "Room" ]'),
        ({"env": {"staging": {}}}, "no target environment was specified"),
        (
            {"compatibility_flags": ["python_workers", "nodejs_compat", "disable_python_workflows"]},
            '"compatibility_flags": ["nodejs_compat"] of no effect here',
        ),
        (
            {"d1_databases": [{"binding": "DB"}]},
            '"d1_databases" is not supported here: env.DB will raise an error when used.',
        ),
        (
            {"queues": {"producers": [{"binding": "Q"}], "consumers": [{"queue": "q"}]}},
            "env.Q will raise an error when used.",
        ),
    ],
)
def test_warnings(extra: dict[str, Any], expected: str) -> None:
    assert errors_of(extra) == ""
    assert expected in warnings_of(extra)


def test_a_good_configuration_warns_of_nothing() -> None:
    migrations = [{"tag": "v1", "new_sqlite_classes": ["Room"]}]
    assert warnings_of({"durable_objects": ROOM, "migrations": migrations, "$schema": "x"}) == ""


def test_keys_of_the_cloud_make_one_note() -> None:
    config, diagnostics = normalise(GOOD | {"logpush": True, "placement": {}}, None, PATH)
    assert diagnostics.all_notes() == ['"logpush", "placement": of use on Cloudflare only, ignored here.']
    assert config.name == "app"


def test_dates_of_toml() -> None:
    config, _ = normalise(GOOD | {"compatibility_date": date(2025, 11, 2)}, None, PATH)
    assert config.compatibility_date == "2025-11-02"


@pytest.mark.feature("S-CF-1")
class TestEnvironments:
    RAW = GOOD | {
        "vars": {"A": 1},
        "dev": {"port": 1234},
        "durable_objects": ROOM,
        "migrations": [{"tag": "v1", "new_classes": ["Room"]}],
        "env": {
            "staging": {"vars": {"A": 2}, "durable_objects": ROOM},
            "named": {"name": "other", "main": "other.py", "vars": {}, "durable_objects": {"bindings": []}},
        },
    }

    def test_what_is_inherited(self) -> None:
        config, diagnostics = normalise(self.RAW, "staging", PATH)
        assert diagnostics.render_errors() == diagnostics.render_warnings() == ""
        assert (config.name, config.environment, config.dev.port) == ("app-staging", "staging", 1234)
        assert config.vars == {"A": 2}
        assert config.unique_key(config.classes[0]) == "app-staging-Room"

    def test_what_is_overridden(self) -> None:
        config, _ = normalise(self.RAW, "named", PATH)
        assert (config.name, config.main) == ("other", "/project/server/other.py")
        assert config.durable_objects == ()

    def test_what_is_missing_is_warned_of(self) -> None:
        raw = self.RAW | {"env": {"staging": {}}}
        found = normalise(raw, "staging", PATH)[1].render_warnings()
        assert '  "env.staging" environment configuration\n' in found
        assert '"vars" exists at the top level, but not on "env.staging".' in found
        assert 'Please add "durable_objects" to "env.staging".' in found

    def test_variables_that_are_missing_are_warned_of_one_by_one(self) -> None:
        raw = self.RAW | {"vars": {"A": 1, "B": 1}}
        found = normalise(raw, "staging", PATH)[1].render_warnings()
        assert '"vars.B" exists at the top level, but not on "env.staging.vars".' in found
        assert "vars.A" not in found

    @pytest.mark.feature("S-CF-8")
    def test_unknown_keys_are_named_where_they_stand(self) -> None:
        raw = self.RAW | {"odd": 1, "env": {"staging": {**self.RAW["env"]["staging"], "bogus": 1}}}
        found = normalise(raw, "staging", PATH)[1].render_warnings()
        assert 'Unexpected fields found in top-level field: "odd"' in found
        assert 'Unexpected fields found in env.staging field: "bogus"' in found

    def test_the_top_level_can_be_chosen(self) -> None:
        config, diagnostics = normalise(self.RAW, "", PATH)
        assert diagnostics.render_warnings() == ""
        assert (config.name, config.environment) == ("app", None)

    def test_an_unknown_one(self) -> None:
        found = normalise(self.RAW, "nope", PATH)[1].render_errors()
        assert 'No environment found in configuration with name "nope".' in found
        assert '["staging","named"]' in found


def test_key_value_namespaces_are_not_inherited_by_environments() -> None:
    extra = {"kv_namespaces": [{"binding": "FOO"}], "env": {"x": {}}}
    assert '"kv_namespaces" exists at the top level, but not on "env.x"' in warnings_of(extra, "x")


def test_the_migration_that_is_missing_is_shown_in_the_form_of_the_file() -> None:
    warnings = normalise(GOOD | {"durable_objects": ROOM}, None, "/project/wrangler.jsonc")[
        1
    ].render_warnings()
    assert '"migrations": [{ "tag": "v1", "new_classes": ["Room"] }]' in warnings
    assert '[[migrations]]\n    tag = "v1"\n    new_classes = [ "Room" ]' in warnings_of(
        {"durable_objects": ROOM}
    )
