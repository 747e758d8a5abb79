#include "base/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/hash.h"
#include "base/text.h"

namespace hamn::base {

namespace {

using Json = nlohmann::json;
constexpr std::uint64_t journal_limit_bytes = 256ULL << 20U;
constexpr const char* origin_hash = "origin";

/// Invalid UTF-8 (file names, command output) is replaced, since JSON cannot hold it.
std::string dump(const Json& object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

struct Line {
  Event event;
  std::string hash;
  std::string previous;
};

std::optional<Line> parse_line(std::string_view text, std::string& reason) {
  Json object = Json::parse(text, nullptr, false);
  reason = "not a JSON object";
  if (!object.is_object()) return std::nullopt;
  for (const char* field : {"time", "run", "event", "prev", "hash"}) {
    if (!object.contains(field) || !object[field].is_string()) {
      reason = std::string{"has no text field \""} + field + "\"";
      return std::nullopt;
    }
  }
  if (!object.contains("n") || !object["n"].is_number_unsigned() || !object.contains("facts") ||
      !object["facts"].is_object()) {
    reason = "has no number or no facts";
    return std::nullopt;
  }
  Line line;
  line.hash = object["hash"];
  line.previous = object["prev"];
  object.erase("hash");
  if (sha256(dump(object)) != line.hash) {
    reason = "its hash does not fit its content";
    return std::nullopt;
  }
  const auto time = parse_wall_time(object["time"].get_ref<const std::string&>());
  reason = "has an impossible time";
  if (!time) return std::nullopt;
  line.event = {.number = object["n"], .time = *time, .run = object["run"],
                .kind = object["event"], .facts = {}};
  for (const auto& [name, value] : object["facts"].items()) {
    line.event.facts[name] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  return line;
}

}  // namespace

FileJournal::FileJournal(Disk& disk, Clock& clock, std::string path, std::string run)
    : disk_(disk), clock_(clock), path_(std::move(path)), run_(std::move(run)),
      last_hash_(origin_hash) {
  const auto slash = path_.rfind('/');
  make_directories(path_.substr(0, slash), 0700);
  const Fd directory = disk_.open_root(path_.substr(0, slash));
  const auto name = path_.substr(slash + 1);
  const bool is_new = !disk_.status(directory.get(), name).has_value();
  if (is_new) {
    (void)disk_.create_file(directory.get(), name, 0600);
    disk_.sync_directory(directory.get());
  }
  file_ = Fd{::open(path_.c_str(), O_RDWR | O_CLOEXEC)};
  if (!file_.is_open()) throw DiskError{"cannot open the journal " + path_, errno};
}

void FileJournal::append(const std::string& kind, const Facts& facts) {
  struct Unlock {
    int fd;
    ~Unlock() { ::flock(fd, LOCK_UN); }
  };
  if (::flock(file_.get(), LOCK_EX) < 0) throw DiskError{"cannot lock " + path_, errno};
  const Unlock unlock{file_.get()};
  catch_up();
  write_event(kind, facts);
}

void FileJournal::catch_up() {
  struct stat found {};
  if (::fstat(file_.get(), &found) < 0) throw DiskError{"cannot look at " + path_, errno};
  const auto size = static_cast<std::uint64_t>(found.st_size);
  if (size == size_bytes_) return;
  if (size < size_bytes_) {  // somebody cut it: what is left decides
    size_bytes_ = 0;
    last_number_ = 0;
    last_hash_ = origin_hash;
  }
  std::string text(size - size_bytes_, '\0');
  const auto got = ::pread(file_.get(), text.data(), text.size(), static_cast<off_t>(size_bytes_));
  if (got < 0) throw DiskError{"cannot read " + path_, errno};
  text.resize(static_cast<std::size_t>(got));
  const auto whole = text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1;
  std::string reason;
  for (const auto& each : lines_of(std::string_view{text}.substr(0, whole))) {
    if (const auto line = parse_line(each, reason)) {
      last_number_ = std::max(last_number_, line->event.number);
      last_hash_ = line->hash;
    }
  }
  size_bytes_ += whole;
  if (whole < text.size()) {
    disk_.truncate(file_.get(), size_bytes_);
    write_event("journal_recovered", {{"cut_bytes", std::to_string(text.size() - whole)}});
  }
}

void FileJournal::write_event(const std::string& kind, const Facts& facts) {
  Json object{{"n", last_number_ + 1},   {"time", to_text(clock_.wall())},
              {"run", run_},             {"event", kind},
              {"facts", Json::object()}, {"prev", last_hash_}};
  for (const auto& [name, value] : facts) object["facts"][name] = value;
  // What is hashed is what a reader will parse: dump() may have replaced invalid UTF-8.
  object = Json::parse(dump(object));
  const auto hash = sha256(dump(object));
  object["hash"] = hash;
  const auto line = dump(object) + "\n";
  disk_.write(file_.get(), line, size_bytes_);
  disk_.sync_file(file_.get());
  size_bytes_ += line.size();
  ++last_number_;
  last_hash_ = hash;
}

JournalContent parse_journal(std::string_view text) {
  JournalContent content;
  std::string expected = origin_hash;
  std::uint64_t number = 0;
  std::string reason;
  const bool torn = !text.empty() && text.back() != '\n';
  const auto lines = lines_of(text);
  for (const auto& each : lines) {
    ++number;
    const auto line = parse_line(each, reason);
    if (!line) {
      if (torn && number == lines.size()) reason = "is torn (as by a power cut)";
      content.damage.push_back({.line = number, .reason = reason});
      continue;
    }
    if (line->previous != expected) {
      content.damage.push_back({.line = number, .reason = "does not follow the line before it"});
    }
    expected = line->hash;
    content.events.push_back(line->event);
  }
  return content;
}

JournalContent read_journal(const std::string& path) {
  return parse_journal(read_file(path, journal_limit_bytes).value_or(""));
}

std::string new_run_id(const Clock& clock) {
  auto text = to_text(clock.wall()).substr(0, 19);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text + "Z-" + random_digits(3);
}

}  // namespace hamn::base
