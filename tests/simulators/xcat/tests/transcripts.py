"""Captured runs of a real xCAT 2.19, and how they are compared with the simulators."""
import os
import re

from hosts import HERE


class Transcript:
    """One capture: the command line, its exit code, stdout and stderr."""

    def __init__(self, name):
        with open(os.path.join(HERE, "captures", name + ".txt"), encoding="utf-8") as file:
            text = file.read()
        head, rest = text.split("\n--- stdout ---\n", 1)
        self.command, code = re.fullmatch(r"(.*)\nexit code: (\d+)\nelapsed: .*", head, re.S).groups()
        self.code = int(code)
        self.out, self.err = re.fullmatch(r"(.*?)--- stderr ---\n?(.*)", rest, re.S).groups()


def same(text):
    """Nothing to normalise but trailing blank lines."""
    return text.rstrip("\n")


def any_order(pattern):
    """A normaliser: lines that match may come in any order among themselves."""
    def normalise(text):
        lines = text.rstrip("\n").split("\n")
        places = [i for i, line in enumerate(lines) if re.search(pattern, line)]
        for place, line in zip(places, sorted(lines[i] for i in places)):
            lines[place] = line
        return "\n".join(lines)
    return normalise


def without(pattern):
    """A normaliser: lines that match are left out (sizes, times, process numbers)."""
    def normalise(text):
        return "\n".join(line for line in text.rstrip("\n").split("\n")
                         if not re.search(pattern, line))
    return normalise


def both(first, second):
    """One normaliser after the other."""
    return lambda text: second(first(text))
