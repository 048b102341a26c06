"""The codes by which a receipt says what was declined; docs/journal.md has the evidence of each.

The host makes the sentences.

Parses on every Python from 2.7 on.
"""

INTERPRETER = "interpreter"
START = "start"
SERVICE_NAME = "service-name"
SWITCH = "switch"
DIRECTORY = "directory"
TRACER = "tracer"
THREAD = "thread"
TOOL_IDS = "tool-ids"

# These stand in no receipt: a word in the journal says so.
ORPHANED = "orphaned"
LOST = "lost"
RIVAL = "rival"


def refusal(code, *evidence):
    """Return an entry of a receipt's refusals: a code, and texts that say what it was met with."""
    return {"code": code, "evidence": list(evidence)}


def described(error):
    """Return an exception as evidence."""
    return "%s: %s" % (type(error).__name__, error)
