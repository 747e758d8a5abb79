#include "sync/staging.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <map>
#include <set>

#include "base/text.h"
#include "base/worker.h"

namespace hamn::sync {

namespace {

constexpr std::size_t directories_per_round = 16;
constexpr std::size_t smallest_shared_round = 256;

base::Fd duplicate(int fd) {
  return base::Fd{::fcntl(fd, F_DUPFD_CLOEXEC, 0)};
}

/// A directory gives way only if it is empty, as in rsync.
void rename_over(base::Disk& disk, int from, const std::string& name, int to,
                 const std::string& final_name) {
  try {
    return disk.rename(from, name, to, final_name);
  } catch (const base::DiskError& error) {
    if (error.error_number() != EISDIR) throw;
  }
  disk.remove_directory(to, final_name);
  disk.rename(from, name, to, final_name);
}

}  // namespace

Staging::Staging(base::Disk& disk, std::string record, std::string name)
    : disk_(disk), record_(std::move(record)), name_(std::move(name)) {}

void Staging::sweep() {
  const auto text = base::read_file(record_);
  if (!text) return;
  for (const auto& escaped : base::lines_of(*text)) {
    const auto path = base::unhex(escaped);
    if (!path || !path->starts_with('/')) continue;
    std::optional<base::Fd> holder;
    try {
      holder = disk_.open_root(*path);
    } catch (const base::DiskError&) {
      continue;  // the directory is gone, and the staging directory with it
    }
    const auto left = disk_.open_directory(holder->get(), name_);
    if (!left) continue;
    base::remove_content(disk_, left->get());
    disk_.remove_directory(holder->get(), name_);
  }
}

int Staging::make_place(int holder, const std::string& path) {
  recorded_.push_back(base::hex(path));
  base::replace_file(
      disk_, {.path = record_, .content = base::join(recorded_, "\n") + "\n", .mode = 0600});
  const auto before = disk_.status_of(holder);
  if (const auto left = disk_.open_directory(holder, name_)) {
    base::remove_content(disk_, left->get());
  } else {
    disk_.make_directory(holder, name_, 0700);
  }
  auto opened = disk_.open_directory(holder, name_);
  if (!opened) throw base::DiskError{"cannot open the staging directory in " + path, ENOENT};
  places_.push_back({.device = before.device,
                     .directory = std::move(*opened),
                     .holder = duplicate(holder),
                     .holder_modified = before.modified,
                     .parts = {}});
  return static_cast<int>(places_.size()) - 1;
}

int Staging::place_for(int directory, int top, const std::string& top_path,
                       const std::string& directory_path) {
  const auto device = disk_.status_of(directory).device;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (places_[i].device == device) return static_cast<int>(i);
  }
  const bool at_top = disk_.status_of(top).device == device;
  return make_place(at_top ? top : directory, at_top ? top_path : directory_path);
}

Staging::File Staging::create(int directory, int top, const std::string& top_path,
                              const std::string& directory_path) {
  File file;
  file.place = place_for(directory, top, top_path, directory_path);
  file.name = std::to_string(++counter_);
  file.fd = disk_.create_file(places_[static_cast<std::size_t>(file.place)].directory.get(),
                              file.name, 0600);
  return file;
}

Staging::File Staging::create_other(int directory, int top, const std::string& top_path,
                                    const std::string& directory_path,
                                    const std::function<void(int, const std::string&)>& make) {
  File file;
  file.place = place_for(directory, top, top_path, directory_path);
  file.name = std::to_string(++counter_);
  make(places_[static_cast<std::size_t>(file.place)].directory.get(), file.name);
  return file;
}

Staging::File Staging::reserve(int place, unsigned part) {
  File file;
  file.place = place;
  file.name = std::to_string(++counter_);
  if (!is_large()) return file;
  auto& parts = places_[static_cast<std::size_t>(place)].parts;
  const int in = places_[static_cast<std::size_t>(place)].directory.get();
  while (parts.size() <= part) {
    const auto name = "part" + std::to_string(parts.size());
    disk_.make_directory(in, name, 0700);
    auto opened = disk_.open_directory(in, name);
    if (!opened) throw base::DiskError{"cannot open a staging directory", ENOENT};
    parts.push_back(std::move(*opened));
  }
  file.part = static_cast<int>(part);
  return file;
}

int Staging::directory_of(const File& file) const {
  const auto& place = places_[static_cast<std::size_t>(file.place)];
  return file.part < 0 ? place.directory.get()
                       : place.parts[static_cast<std::size_t>(file.part)].get();
}

