"""What the original makes of a schema as TypeBox writes it, durabase makes of it, too."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

from durabase.schematizers import tables_schema_from
from durabase.store import Store

PROGRAM = """
import {createStore} from 'tinybase';
import {createTypeBoxSchematizer} from 'tinybase/schematizers/schematizer-typebox';
let text = '';
for await (const chunk of process.stdin) text += chunk;
const schema = createTypeBoxSchematizer().toTablesSchema(JSON.parse(text));
const taken = createStore().setTablesSchema(schema).getTablesSchemaJson();
console.log(JSON.stringify([JSON.stringify(schema), taken]));
"""
SAMPLES: dict[str, list[Any]] = {
    "string": ["", "a"],
    "number": [0, -1.5],
    "boolean": [True, False],
    "object": [{}, {"a": 1}],
    "array": [[], [None]],
}


def originals(models: dict[str, Any]) -> Any:
    """The original's schema and what a store of its own takes of it, each as text."""
    node = shutil.which("node")
    assert node, "Node.js 20 is needed: https://nodejs.org or `apt-get install nodejs npm`"
    done = subprocess.run(
        [node, "--input-type=module", "-e", PROGRAM],
        cwd=Path(__file__).parent,
        input=json.dumps(models),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)


def property_of(chance: random.Random) -> dict[str, Any]:
    """A property as TypeBox writes it, of those that the original knows."""
    kind = chance.choice(["plain", "union", "literals", "literal"])
    types = chance.sample(sorted(SAMPLES), chance.randint(1, 3))
    literals = chance.sample(["a", "b", 1, 2.5, True], chance.randint(1, 3))
    null = [{"type": "null"}] if chance.random() < 0.5 else []
    if kind == "plain":
        return with_default(chance, {"type": types[0]}, SAMPLES[types[0]])
    if kind == "literal":
        return with_default(chance, {"const": literals[0], "type": "ignored"}, literals[:1])
    if kind == "literals":
        return with_default(chance, {"anyOf": [*({"const": one} for one in literals), *null]}, literals)
    samples = [sample for name in types for sample in SAMPLES[name]]
    return with_default(chance, {"anyOf": [*({"type": name} for name in types), *null]}, samples)


def with_default(chance: random.Random, property_: dict[str, Any], samples: list[Any]) -> dict[str, Any]:
    return {**property_, "default": chance.choice(samples)} if chance.random() < 0.5 else property_


def model_of(chance: random.Random) -> dict[str, Any]:
    properties = {f"c{number}": property_of(chance) for number in range(chance.randint(1, 5))}
    required = [key for key in properties if chance.random() < 0.5]
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def test_random_schemas() -> None:
    chance = random.Random(1)
    models = {f"t{number}": model_of(chance) for number in range(300)}
    schema = tables_schema_from(models)
    text, taken = originals(models)
    assert json.dumps(schema, separators=(",", ":")) == text
    assert Store().set_tables_schema(schema).get_tables_schema_json() == taken
