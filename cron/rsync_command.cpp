#include "cron/rsync_command.h"

#include <algorithm>

#include "base/text.h"
#include "cron/rsync_options.h"

namespace hamn::cron {

namespace {

RsyncPlace place_of(const ShellWord& word) {
  RsyncPlace place{.user = {}, .host = {}, .path = word.text, .has_pattern = word.has_pattern};
  if (word.text.starts_with("rsync://")) {
    place.is_daemon = true;
    place.host = word.text.substr(8, word.text.find('/', 8) - 8);
    return place;
  }
  // A colon before any slash is what makes it another host; an IPv6 address stands in brackets.
  const auto from = word.text.find('[') < word.text.find('/') ? word.text.find(']') : 0;
  const auto colon = from == std::string::npos ? from : word.text.find(':', from);
  if (colon == std::string::npos || word.text.find('/') < colon) return place;
  auto host = word.text.substr(0, colon);
  place.path = word.text.substr(colon + 1);
  if (place.path.starts_with(":")) place.is_daemon = true;
  if (const auto at = host.rfind('@'); at != std::string::npos) {
    place.user = host.substr(0, at);
    host = host.substr(at + 1);
  }
  if (host.starts_with("[") && host.ends_with("]")) host = host.substr(1, host.size() - 2);
  place.host = host;
  return place;
}

/// Reads words one by one; what is known of rsync stands in rsync_options.cpp.
class OptionReader {
 public:
  explicit OptionReader(const std::vector<ShellWord>& words) : words_(words) {}

  RsyncCommand read() {
    for (; at_ < words_.size(); ++at_) {
      const auto& word = words_[at_].text;
      if (only_places_ || word.size() < 2 || word.front() != '-') {
        places_.push_back(words_[at_]);
      } else if (word == "--") {
        only_places_ = true;
      } else if (word.starts_with("--")) {
        long_option(word.substr(2));
      } else {
        letters(word.substr(1));
      }
    }
    finish();
    return std::move(command_);
  }

 private:
  void long_option(const std::string& word) {
    const auto equals = word.find('=');
    const auto name = word.substr(0, equals);
    const auto* option = find_option(name);
    if (option == nullptr) {
      if (name.starts_with("no-")) return take_back(name.substr(3));
      return unknown("--" + name);
    }
    std::string value;
    if (option->has_value) {
      if (equals != std::string::npos) {
        value = word.substr(equals + 1);
      } else if (!next(value)) {
        return (void)command_.obstacles.push_back("--" + name + " lacks its value");
      }
    }
    apply(*option, "--" + name, value);
  }

  void letters(const std::string& word) {
    for (std::size_t i = 0; i < word.size(); ++i) {
      const auto* option = find_option(word[i]);
      const auto shown = "-" + std::string(1, word[i]);
      if (option == nullptr) {
        unknown(shown);
        continue;
      }
      std::string value;
      if (option->has_value) {
        value = word.substr(i + 1);
        if (value.starts_with("=")) value.erase(0, 1);
        if (value.empty() && !next(value)) {
          return (void)command_.obstacles.push_back(shown + " lacks its value");
        }
        i = word.size();
      }
      apply(*option, shown, value);
    }
  }

  bool next(std::string& value) {
    if (at_ + 1 >= words_.size()) return false;
    value = words_[++at_].text;
    return true;
  }

  void unknown(const std::string& shown) {
    command_.differences.push_back(shown + ": an option that hamn does not know; it has no effect");
  }

  /// --no-perms, --no-o and the like.
  void take_back(const std::string& name) {
    if (name == "perms" || name == "p" || name == "owner" || name == "o" || name == "group" ||
        name == "g" || name == "times" || name == "t") {
      command_.differences.push_back("--no-" + name +
                                     ": hamn always keeps modes, owners and times");
    } else if (name == "links" || name == "l") {
      command_.keeps_links = false;
    } else if (name == "D") {
      copies_special_ = false;
    } else if (name == "recursive" || name == "r") {
      command_.recursive = false;
    } else if (find_option(name) == nullptr) {
      unknown("--no-" + name);
    }
  }

  void apply(const RsyncOption& option, const std::string& shown, const std::string& value) {
    const std::string words{option.words};
    const bool protects = option.letter == 'C' || option.letter == 'F' || option.letter == 'b';
    if (protects || option.name == "backup-dir") command_.protects_more = true;
    switch (option.fate) {
      case OptionFate::same:
        return;
      case OptionFate::differs:
        return (void)command_.differences.push_back(shown + ": " + words);
      case OptionFate::faithful:
        return (void)only_faithful_.push_back(shown + ": " + words);
      case OptionFate::deletes:
        command_.deletes = true;
        return;
      case OptionFate::obstacle:
        return (void)command_.obstacles.push_back(shown + ": " + words);
      case OptionFate::special:
        return option.has_value ? apply_value(option, shown, value) : apply_flag(option);
    }
  }

