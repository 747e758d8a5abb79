#include <dirent.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <unordered_map>

#include "base/error.h"
#include "base/fd.h"
#include "sync/event_source.h"

namespace hamn::sync {

namespace {

constexpr std::uint32_t wanted = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MODIFY |
                                 IN_CLOSE_WRITE | IN_ATTRIB | IN_ONLYDIR | IN_EXCL_UNLINK;

class InotifySource : public EventSource {
 public:
  explicit InotifySource(const std::vector<FileSet>& sets) : file_(open_queue()), sets_(sets) {
    watch_all();
  }

  [[nodiscard]] std::string name() const override { return "inotify"; }

  [[nodiscard]] ChangeEvents wait(base::Milliseconds limit) override {
    ChangeEvents found;
    pollfd ready{.fd = file_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, static_cast<int>(limit.count())) <= 0) return found;
    alignas(inotify_event) std::array<char, 65536> buffer{};
    const auto got = ::read(file_.get(), buffer.data(), buffer.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return found;
    if (got < 0) throw base::system_error("cannot read inotify events", errno, "run it again");
    for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      take(event, event.len > 0 ? buffer.data() + at + sizeof event : "", found);
      at += sizeof event + event.len;
    }
    if (found.lost) {
      // Who knows which directories came unseen.
      file_ = open_queue();
      paths_.clear();
      watch_all();
    }
    return found;
  }

 private:
  static base::Fd open_queue() {
    base::Fd queue{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    if (queue.get() < 0)
      throw base::system_error("cannot watch by inotify", errno, "files are polled");
    return queue;
  }

  void watch_all() {
    ChangeEvents found;  // everything is looked at anyway
    for (const auto& set : sets_) {
      for (const auto& root : set.roots) watch_below(root.source_parent, found);
    }
  }

  void take(const inotify_event& event, const char* name, ChangeEvents& found) {
    if ((event.mask & IN_Q_OVERFLOW) != 0) found.lost = true;
    const auto watch = paths_.find(event.wd);
    if (watch == paths_.end()) return;
    if ((event.mask & IN_IGNORED) != 0) {
      paths_.erase(watch);
      return;
    }
    const auto directory = watch->second;
    found.events.push_back({.directory = directory, .name = name});
    if ((event.mask & IN_MOVED_FROM) != 0 && (event.mask & IN_ISDIR) != 0) {
      forget_below((directory == "/" ? "" : directory) + "/" + name);
    }
    const bool is_new = (event.mask & (IN_CREATE | IN_MOVED_TO)) != 0;
    if (is_new && (event.mask & IN_ISDIR) != 0) {
      watch_below((directory == "/" ? "" : directory) + "/" + name, found);
    }
  }

  /// A directory that moved keeps its watch; its old path must not be told any more.
  void forget_below(const std::string& path) {
    for (auto each = paths_.begin(); each != paths_.end();) {
      const bool below = each->second == path || each->second.starts_with(path + "/");
      if (below) (void)::inotify_rm_watch(file_.get(), each->first);
      each = below ? paths_.erase(each) : std::next(each);
    }
  }

  [[nodiscard]] bool is_wanted(const std::string& directory) const {
    for (const auto& set : sets_) {
      if (concerns(set, {.directory = directory, .name = {}})) return true;
    }
    return false;
  }

  /// Tells each directory that is watched from now on: what came into it before has no event.
  void watch_below(const std::string& path, ChangeEvents& found) {
    if (!is_wanted(path)) return;
    const int watch = ::inotify_add_watch(file_.get(), path.c_str(), wanted);
    if (watch < 0) {
      if (errno != ENOSPC) return;  // gone meanwhile, or no directory
      throw base::system_error("cannot watch all directories by inotify", errno,
                               "raise it: sysctl fs.inotify.max_user_watches=1048576");
    }
    if (!paths_.emplace(watch, path).second) return;  // a link that leads to what is watched
    found.events.push_back({.directory = path, .name = {}});
    const std::unique_ptr<DIR, int (*)(DIR*)> opened{::opendir(path.c_str()), &::closedir};
    while (opened != nullptr) {
      const auto* entry = ::readdir(opened.get());
      if (entry == nullptr) return;
      const std::string name{static_cast<const char*>(entry->d_name)};
      const bool may_be =
          entry->d_type == DT_DIR || entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN;
      if (may_be && name != "." && name != "..") {
        watch_below((path == "/" ? "" : path) + "/" + name, found);
      }
    }
  }

  base::Fd file_;
  std::vector<FileSet> sets_;
  std::unordered_map<int, std::string> paths_;
};

}  // namespace

std::unique_ptr<EventSource> make_inotify_source(const std::vector<FileSet>& sets) {
  return std::make_unique<InotifySource>(sets);
}

}  // namespace hamn::sync
