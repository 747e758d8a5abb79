#include "sync/entry.h"

#include <algorithm>

namespace hamn::sync {

DirectoryKey below(const DirectoryKey& directory, const std::string& name) {
  return {.root = directory.root,
          .path = directory.path.empty() ? name : directory.path + "/" + name};
}

DirectoryKey parent_of(const DirectoryKey& directory) {
  const auto slash = directory.path.rfind('/');
  return {.root = directory.root,
          .path = slash == std::string::npos ? "" : directory.path.substr(0, slash)};
}

std::string name_of(const DirectoryKey& directory) {
  return directory.path.substr(directory.path.rfind('/') + 1);
}

std::string to_text(ProblemKind kind) {
  switch (kind) {
    case ProblemKind::dangling:
      return "dangling link";
    case ProblemKind::special:
      return "special file";
    case ProblemKind::loop:
      return "link loop";
    case ProblemKind::vanished:
      return "vanished";
    case ProblemKind::unreadable:
      return "unreadable";
    case ProblemKind::unstable:
      return "unstable";
    case ProblemKind::not_written:
      return "not written";
    case ProblemKind::held_back:
      return "deletions held back";
    case ProblemKind::many_deleted:
      return "many deletions";
    case ProblemKind::host_specific:
      return "host-specific";
  }
  return "unreadable";
}

bool looks_different(const Entry& a, const Entry& b) {
  return a.mode != b.mode || a.uid != b.uid || a.gid != b.gid || a.modified != b.modified ||
         a.attributes != b.attributes;
}

bool is_note(ProblemKind kind) {
  return kind <= ProblemKind::vanished || kind == ProblemKind::many_deleted ||
         kind == ProblemKind::host_specific;
}

namespace {

Change change_between(const Entry& before, const Entry& now) {
  if (before.size_bytes != now.size_bytes || before.modified != now.modified ||
      before.changed != now.changed || before.inode != now.inode) {
    return Change::content;
  }
  if (before.mode != now.mode || before.uid != now.uid || before.gid != now.gid) {
    return Change::metadata;
  }
  return Change::none;
}

/// Enters one name of the new listing; `before` is null if it is new.
void compare(const Entry* before, const Entry& now, DirectoryDiff& diff) {
  const bool same_kind = before != nullptr && before->kind == now.kind;
  if (now.kind == Kind::directory) {
    diff.directories.push_back(&now);
    return;
  }
  const auto change = same_kind ? change_between(*before, now) : Change::added;
  if (change != Change::none) diff.changes.emplace_back(&now, change);
}

}  // namespace

DirectoryDiff diff_directory(const std::vector<Entry>& before, const std::vector<Entry>& now) {
  DirectoryDiff diff;
  auto old = before.begin();
  for (const auto& entry : now) {
    for (; old != before.end() && old->name < entry.name; ++old) diff.gone.push_back(&*old);
    const bool was_there = old != before.end() && old->name == entry.name;
    compare(was_there ? &*old : nullptr, entry, diff);
    if (was_there) ++old;
  }
  for (; old != before.end(); ++old) diff.gone.push_back(&*old);
  return diff;
}

const Entry* find_entry(const std::vector<Entry>& listing, const std::string& name) {
  const auto found = std::lower_bound(
      listing.begin(), listing.end(), name,
      [](const Entry& entry, const std::string& wanted) { return entry.name < wanted; });
  return found != listing.end() && found->name == name ? &*found : nullptr;
}

}  // namespace hamn::sync
