"""rpower NODERANGE stat|on|off|reset|boot, through a command the test may set.

simulator.conf [rpower] command: run as "command NODE ACTION"; its stdout is the
state.  Without it the state is remembered in /run/xcat-simulator/power.
"""
import os
import subprocess

from .. import faults, texts

_STATES = "/run/xcat-simulator/power"
_ACTIONS = {"stat", "state", "status", "on", "off", "reset", "boot", "softoff"}


def rpower(request, reply):
    """"n001: on", one line per node."""
    action = request.arguments[0] if request.arguments else ""
    if not request.nodes or action not in _ACTIONS:
        reply.error("Usage: rpower <noderange> [on|off|softoff|reset|boot|stat|state|status]")
        return
    management = request.cluster.attributes("nodehm", request.nodes)
    for node in request.nodes:
        if not (management[node].get("power") or management[node].get("mgt")):
            reply.node_error(node, texts.NO_PLUGIN.format(tables="nodehm.power,nodehm.mgt"))
            continue
        _one(node, action, reply)
        request.fault.node_done()


def _one(node, action, reply):
    command = faults.settings("rpower").get("command")
    if not command:
        reply.node(node, _remembered(node, action))
        return
    result = subprocess.run([command, node, action], capture_output=True, text=True, check=False)
    if result.returncode:
        reply.node_error(node, result.stderr.strip() or f"exit code {result.returncode}")
    else:
        reply.node(node, result.stdout.strip())


def _remembered(node, action):
    os.makedirs(_STATES, exist_ok=True)
    path = f"{_STATES}/{node}"
    if action in ("stat", "state", "status"):
        if not os.path.exists(path):
            return "on"
        with open(path, encoding="utf-8") as file:
            return file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write("off" if action in ("off", "softoff") else "on")
    return action if action in ("on", "off", "reset") else f"on {action}"
