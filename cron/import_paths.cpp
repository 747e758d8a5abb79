#include "cron/import_paths.h"

#include <fnmatch.h>

#include <algorithm>

#include "base/text.h"

namespace hamn::cron {

namespace {

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::string last_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::string in_directory(const std::string& directory, const std::string& name) {
  return directory == "/" ? "/" + name : directory + "/" + name;
}

/// Where one source goes.
class PathFinder {
 public:
  PathFinder(const RsyncCommand& command, const std::string& directory, const std::string& home,
             const std::function<bool(const std::string&)>& is_directory)
      : command_(command), directory_(directory), home_(home), is_directory_(is_directory) {
    destination_ = local_path(command.destination);
  }

  ImportedPaths find() {
    for (const auto& source : command_.sources) take(source);
    return std::move(found_);
  }

 private:
  /// A relative path counts from the directory of the line here, from root's home over there.
  [[nodiscard]] std::string local_path(const RsyncPlace& place) const {
    auto path = place.path;
    if (path == "~" || path.starts_with("~/")) path = home_ + path.substr(1);
    return absolute_path(path, place.host.empty() ? directory_ : home_);
  }

  void problem(const RsyncPlace& place, const std::string& why) {
    found_.problems.push_back(place.text() + ": " + why);
  }

  void add(const std::string& path, const std::string& top) {
    found_.paths.push_back(path);
    found_.tops.push_back(top);
  }

  void take(const RsyncPlace& source) {
    const auto path = local_path(source);
    const bool content = source.path.ends_with("/") || source.path.ends_with("/.");
    if (path == "/") return problem(source, "a file set cannot hold a whole host");
    const auto last = last_of(path);
    if (path.find_first_of("[{") != std::string::npos && source.has_pattern) {
      return problem(source, "a file set knows only * and ? as patterns");
    }
    if (parent_of(path).find_first_of("*?") != std::string::npos && source.has_pattern) {
      return problem(source, "a file set has patterns in the last part of a path only");
    }
    if (!command_.recursive && (content || is_directory_(path))) {
      return problem(source, "it is a directory, which rsync skips without -r");
    }
    if (command_.relative) return take_relative(source, path);
    if (content) return take_content(source, path);
    const auto arrives = in_directory(destination_, last);
    if (arrives == path) return add(path, parent_of(path));
    if (destination_ != path) return elsewhere(source, path, arrives);
    if (command_.destination.path.ends_with("/") || is_directory_(path)) {
      found_.differences.push_back("rsync puts " + path + " to " + arrives +
                                   " on the other host; hamn keeps it at " + path);
    }
    add(path, parent_of(path));
  }

  void take_content(const RsyncPlace& source, const std::string& path) {
    if (destination_ != path) return elsewhere(source, path, destination_);
    add(path, path);
  }

  void take_relative(const RsyncPlace& source, const std::string& path) {
    const auto mark = source.path.find("/./");
    const auto base = mark == std::string::npos
                          ? std::string{"/"}
                          : absolute_path(source.path.substr(0, mark + 1), directory_);
    if (destination_ != base) {
      const auto below = base == "/" ? path : path.substr(base.size());
      return elsewhere(source, path, (destination_ == "/" ? "" : destination_) + below);
    }
    add(path, base);
  }

  void elsewhere(const RsyncPlace& source, const std::string& path, const std::string& arrives) {
    problem(source, "it arrives as " + arrives +
                        "; a file set keeps the same path on both hosts, here " + path);
  }

  const RsyncCommand& command_;
  const std::string& directory_;
  const std::string& home_;
  const std::function<bool(const std::string&)>& is_directory_;
  std::string destination_;
  ImportedPaths found_;
};

/// Filters one after the other, until one that hamn does not know.
class FilterReader {
 public:
  FilterReader(const ImportedPaths& paths,
               const std::function<std::optional<std::string>(const std::string&)>& read)
      : paths_(paths), read_(read) {}

  void take(const RsyncFilter& filter) {
    if (stopped_) return;
    switch (filter.kind) {
      case RsyncFilter::Kind::exclude:
        return add(filter.pattern, false);
      case RsyncFilter::Kind::include:
        return add(filter.pattern, true);
      case RsyncFilter::Kind::exclude_file:
        return take_file(filter.pattern, false);
      case RsyncFilter::Kind::include_file:
        return take_file(filter.pattern, true);
      case RsyncFilter::Kind::other:
        return stop("the filter \"" + filter.pattern + "\"");
    }
  }

  ImportedExcludes finish() { return std::move(found_); }

 private:
  void stop(const std::string& what) {
    stopped_ = true;
    found_.is_whole = false;
    found_.differences.push_back(base::printable(what) +
                                 ": hamn has no such filter; it and those after it are left off, "
                                 "so that more is copied");
  }

  void take_file(const std::string& path, bool includes) {
    const auto text = read_(path);
    if (!text) return stop("the filters in " + path + " (cannot be read)");
    for (const auto& line : base::lines_of(*text)) {
      if (line.empty() || line.front() == '#' || line.front() == ';') continue;
      add(line, includes);
    }
  }

  /// A pattern may say itself what it does: "+ keep", "- drop"; "!" forgets all before it.
  void add(std::string pattern, bool includes) {
    if (pattern == "!") return found_.patterns.clear();
    if (pattern.starts_with("+ ") || pattern.starts_with("- ")) {
      includes = pattern.front() == '+';
      pattern.erase(0, 2);
    }
    if (pattern.empty() || pattern == "/") return stop("the pattern \"" + pattern + "\"");
    if (pattern.front() != '/') return keep(pattern, includes);
    for (const auto& top : paths_.tops) keep((top == "/" ? "" : top) + pattern, includes);
  }

  void keep(const std::string& pattern, bool includes) {
    auto& all = found_.patterns;
    const auto rule = (includes ? "+ " : "") + pattern;
    if (std::find(all.begin(), all.end(), rule) == all.end()) all.push_back(rule);
  }

  const ImportedPaths& paths_;
  const std::function<std::optional<std::string>(const std::string&)>& read_;
  ImportedExcludes found_;
  bool stopped_ = false;
};

}  // namespace

std::string absolute_path(const std::string& path, const std::string& directory) {
  std::vector<std::string> parts;
  for (const auto& part : base::split(path.starts_with("/") ? path : directory + "/" + path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  return "/" + base::join(parts, "/");
}

ImportedPaths find_paths(const RsyncCommand& command, const std::string& directory,
                         const std::string& home,
                         const std::function<bool(const std::string&)>& is_directory) {
  return PathFinder{command, directory, home, is_directory}.find();
}

ImportedExcludes find_excludes(
    const RsyncCommand& command, const ImportedPaths& paths,
    const std::function<std::optional<std::string>(const std::string&)>& read) {
  FilterReader reader{paths, read};
  for (const auto& filter : command.filters) reader.take(filter);
  return reader.finish();
}

bool holds(const std::vector<std::string>& paths, const std::string& path) {
  return std::any_of(paths.begin(), paths.end(), [&](const std::string& each) {
    if (each == path) return true;
    // A pattern of a set may hold a path, but not another pattern.
    for (auto part = path; part != "/"; part = parent_of(part)) {
      if (part.find_first_of("*?") != std::string::npos) continue;
      if (::fnmatch(each.c_str(), part.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0) return true;
    }
    return false;
  });
}

}  // namespace hamn::cron