  void apply_flag(const RsyncOption& option) {
    if (option.letter == 'r' || option.letter == 'a') command_.recursive = true;
    if (option.letter == 'a' || option.letter == 'l') command_.keeps_links = true;
    if (option.letter == 'L') command_.follows_links = true;
    if (option.letter == 'R') command_.relative = true;
    const bool is_special = option.name == "devices" || option.name == "specials";
    if (option.letter == 'a' || option.letter == 'D' || is_special) copies_special_ = true;
  }

  void apply_value(const RsyncOption& option, const std::string& shown, const std::string& value) {
    if (option.letter == 'e') return remote_shell(shown, value);
    using Kind = RsyncFilter::Kind;
    if (option.letter == 'f') return filter_rule(value);
    const auto kind = option.name == "exclude"        ? Kind::exclude
                      : option.name == "include"      ? Kind::include
                      : option.name == "exclude-from" ? Kind::exclude_file
                                                      : Kind::include_file;
    command_.filters.push_back({.kind = kind, .pattern = value});
  }

  void filter_rule(const std::string& rule) {
    const auto words = base::words_of(rule);
    const bool has_two = words.size() == 2;
    if (has_two && (words[0] == "-" || words[0] == "exclude")) {
      command_.filters.push_back({.kind = RsyncFilter::Kind::exclude, .pattern = words[1]});
    } else if (has_two && (words[0] == "+" || words[0] == "include")) {
      command_.filters.push_back({.kind = RsyncFilter::Kind::include, .pattern = words[1]});
    } else {
      command_.filters.push_back({.kind = RsyncFilter::Kind::other, .pattern = rule});
    }
  }

  /// -e "ssh -p 2222 -i key": these belong into [ssh].
  void remote_shell(const std::string& shown, const std::string& value) {
    auto words = base::words_of(value);
    const auto program = words.empty() ? "" : words[0].substr(words[0].rfind('/') + 1);
    if (program != "ssh") {
      command_.differences.push_back(shown + " " + base::printable(value) +
                                     ": hamn uses ssh, and takes its options from [ssh]");
      return;
    }
    for (std::size_t i = 1; i < words.size(); ++i) {
      const auto& word = words[i];
      const char letter = word.size() > 1 && word[0] == '-' ? word[1] : '\0';
      const bool takes_value =
          letter != '\0' && std::string_view{"pilocF"}.find(letter) != std::string_view::npos;
      if (!takes_value) continue;
      const bool apart = word.size() == 2 && i + 1 < words.size();
      shell_option(letter, apart ? words[i + 1] : word.substr(2));
      if (apart) ++i;
    }
  }

  void shell_option(char letter, const std::string& given) {
    if (letter == 'o') {
      command_.differences.push_back("ssh -o " + base::printable(given) +
                                     ": hamn keeps to [ssh] and its own known_hosts");
      return;
    }
    const std::string key = letter == 'p'   ? "port"
                            : letter == 'i' ? "key"
                            : letter == 'l' ? "user"
                                            : "";
    if (key.empty()) return;
    command_.differences.push_back("-" + std::string(1, letter) + " of ssh: set " + key + " = " +
                                   (key == "port" ? given : "\"" + given + "\"") +
                                   " in [ssh] if it is not the same there");
  }

  void finish() {
    command_.keeps_links = command_.keeps_links && !command_.follows_links;
    if (!command_.keeps_links) {
      auto& all = command_.differences;
      all.insert(all.end(), only_faithful_.begin(), only_faithful_.end());
      if (copies_special_) {
        all.emplace_back(
            "-D (part of -a): hamn leaves devices, fifos and sockets out and tells it");
      }
    }
    if (command_.deletes) {
      command_.differences.emplace_back(
          "--delete: hamn holds a deletion back if it is large, or if not all of the source can be "
          "read");
    }
    if (places_.size() < 2) {
      command_.obstacles.emplace_back("it names no destination");
      for (const auto& word : places_) command_.sources.push_back(place_of(word));
      return;
    }
    command_.destination = place_of(places_.back());
    places_.pop_back();
    for (const auto& word : places_) {
      auto place = place_of(word);
      // "mn1:/a :/b" and "mn1:/a /b": the host is that of the first one.
      if (!command_.sources.empty() && word.text.starts_with(":")) {
        place.host = command_.sources.front().host;
        place.user = command_.sources.front().user;
      }
      command_.sources.push_back(std::move(place));
    }
  }

  const std::vector<ShellWord>& words_;
  std::size_t at_ = 0;
  bool only_places_ = false;
  bool copies_special_ = false;
  std::vector<std::string> only_faithful_;  ///< what a compat set does otherwise
  std::vector<ShellWord> places_;
  RsyncCommand command_;
};

}  // namespace

std::string RsyncPlace::text() const {
  if (host.empty() || path.starts_with("rsync://")) return path;
  return (user.empty() ? "" : user + "@") + host + ":" + path;
}

RsyncCommand read_rsync_command(const std::vector<ShellWord>& words) {
  return OptionReader{words}.read();
}

}  // namespace hamn::cron
