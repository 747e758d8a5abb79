#include "cron/import.h"

#include <algorithm>

#include "base/text.h"
#include "cron/import_paths.h"
#include "cron/rsync_command.h"

namespace hamn::cron {

namespace {

using Kind = ImportRemark::Kind;

constexpr auto half_a_day = std::chrono::hours{12};

bool mentions_rsync(const std::string& text) {
  return text.find("rsync") != std::string::npos;
}

bool is_rsync(const ShellCommand& command) {
  if (command.words.empty()) return false;
  const auto& word = command.words.front().text;
  return word.substr(word.rfind('/') + 1) == "rsync";
}

/// What is said of a line must not hold a password.
std::string without_secrets(std::string text) {
  for (const std::string mark : {"PASSWORD=", "sshpass -p", "sshpass -p "}) {
    const auto at = text.find(mark);
    if (at == std::string::npos) continue;
    const auto from = text.find_first_not_of(' ', at + mark.size());
    if (from == std::string::npos) continue;
    text.replace(from, std::min(text.find(' ', from), text.size()) - from, "…");
  }
  return text;
}

std::string name_from(const std::string& path) {
  auto name = path.substr(path.rfind('/') + 1);
  for (char& c : name) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c + 32);
    } else if (!good) {
      c = '-';
    }
  }
  const auto from = name.find_first_not_of('-');
  name = from == std::string::npos ? "" : name.substr(from, name.find_last_not_of('-') - from + 1);
  return name.empty() ? "files" : name.substr(0, 40);
}

/// Works through the lines of all crontabs.
class Importer {
 public:
  explicit Importer(const ImportContext& context) : context_(context) {
    for (const auto& [name, set] : context.present) names_.insert(name);
  }

  void take(const CrontabSource& source) {
    const auto crontab = read_crontab(source.text, source.form, context_.is_user);
    for (const auto& problem : crontab.problems) {
      if (!mentions_rsync(problem.text)) continue;
      begin(source, problem.number, problem.text);
      remark(Kind::left, problem.why);
    }
    for (const auto& line : crontab.lines) take_line(source, line);
  }

  Import finish() { return std::move(import_); }

 private:
  void begin(const CrontabSource& source, std::uint64_t number, const std::string& text) {
    source_ = source.name + ", line " + std::to_string(number);
    line_ = without_secrets(text);
    ++import_.lines;
  }

  void remark(Kind kind, const std::string& text) {
    import_.remarks.push_back({.kind = kind, .source = source_, .line = line_, .text = text});
  }

  void take_line(const CrontabSource& source, const CrontabLine& line) {
    if (!mentions_rsync(line.command)) return look_into_script(source, line);
    begin(source, line.number, line.text);
    auto variables = line.environment;
    variables.emplace("HOME", context_.home);
    variables.emplace("USER", "root");
    variables.emplace("LOGNAME", "root");
    const auto shell = read_shell_line(line.command, variables);
    directory_ = variables.at("HOME");
    std::vector<std::string> notes;
    ShellLine inner{.commands = {}, .problems = shell.problems};
    for (const auto& command : shell.commands) {
      auto part = unwrap(command, variables, notes);
      inner.problems.insert(inner.problems.end(), part.problems.begin(), part.problems.end());
      inner.commands.insert(inner.commands.end(), part.commands.begin(), part.commands.end());
    }
    for (const auto& problem : inner.problems) remark(Kind::left, problem);
    if (!inner.problems.empty()) return;
    take_commands(line, inner.commands);
    for (const auto& note : notes) remark(Kind::differs, note);
  }

  void take_commands(const CrontabLine& line, const std::vector<ShellCommand>& commands) {
    bool found = false;
    for (const auto& command : commands) {
      const auto& words = command.words;
      if (words.empty()) continue;
      if (is_rsync(command)) {
        found = true;
        take_rsync(line, {words.begin() + 1, words.end()});
      } else if (words.front().text == "cd" && words.size() == 2) {
        directory_ = absolute_path(words[1].text, directory_);
      } else if (command.joined_by == "|" || words.front().text == "echo" ||
                 words.front().text == "logger" || words.front().text == "sleep" ||
                 words.front().text == "true") {
        remark(Kind::replaced,
               "hamn tells what it does in its journal instead of: " + command.text());
      } else {
        remark(Kind::differs, "the line also runs: " + command.text() +
                                  "; hamn does not do that, and does not ask it first");
      }
    }
    if (!found) remark(Kind::left, "rsync stands in it, but not as a command that is understood");
  }

  void look_into_script(const CrontabSource& source, const CrontabLine& line) {
    for (const auto& word : base::words_of(line.command)) {
      if (!word.starts_with("/")) continue;
      const auto text = context_.read(word);
      if (!text || !text->starts_with("#!") || !mentions_rsync(*text)) continue;
      begin(source, line.number, line.text);
      remark(Kind::left, "it runs the script " + word +
                             ", which calls rsync; a script can do anything, so read it and write "
                             "the file sets by hand");
      return;
    }
  }

