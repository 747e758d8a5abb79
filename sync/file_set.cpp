#include "sync/file_set.h"

#include <algorithm>
#include <cassert>

#include "base/hash.h"
#include "sync/host_specific.h"

namespace hamn::sync {

namespace {

constexpr const char* staging_prefix = ".hamn-stage-";

Root root_of(const std::string& source, const std::string& destination) {
  const auto parent = [](const std::string& path) {
    return path.rfind('/') == 0 ? std::string{"/"} : path.substr(0, path.rfind('/'));
  };
  return {.source_parent = parent(source),
          .destination_parent = parent(destination),
          .pattern = source.substr(source.rfind('/') + 1)};
}

}  // namespace

FileSet make_file_set(const base::FileSetSettings& settings) {
  FileSet set{.name = settings.name,
              .roots = {},
              .filter = make_filter(settings.include, settings.exclude),
              .allow_host_specific = settings.allow_host_specific,
              .profile = settings.is_faithful ? Profile::faithful : Profile::compat,
              .deletes = settings.deletes};
  for (const auto& path : settings.paths) set.roots.push_back(root_of(path, path));
  return set;
}

FileSet make_moved_set(const std::string& name, const std::string& source,
                       const std::string& destination) {
  auto root = root_of(source, destination);
  assert(destination.ends_with("/" + root.pattern));
  return {.name = name, .roots = {std::move(root)}, .filter = {}, .allow_host_specific = {}};
}

bool matches(const std::string& pattern, const std::string& name) {
  if (name.starts_with('.') && !pattern.starts_with('.')) return false;
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string::npos;  // the last `*`, and where it began to match
  std::size_t star_at = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_at = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string::npos) {
      p = star + 1;
      n = ++star_at;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string::npos;
}

bool is_protected(const FileSet& set, std::uint16_t root, const std::string& path,
                  bool is_directory) {
  const auto& parent = set.roots.at(root).destination_parent;
  const auto whole = (parent == "/" ? "" : parent) + "/" + path;
  return is_host_specific(whole, is_directory) &&
         std::none_of(
             set.allow_host_specific.begin(), set.allow_host_specific.end(),
             [&](const std::string& pattern) { return fits(pattern, whole, is_directory); });
}

bool is_left_out(const FileSet& set, std::uint16_t root, const std::string& path,
                 bool is_directory) {
  const auto name = path.substr(path.rfind('/') + 1);
  if (name.starts_with(staging_prefix)) return true;
  if (is_protected(set, root, path, is_directory)) return true;
  const auto& [parent, destination, pattern] = set.roots.at(root);
  // What `paths` names is meant, whatever "*" says.
  if (path == pattern) return false;
  const auto whole = (parent == "/" ? "" : parent) + "/" + path;
  return leaves_out(set.filter, whole, is_directory);
}

std::string fingerprint(const FileSet& set) {
  std::string text;
  for (const auto& root : set.roots) {
    for (const auto& part : {root.source_parent, root.destination_parent, root.pattern}) {
      text += std::to_string(part.size()) + ":" + part;
    }
  }
  if (set.profile == Profile::faithful) text += "faithful";
  if (set.deletes) text += "deletes";
  for (const auto& pattern : set.allow_host_specific) {
    text += std::to_string(pattern.size()) + "!" + pattern;
  }
  for (const auto& rule : set.filter) {
    text += std::to_string(rule.pattern.size()) + (rule.includes ? "+" : "-") + rule.pattern;
  }
  return base::sha256(text).substr(0, 16);
}

std::string staging_name(const std::string& set) {
  return staging_prefix + set;
}

}  // namespace hamn::sync
