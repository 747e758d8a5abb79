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

/// flock(2) for as long as it lives. Waits for whoever has it: appends are short.
class FileLock {
 public:
  FileLock(int fd, const std::string& path) : fd_(fd) {
    while (::flock(fd_, LOCK_EX) < 0) {
      if (errno != EINTR) throw DiskError{"cannot lock " + path, errno};
    }
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock() { ::flock(fd_, LOCK_UN); }

 private:
  int fd_;
};

std::string read_part(int fd, std::uint64_t offset, std::uint64_t size, const std::string& path) {
  std::string text(size, '\0');
  for (std::size_t have = 0; have < text.size();) {
    const auto got =
        ::pread(fd, text.data() + have, text.size() - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw DiskError{"cannot read " + path, got < 0 ? errno : EIO};
    have += static_cast<std::size_t>(got);
  }
  return text;
}

bool has_only_texts(const Json& facts) {
  return facts.is_object() && std::all_of(facts.begin(), facts.end(),
                                          [](const Json& value) { return value.is_string(); });
}

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
      !has_only_texts(object["facts"]) || object.size() != 7) {
    reason = "has no number, no facts, or more than belongs there";
    return std::nullopt;
  }
  if (dump(object) != text) {  // a name twice, a blank, another spelling of the same character
    reason = "is not written the way hamn writes";
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
  line.event = {.number = object["n"],
                .time = *time,
                .run = object["run"],
                .kind = object["event"],
                .facts = {}};
  for (const auto& [name, value] : object["facts"].items()) line.event.facts[name] = value;
  return line;
}

}  // namespace

FileJournal::FileJournal(Disk& disk, Clock& clock, std::string path, std::string run)
    : disk_(disk),
      clock_(clock),
      path_(std::move(path)),
      run_(std::move(run)),
      last_hash_(origin_hash) {
  const auto slash = path_.rfind('/');
  make_directories(path_.substr(0, slash), 0700);
  const Fd directory = disk_.open_root(path_.substr(0, slash));
  const auto name = path_.substr(slash + 1);
  {
    const FileLock lock{directory.get(), path_};
    if (!disk_.status(directory.get(), name)) {
      (void)disk_.create_file(directory.get(), name, 0600);
    }
    // Also if it was there: who made it may have ended before this.
    disk_.sync_directory(directory.get());
  }
  file_ = Fd{::open(path_.c_str(), O_RDWR | O_CLOEXEC)};
  if (!file_.is_open()) throw DiskError{"cannot open the journal " + path_, errno};
}

void FileJournal::append(const std::string& kind, const Facts& facts) {
  const FileLock lock{file_.get(), path_};
  catch_up();
  write_event(kind, facts);
}

void FileJournal::catch_up() {
  struct stat found {};
  if (::fstat(file_.get(), &found) < 0) throw DiskError{"cannot look at " + path_, errno};
  const auto size = static_cast<std::uint64_t>(found.st_size);
  if (found.st_nlink == 0) throw DiskError{"cannot write to the removed file " + path_, ENOENT};
  if (size == size_bytes_) return;
  if (size < size_bytes_) {  // somebody cut it: what is left decides
    size_bytes_ = 0;
    last_number_ = 0;
    last_hash_ = origin_hash;
  }
  const auto text = read_part(file_.get(), size_bytes_, size - size_bytes_, path_);
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
  Json object{{"n", last_number_ + 1}, {"time", to_text(clock_.wall())}, {"run", run_},
              {"event", kind},         {"facts", Json::object()},        {"prev", last_hash_}};
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
    auto line = parse_line(each, reason);
    if (torn && number == lines.size()) {  // append() had not returned
      line = std::nullopt;
      reason = "is torn (as by a power cut)";
    }
    if (!line) {
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