Staging::Pending& Staging::pending_with(std::uint64_t tag) {
  return *std::lower_bound(
      pending_.begin(), pending_.end(), tag,
      [](const Pending& pending, std::uint64_t wanted) { return pending.tag < wanted; });
}

void Staging::written(std::uint64_t tag, base::Fd fd) {
  if (!is_large()) pending_with(tag).file.fd = std::move(fd);
}

void Staging::forget(std::uint64_t tag) {
  auto& pending = pending_with(tag);
  pending.is_forgotten = true;
  const int directory = directory_of(pending.file);
  if (disk_.status(directory, pending.file.name)) disk_.remove_file(directory, pending.file.name);
}

void Staging::add(File file, std::uint32_t directory, const std::string& final_name,
                  std::uint64_t tag) {
  pending_.push_back(
      {.file = std::move(file), .directory = directory, .final_name = final_name, .tag = tag});
  // Many open files are of no use: a large batch is synced per file system.
  if (pending_.size() == large_batch + 1) {
    for (auto& each : pending_) each.file.fd.reset();
  } else if (is_large()) {
    pending_.back().file.fd.reset();
  }
}

void Staging::discard(const File& file) {
  disk_.remove_file(directory_of(file), file.name);
}

void Staging::sync_pending() {
  if (!is_large()) {
    for (const auto& each : pending_) {
      if (each.file.fd.is_open() && !each.is_forgotten) disk_.sync_file(each.file.fd.get());
    }
    return;
  }
  std::set<int> used;
  for (const auto& each : pending_) used.insert(each.file.place);
  for (const int place : used) {
    disk_.sync_filesystem(places_[static_cast<std::size_t>(place)].directory.get());
  }
}

std::optional<Staging::Failure> Staging::put_in_place(const Pending& pending, int to) {
  const int from = directory_of(pending.file);
  try {
    rename_over(disk_, from, pending.file.name, to, pending.final_name);
    return std::nullopt;
  } catch (const base::DiskError& error) {
    disk_.remove_file(from, pending.file.name);
    return Failure{
        .tag = pending.tag, .detail = error.detail(), .error_number = error.error_number()};
  }
}

std::size_t Staging::end_of_round(std::size_t begin) const {
  std::set<std::uint32_t> directories;
  for (auto end = begin; end < pending_.size(); ++end) {
    directories.insert(pending_[end].directory);
    if (directories.size() > directories_per_round) return end;
  }
  return pending_.size();
}

void Staging::put_round_in_place(std::size_t begin, std::size_t end,
                                 const std::function<int(std::uint32_t)>& open,
                                 std::vector<Failure>& failures) {
  std::map<std::uint32_t, int> directories;
  for (auto i = begin; i < end; ++i) directories[pending_[i].directory] = -1;
  for (auto& [number, fd] : directories) fd = open(number);
  const bool is_shared = end - begin >= smallest_shared_round;
  std::array<std::vector<Failure>, 2> found;
  // Files of one directory stay with one thread: their order counts, and a directory takes one name
  // at a time.
  const auto rename_part = [&](std::uint32_t part) {
    for (auto i = begin; i < end; ++i) {
      const auto& pending = pending_[i];
      if (pending.is_forgotten || (is_shared && pending.directory % 2 != part)) continue;
      auto failure = put_in_place(pending, directories.at(pending.directory));
      if (failure) found.at(part).push_back(std::move(*failure));
    }
  };
  std::optional<base::Worker> other;
  if (is_shared) other.emplace([&] { rename_part(1); });
  rename_part(0);
  if (other) other->join();
  for (auto& each : found) std::move(each.begin(), each.end(), std::back_inserter(failures));
}

std::vector<Staging::Failure> Staging::commit(const std::function<int(std::uint32_t)>& open) {
  std::vector<Failure> failures;
  sync_pending();
  for (std::size_t begin = 0; begin < pending_.size();) {
    const auto end = end_of_round(begin);
    put_round_in_place(begin, end, open, failures);
    begin = end;
  }
  pending_.clear();
  return failures;
}

void Staging::close() {
  for (const auto& place : places_) {
    base::remove_content(disk_, place.directory.get());
    disk_.remove_directory(place.holder.get(), name_);
    disk_.set_modified(place.holder.get(), place.holder_modified);
  }
  places_.clear();
  recorded_.clear();
}

}  // namespace hamn::sync
