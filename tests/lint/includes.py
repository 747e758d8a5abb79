"""Parts include in one direction, from the root; packages are included in .cpp files only."""

import re

SIBLINGS = ("sync", "dbrepl", "nimrebuild", "cron")
ALLOWED = {
    "base": {"base"},
    **{part: {part, "base"} for part in SIBLINGS},
    "takeover": {"takeover", "base", *SIBLINGS},
    "cli": {"cli", "takeover", "base", *SIBLINGS},
}

PACKAGES = re.compile(
    r"Poco/|libssh2|libpq|postgres|nlohmann/|sqlite3|toml\+\+|toml\.hpp|CLI/|CLI11|zstd|librsync"
    r"|openssl/|mysql|mariadb|xxhash")
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>)', re.MULTILINE)


def check(sources):
    for source in sources:
        if not source.is_part or not source.is_cpp:
            continue
        for match in _INCLUDE.finditer(source.uncommented):
            own, system = match.groups()
            trouble = _trouble_with_own(source, own) if own else _trouble_with(source, system)
            if trouble:
                yield source.finding(match.start(), trouble)


def _trouble_with_own(source, path):
    folder = path.split("/")[0]
    if "/" not in path:
        return f'"{path}" is not included from the root: "{source.folder}/{path}"'
    if folder not in ALLOWED[source.folder]:
        return f"{source.folder} must not include {folder}"
    return None


def _trouble_with(source, path):
    if source.is_header and PACKAGES.match(path):
        return f"<{path}> belongs into a .cpp file: a header shows no package"
    return None


GOOD = {
    "base/a.h": '#include <string>\n#include "base/b.h"\n',
    "base/a.cpp": '#include <libssh2.h>\n#include <nlohmann/json.hpp>\n#include "base/a.h"\n',
    "sync/a.h": '#include "sync/b.h"\n#include "base/a.h"\n// #include "cron/x.h"\n',
    "takeover/a.cpp": '#include "cron/a.h"\n#include "sync/a.h"\n',
    "cli/a.cpp": '#include <CLI/CLI.hpp>\n#include "takeover/a.h"\n',
    "tests/unit/base/a.cpp": '#include "tests/support/x.h"\n#include "cli/x.h"\n',
}
BAD = {
    "base/up.h": ('#include "sync/a.h"\n', [1]),
    "sync/sideways.cpp": ('\n#include "dbrepl/a.h"\n#include "takeover/a.h"\n', [2, 3]),
    "cron/test.cpp": ('#include "tests/support/x.h"\n', [1]),
    "takeover/up.h": ('#include "cli/a.h"\n', [1]),
    "base/near.cpp": ('#include "near.h"\n', [1]),
    "base/package.h": ("#include <Poco/URI.h>\n#include <sqlite3.h>\n#include <toml++/toml.h>\n"
                       "#  include <openssl/evp.h>\n#include <xxhash.h>\n", [1, 2, 3, 4, 5]),
}