  void take_rsync(const CrontabLine& line, const std::vector<ShellWord>& words) {
    auto command = read_rsync_command(words);
    if (!line.user.empty() && line.user != "root") {
      command.obstacles.push_back("it runs as " + line.user + ", hamn runs as root");
    }
    if (command.obstacles.empty()) check_hosts(command);
    for (const auto& obstacle : command.obstacles) remark(Kind::left, obstacle);
    if (!command.obstacles.empty()) return;
    auto paths = find_paths(command, directory_, context_.home, context_.is_directory);
    for (const auto& problem : paths.problems) remark(Kind::left, problem);
    for (const auto& difference : paths.differences) remark(Kind::differs, difference);
    if (paths.paths.empty()) return;
    ImportedSet set{.settings = {}, .every = line.every, .source = source_, .line = line_};
    auto excludes = find_excludes(command, paths, context_.read);
    for (const auto& difference : excludes.differences) remark(Kind::differs, difference);
    set.settings.exclude = excludes.patterns;
    set.settings.is_faithful = command.keeps_links;
    set.settings.deletes = command.deletes && excludes.is_whole && !command.protects_more;
    if (command.deletes && !set.settings.deletes) {
      remark(Kind::differs,
             "delete is left off: what a filter or a backup protects there could go here; add "
             "delete = true when the file set is right");
    }
    for (const auto& difference : command.differences) remark(Kind::differs, difference);
    take_paths(paths.paths, set);
    if (!set.settings.paths.empty()) keep(line, std::move(set));
  }

  void check_hosts(RsyncCommand& command) const {
    const bool pulls = !command.sources.empty() && !command.sources.front().host.empty();
    const auto& far = pulls ? command.sources.front() : command.destination;
    auto& obstacles = command.obstacles;
    if (far.is_daemon) {
      obstacles.push_back("it speaks to an rsync daemon at " + far.host);
    } else if (far.host.empty()) {
      obstacles.emplace_back("it copies within this host");
    } else if (!far.user.empty() && far.user != "root") {
      obstacles.push_back("it logs in as " + far.user + ", hamn works as root");
    } else if (!context_.other_host.empty() && !is_known(far.host)) {
      obstacles.push_back("it works with " + base::printable(far.host) +
                          ", which is not one of the two management nodes");
    }
    if (pulls && obstacles.empty()) {
      command.differences.push_back("it fetches from " + far.host +
                                    "; hamn sends, from whichever host is the primary");
    }
  }

  [[nodiscard]] bool is_known(const std::string& host) const {
    return context_.other_host.contains(host) ||
           context_.other_host.contains(host.substr(0, host.find('.')));
  }

  /// The name of the set that holds `path` already; empty if none does.
  [[nodiscard]] std::string holder_of(const std::string& path) const {
    for (const auto& [name, present] : context_.present) {
      if (holds(present.paths, path)) return name;
    }
    for (const auto& each : import_.sets) {
      if (holds(each.settings.paths, path)) return each.settings.name;
    }
    return {};
  }

  /// Puts into `set` what no other set has yet.
  void take_paths(const std::vector<std::string>& paths, ImportedSet& set) {
    for (const auto& path : paths) {
      const auto holder = holder_of(path);
      if (holder.empty()) {
        set.settings.paths.push_back(path);
        continue;
      }
      remark(Kind::replaced, path + " is in the file set " + holder + " already");
      if (!set.settings.exclude.empty()) {
        remark(Kind::differs, "the file set " + holder + " does not leave out " +
                                  base::join(set.settings.exclude, ", ") +
                                  "; add that to it if you want it");
      }
    }
  }

  void keep(const CrontabLine& line, ImportedSet set) {
    auto name = name_from(set.settings.paths.front());
    for (int number = 2; names_.contains(name); ++number) {
      name = name_from(set.settings.paths.front()) + "-" + std::to_string(number);
    }
    names_.insert(name);
    set.settings.name = name;
    for (const auto& path : set.settings.paths) {
      if (path == "/etc/xcat" || path == "/etc") {
        set.settings.exclude.emplace_back("/etc/xcat/*.sqlite*");
        remark(Kind::differs,
               "the tables of xCAT in /etc/xcat are left out: hamn db replicate "
               "copies them at one moment");
      }
    }
    if (line.every.count() == 0) {
      set.every = std::chrono::minutes{10};
      remark(Kind::differs, "it ran at boot only; hamn copies every 10 min");
    } else if (line.has_clock_time) {
      remark(Kind::differs, "it ran at set times (" + line.fields +
                                "); hamn counts intervals, and a pass that finds nothing costs "
                                "little: think of a shorter one");
    }
    if (set.every >= half_a_day) set.settings.max_age = 2 * set.every;
    import_.sets.push_back(std::move(set));
  }

  const ImportContext& context_;
  std::set<std::string> names_;
  Import import_;
  std::string source_;
  std::string line_;
  std::string directory_;
};

}  // namespace

Import import_crontabs(const std::vector<CrontabSource>& sources, const ImportContext& context) {
  Importer importer{context};
  for (const auto& source : sources) importer.take(source);
  return importer.finish();
}

}  // namespace hamn::cron
