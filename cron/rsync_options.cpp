// The options of rsync 3.x, from rsync(1), and what hamn makes of each.
#include "cron/rsync_options.h"

#include <algorithm>
#include <array>

namespace hamn::cron {

namespace {

constexpr auto same = OptionFate::same;
constexpr auto differs = OptionFate::differs;
constexpr auto faithful = OptionFate::faithful;
constexpr auto deletes = OptionFate::deletes;
constexpr auto obstacle = OptionFate::obstacle;
constexpr auto special = OptionFate::special;

constexpr std::string_view all_links = "hamn copies all links as links, or follows all of them";
constexpr std::string_view no_limit = "hamn has no limit for the bandwidth";
constexpr std::string_view no_backup = "hamn keeps no copies of what it replaces";
constexpr std::string_view by_name = "hamn maps owners by name where the standby knows the name";
constexpr std::string_view all_files = "hamn copies files of every size and age";
constexpr std::string_view moves = "it is to remove files on the source, which hamn never does";
constexpr std::string_view lists = "it only lists or tries, it copies nothing";
constexpr std::string_view compares = "it compares with another directory than the destination";
constexpr std::string_view owners = "it gives files other owners or modes than they have";
constexpr std::string_view newer =
    "hamn makes the standby's file equal also where that one is newer or was not there";

constexpr std::array options{
    RsyncOption{'r', "recursive", false, special, {}},
    RsyncOption{'a', "archive", false, special, {}},
    RsyncOption{'R', "relative", false, special, {}},
    RsyncOption{'L', "copy-links", false, special, {}},
    RsyncOption{'e', "rsh", true, special, {}},
    RsyncOption{'f', "filter", true, special, {}},
    RsyncOption{0, "exclude", true, special, {}},
    RsyncOption{0, "include", true, special, {}},
    RsyncOption{0, "exclude-from", true, special, {}},
    RsyncOption{0, "include-from", true, special, {}},
    RsyncOption{'C', "cvs-exclude", false, differs, "hamn has no list of names that -C leaves out"},
    RsyncOption{'F', "", false, differs, "hamn reads no .rsync-filter files"},
    RsyncOption{'p', "perms", false, same, {}},
    RsyncOption{'g', "group", false, same, {}},
    RsyncOption{'o', "owner", false, same, {}},
    RsyncOption{'t', "times", false, same, {}},
    RsyncOption{'z', "compress", false, same, {}},
    RsyncOption{0, "compress-level", true, same, {}},
    RsyncOption{0, "compress-choice", true, same, {}},
    RsyncOption{0, "zc", true, same, {}},
    RsyncOption{0, "zl", true, same, {}},
    RsyncOption{0, "skip-compress", true, same, {}},
    RsyncOption{0, "old-compress", false, same, {}},
    RsyncOption{0, "new-compress", false, same, {}},
    RsyncOption{'v', "verbose", false, same, {}},
    RsyncOption{'q', "quiet", false, same, {}},
    RsyncOption{'h', "human-readable", false, same, {}},
    RsyncOption{'i', "itemize-changes", false, same, {}},
    RsyncOption{'P', "", false, same, {}},
    RsyncOption{'8', "8-bit-output", false, same, {}},
    RsyncOption{'4', "ipv4", false, same, {}},
    RsyncOption{'6', "ipv6", false, same, {}},
    RsyncOption{'s', "protect-args", false, same, {}},
    RsyncOption{0, "secluded-args", false, same, {}},
    RsyncOption{0, "progress", false, same, {}},
    RsyncOption{0, "stats", false, same, {}},
    RsyncOption{0, "info", true, same, {}},
    RsyncOption{0, "debug", true, same, {}},
    RsyncOption{0, "no-motd", false, same, {}},
    RsyncOption{0, "log-file", true, same, {}},
    RsyncOption{0, "log-file-format", true, same, {}},
    RsyncOption{0, "out-format", true, same, {}},
    RsyncOption{0, "outbuf", true, same, {}},
    RsyncOption{0, "partial", false, same, {}},
    RsyncOption{0, "partial-dir", true, same, {}},
    RsyncOption{'T', "temp-dir", true, same, {}},
    RsyncOption{0, "delay-updates", false, same, {}},
    RsyncOption{0, "fsync", false, same, {}},
    RsyncOption{'W', "whole-file", false, same, {}},
    RsyncOption{0, "no-whole-file", false, same, {}},
    RsyncOption{'y', "fuzzy", false, same, {}},
    RsyncOption{'B', "block-size", true, same, {}},
    RsyncOption{0, "timeout", true, same, {}},
    RsyncOption{0, "contimeout", true, same, {}},
    RsyncOption{'O', "omit-dir-times", false, differs, "hamn keeps the times of directories"},
    RsyncOption{'J', "omit-link-times", false, same, {}},
    RsyncOption{0, "modify-window", true, differs, "hamn compares times to the nanosecond"},
    RsyncOption{'I', "ignore-times", false, same, {}},
    RsyncOption{'c', "checksum", false, differs,
                "hamn reads a file again when its size, times or inode changed, not at every run"},
    RsyncOption{0, "checksum-choice", true, same, {}},
    RsyncOption{'m', "prune-empty-dirs", false, differs, "hamn copies empty directories too"},
    RsyncOption{0, "rsync-path", true, differs,
                "hamn starts itself on the other host: see ssh.program"},
    RsyncOption{0, "inplace", false, differs, "hamn replaces files as a whole, never in place"},
    RsyncOption{0, "append", false, differs, "hamn replaces files as a whole, never in place"},
    RsyncOption{0, "append-verify", false, differs,
                "hamn replaces files as a whole, never in place"},
    RsyncOption{'l', "links", false, special, {}},
    RsyncOption{0, "safe-links", false, differs, all_links},
    RsyncOption{0, "copy-unsafe-links", false, differs, all_links},
    RsyncOption{0, "munge-links", false, differs, all_links},
    RsyncOption{'k', "copy-dirlinks", false, same, {}},
    RsyncOption{'K', "keep-dirlinks", false, differs,
                "hamn leaves a link in place of a directory alone and tells it"},
    RsyncOption{'H', "hard-links", false, faithful, "hamn copies hard links as separate files"},
    RsyncOption{'A', "acls", false, faithful, "hamn copies no access control lists"},
    RsyncOption{'X', "xattrs", false, faithful, "hamn copies no extended attributes"},
    RsyncOption{'E', "executability", false, same, {}},
    RsyncOption{'U', "atimes", false, differs, "hamn does not copy access times"},
    RsyncOption{'N', "crtimes", false, differs, "hamn does not copy times of creation"},
    RsyncOption{'D', "", false, special, {}},
    RsyncOption{0, "devices", false, special, {}},
    RsyncOption{0, "specials", false, special, {}},
    RsyncOption{0, "no-devices", false, same, {}},
    RsyncOption{0, "no-specials", false, same, {}},
    RsyncOption{'S', "sparse", false, same, {}},
    RsyncOption{0, "preallocate", false, same, {}},
    RsyncOption{'x', "one-file-system", false, differs,
                "hamn goes into other file systems that are mounted below"},
    RsyncOption{0, "numeric-ids", false, faithful, by_name},
    RsyncOption{0, "delete", false, deletes, {}},
    RsyncOption{0, "del", false, deletes, {}},
    RsyncOption{0, "delete-before", false, deletes, {}},
    RsyncOption{0, "delete-during", false, deletes, {}},
    RsyncOption{0, "delete-delay", false, deletes, {}},
    RsyncOption{0, "delete-after", false, deletes, {}},
    RsyncOption{0, "delete-excluded", false, differs,
                "hamn never deletes what a filter leaves out"},
    RsyncOption{0, "delete-missing-args", false, differs,
                "hamn keeps the copy of a path that is missing as a whole"},
    RsyncOption{0, "ignore-errors", false, differs,
                "hamn deletes nothing if part of the source cannot be read"},
    RsyncOption{0, "ignore-missing-args", false, same, {}},
    RsyncOption{0, "max-delete", true, differs, "hamn has limits of its own for deletions"},
    RsyncOption{0, "force", false, differs,
                "hamn replaces a directory that is not empty only in a set that deletes"},
    RsyncOption{'b', "backup", false, differs, no_backup},
    RsyncOption{0, "backup-dir", true, differs, no_backup},
    RsyncOption{0, "suffix", true, differs, no_backup},
    RsyncOption{0, "bwlimit", true, differs, no_limit},
    RsyncOption{0, "max-size", true, differs, all_files},
    RsyncOption{0, "min-size", true, differs, all_files},
    RsyncOption{'u', "update", false, differs, newer},
    RsyncOption{0, "existing", false, differs, newer},
    RsyncOption{0, "ignore-existing", false, differs, newer},
    RsyncOption{0, "mkpath", false, same, {}},
    RsyncOption{'d', "dirs", false, obstacle, "it copies directories without what is in them"},
    RsyncOption{'n', "dry-run", false, obstacle, lists},  // the option's own name
    RsyncOption{0, "list-only", false, obstacle, lists},
    RsyncOption{0, "remove-source-files", false, obstacle, moves},
    RsyncOption{0, "files-from", true, obstacle, "a list of files elsewhere says what it copies"},
    RsyncOption{0, "link-dest", true, obstacle, compares},
    RsyncOption{0, "copy-dest", true, obstacle, compares},
    RsyncOption{0, "compare-dest", true, obstacle, compares},
    RsyncOption{0, "chmod", true, obstacle, owners},
    RsyncOption{0, "chown", true, obstacle, owners},
    RsyncOption{0, "usermap", true, obstacle, owners},
    RsyncOption{0, "groupmap", true, obstacle, owners},
    RsyncOption{0, "fake-super", false, obstacle, owners},
    RsyncOption{'M', "remote-option", true, differs, "hamn has no options for the other side"},
    RsyncOption{0, "port", true, obstacle, "it speaks to an rsync daemon"},
    RsyncOption{0, "password-file", true, obstacle, "it speaks to an rsync daemon"},
    RsyncOption{0, "daemon", false, obstacle, "it is an rsync daemon"},
    RsyncOption{0, "write-batch", true, obstacle, "it works with batch files"},
    RsyncOption{0, "only-write-batch", true, obstacle, "it works with batch files"},
    RsyncOption{0, "read-batch", true, obstacle, "it works with batch files"},
};

}  // namespace

const RsyncOption* find_option(char letter) {
  const auto* found = std::find_if(options.begin(), options.end(),
                                   [&](const auto& each) { return each.letter == letter; });
  return found == options.end() ? nullptr : found;
}

const RsyncOption* find_option(std::string_view name) {
  if (name.empty()) return nullptr;
  const auto* found = std::find_if(options.begin(), options.end(),
                                   [&](const auto& each) { return each.name == name; });
  return found == options.end() ? nullptr : found;
}

}  // namespace hamn::cron
