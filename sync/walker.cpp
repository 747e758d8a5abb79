#include "sync/walker.h"

#include <algorithm>
#include <thread>

#include "base/text.h"
#include "sync/listing.h"

namespace hamn::sync {

namespace {

constexpr std::size_t deepest_level = 200;
constexpr unsigned most_threads = 4;  // each may hold as many descriptors as the walk is deep
constexpr std::size_t most_waiting_entries = 20'000;

/// True if `path` or something below it is in `dirty`.
bool leads_to(const std::set<std::string>& dirty, const std::string& path) {
  if (dirty.contains(path)) return true;
  const auto inside = dirty.lower_bound(path + "/");  // "a-b" sorts between "a" and "a/b"
  return inside != dirty.end() && inside->starts_with(path + "/");
}

std::string path_in(const OpenDirectory& directory, const std::string& name) {
  return (directory.path == "/" ? "" : directory.path) + "/" + name;
}

bool is_above(const FoundDirectory* directory, const OpenDirectory& opened) {
  for (; directory != nullptr && directory->depth > 0; directory = directory->above.get()) {
    if (directory->directory.device == opened.device && directory->directory.inode == opened.inode)
      return true;
  }
  return false;
}

/// Opens child number `number` of `above`; without a descriptor if it is to be left out.
std::shared_ptr<FoundDirectory> enter(const std::shared_ptr<FoundDirectory>& above,
                                      std::size_t number) {
  auto found = std::make_shared<FoundDirectory>();
  found->child = std::move(above->children[number]);
  found->above = above;
  found->depth = above->depth + 1;
  const auto& name = found->child.self.name;
  found->key = below(above->key, name);
  const auto path = path_in(above->directory, name);
  const auto leave_out = [&](ProblemKind kind, const std::string& detail) {
    found->problems.push_back({.kind = kind, .path = path, .detail = detail});
    return found;
  };
  try {
    auto opened = open_below(above->directory, name);
    if (!opened) return leave_out(ProblemKind::vanished, {});
    if (is_above(above.get(), *opened)) {
      return leave_out(ProblemKind::loop, "a link to a directory above it");
    }
    if (found->depth > deepest_level) {
      return leave_out(ProblemKind::unreadable, "nested too deeply");
    }
    found->directory = std::move(*opened);
  } catch (const base::DiskError& error) {
    return leave_out(ProblemKind::unreadable, error.detail());
  }
  return found;
}

void list_all(FoundDirectory& found, const FileSet& set, std::vector<Entry> before, bool compare) {
  found.is_unchanged = false;
  found.listing = list_source(found.directory, set, found.key);
  found.before = std::move(before);
  take_listing(found, compare);
}

void look_into(FoundDirectory& found, const FileSet& set, IndexReader& index,
               QuickComparison& quick, bool compare) {
  try {
    // A quick look sees neither links nor extended attributes.
    const bool may_be_quick = compare && !found.directory.looking.sees_all_kinds;
    const auto row = may_be_quick ? index.row(found.key) : std::string_view{};
    if (row.empty() || !quick.is_unchanged(found, set, row)) {
      list_all(found, set, index.directory(found.key), compare);
    }
    found.is_listed = true;
  } catch (const base::DiskError& error) {
    found.children.clear();
    found.problems.push_back(
        {.kind = ProblemKind::unreadable, .path = found.directory.path, .detail = error.detail()});
  }
}

}  // namespace

void take_listing(FoundDirectory& found, bool compare) {
  for (const auto& entry : found.listing.entries) {
    if (entry.kind == Kind::directory) {
      const auto* known = compare ? find_entry(found.before, entry.name) : nullptr;
      found.children.push_back(compare_child(known, entry));
    } else if (entry.kind == Kind::file) {
      ++found.files;
      found.bytes += entry.size_bytes;
    }
  }
}

FoundDirectory::Child compare_child(const Entry* before, const Entry& now) {
  FoundDirectory::Child child{.self = now};
  if (before == nullptr || before->kind != now.kind) return child;
  child.is_visibly_different = looks_different(*before, now);
  child.is_different =
      child.is_visibly_different || before->changed != now.changed || before->inode != now.inode;
  return child;
}

Walker::Walker(const FileSet& set, const std::string& index_path, bool compare,
               const std::set<std::string>* dirty)
    : set_(set), index_path_(index_path), compare_(compare), dirty_(compare ? dirty : nullptr) {
  const auto threads = std::clamp(std::thread::hardware_concurrency(), 1U, most_threads);
  for (unsigned i = 0; i < threads; ++i) workers_.emplace_back([this] { run(); });
}

Walker::~Walker() {
  const std::lock_guard lock{mutex_};
  stopped_ = true;
  work_came_.notify_all();
  room_came_.notify_all();
}

void Walker::drop_clean(FoundDirectory& found) const {
  if (dirty_ == nullptr) return;
  std::erase_if(found.children, [&](const FoundDirectory::Child& child) {
    return !child.is_different && !leads_to(*dirty_, path_in(found.directory, child.self.name));
  });
}

void Walker::add(const std::shared_ptr<FoundDirectory>& top) {
  drop_clean(*top);
  const std::lock_guard lock{mutex_};
  if (top->children.empty()) return;
  unfinished_ += top->children.size();
  open_.push_back({.directory = top});
  work_came_.notify_all();
}

std::shared_ptr<FoundDirectory> Walker::next() {
  std::unique_lock lock{mutex_};
  result_came_.wait(
      lock, [this] { return failure_ != nullptr || !results_.empty() || unfinished_ == 0; });
  if (failure_ != nullptr) std::rethrow_exception(failure_);
  if (results_.empty()) return nullptr;
  auto found = std::move(results_.front());
  results_.pop_front();
  const bool was_full = waiting_entries_ >= most_waiting_entries;
  waiting_entries_ -= found->listing.entries.size();
  if (was_full && waiting_entries_ < most_waiting_entries) room_came_.notify_all();
  return found;
}

bool Walker::take(std::shared_ptr<FoundDirectory>& above, std::size_t& child) {
  std::unique_lock lock{mutex_};
  work_came_.wait(lock, [this] { return stopped_ || !open_.empty(); });
  if (stopped_) return false;
  auto& last = open_.back();
  child = last.next_child++;
  above = last.directory;
  if (last.next_child == above->children.size()) open_.pop_back();
  return true;
}

bool Walker::put(const std::shared_ptr<FoundDirectory>& found) {
  std::unique_lock lock{mutex_};
  room_came_.wait(lock, [this] { return stopped_ || waiting_entries_ < most_waiting_entries; });
  if (stopped_) return false;
  --unfinished_;
  waiting_entries_ += found->listing.entries.size();
  if (!found->children.empty()) {
    unfinished_ += found->children.size();
    open_.push_back({.directory = found});
    work_came_.notify_all();
  }
  results_.push_back(found);
  result_came_.notify_one();
  return true;
}

void Walker::work() {
  IndexReader index{index_path_};
  QuickComparison quick;
  std::shared_ptr<FoundDirectory> above;
  std::size_t child = 0;
  while (take(above, child)) {
    const auto found = enter(above, child);
    above.reset();
    if (found->problems.empty()) look_into(*found, set_, index, quick, compare_);
    drop_clean(*found);
    if (!put(found)) return;
  }
}

void Walker::run() noexcept {
  try {
    work();
  } catch (...) {
    const std::lock_guard lock{mutex_};
    failure_ = std::current_exception();
    result_came_.notify_all();
  }
}

}  // namespace hamn::sync
