"""The program ends in cli/main.cpp and nowhere else."""

import re

# The child between fork() and exec() has no main() to return to.
EXCEPTIONS = {"base/process.cpp": {"_exit"}}

_EXIT = re.compile(
    r"(?P<before>\b\w+[ \t]+)?(?<![\w.>:])(?:std::|::)?"
    r"(?P<name>exit|_exit|_Exit|quick_exit|abort|terminate)\s*\(")
_STATEMENTS = {"return", "else", "do"}


def check(sources):
    for source in sources:
        if not source.is_part or not source.is_cpp or source.path == "cli/main.cpp":
            continue
        for match in _EXIT.finditer(source.code):
            name, before = match.group("name"), (match.group("before") or "").strip()
            is_declaration = before and before not in _STATEMENTS
            if not is_declaration and name not in EXCEPTIONS.get(source.path, ()):
                yield source.finding(match.start("name"), f"{name}() belongs into cli/main.cpp")


GOOD = {
    "cli/main.cpp": "int main() { std::exit(1); }\n",
    "base/process.cpp": "void become() { ::_exit(127); }\n",
    "base/a.cpp": 'int exit_code();\n// exit(1)\nauto s = "exit(1)"; int x = job.exit(); p->abort();\n',
    "sync/a.h": "struct Job {\n  void abort();\n};\nvoid Job::abort() {}\n",
    "tests/unit/base/a.cpp": "void f() { ::_exit(0); }\n",
}
BAD = {
    "base/b.cpp": ("void f() {\n  exit(1);\n  ::_exit(1);\n  std::abort();\n"
                    "  if (x) return exit(2); else abort();\n}\n", [2, 3, 4, 5]),
    "base/process.cpp": ("void f() {\n  std::exit(1);\n}\n", [2]),
    "sync/b.h": ("inline void f() { std::terminate(); }\n", [1]),
}
