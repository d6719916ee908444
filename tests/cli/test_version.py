"""troth version: which one, and what it was built with; as JSON by its schema."""
import json
import os
import re

from serving import check, finish, run

said, told = run("version").stdout, json.loads(run("version", "--json").stdout)
check("the same in both", said.startswith(f"troth {told['version']}\n") and told["compiler"] in said and told["processor"] in said and
      all(f"{name} {version}".strip() in said for name, version in told["libraries"].items()), (said, told))
check("libcrypto and its version", re.fullmatch(r"3\.\d+\.\d+\w*", told["libraries"]["libcrypto"]), told)
check("the others", {"event", "jansson"} <= set(told["libraries"]), told)
try:
    import jsonschema
    schema = json.load(open(f"{os.environ['SRC_DIR']}/docs/schema/version-1.json", encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    check("JSON keeps to its schema", not list(jsonschema.Draft202012Validator(schema).iter_errors(told)), told)
except ImportError:
    pass
finish()
