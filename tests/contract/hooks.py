"""What Schemathesis does not know by itself."""

import json

import schemathesis


@schemathesis.serializer("application/offset+octet-stream")
def part_of_a_file(ctx, value):
    """The media type of the tus protocol: the bytes as they are."""
    data = getattr(value, "data", value)
    return {"data": data if isinstance(data, bytes) else str(data).encode()}


@schemathesis.serializer("text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
def file(ctx, value):
    """A table as a file: the bytes as they are."""
    data = getattr(value, "data", value)
    return {"data": data if isinstance(data, bytes) else str(data).encode()}


@schemathesis.serializer("application/x-ndjson")
def lines(ctx, value):
    """Lines of JSON: a table of one row."""
    return {"data": (json.dumps(value) + "\n").encode()}


@schemathesis.hook
def before_call(ctx, case, kwargs):
    """A cursor is a value that the server has handed out: one that is made up is refused (400), as it should be. So where
    a case is meant to be good it goes without, and where it is meant to be bad its cursor stays."""
    generation = getattr(case.meta, "generation", None)
    if generation is not None and generation.mode.is_positive and case.query:
        case.query.pop("cursor", None)
