#include <fcntl.h>
#include <poll.h>
#include <sys/fanotify.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <map>

#include "base/error.h"
#include "base/fd.h"
#include "sync/event_source.h"

namespace hamn::sync {

namespace {

constexpr std::uint64_t wanted = FAN_CREATE | FAN_DELETE | FAN_MOVED_FROM | FAN_MOVED_TO |
                                 FAN_MODIFY | FAN_CLOSE_WRITE | FAN_ATTRIB | FAN_ONDIR;
constexpr const char* hint = "inotify is used instead; run as root on Linux 5.9 or later for more";

using FilesystemId = std::array<int, 2>;

class FanotifySource : public EventSource {
 public:
  explicit FanotifySource(const std::vector<FileSet>& sets)
      : file_(::fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME | FAN_CLOEXEC | FAN_NONBLOCK,
                              O_RDONLY)) {
    if (file_.get() < 0) throw base::system_error("cannot watch by fanotify", errno, hint);
    for (const auto& set : sets) {
      for (const auto& root : set.roots) {
        mark(root.source_parent);
        if (root.pattern.find_first_of("*?") == std::string::npos) {
          mark((root.source_parent == "/" ? "" : root.source_parent) + "/" + root.pattern);
        }
      }
    }
  }

  [[nodiscard]] std::string name() const override { return "fanotify"; }

  [[nodiscard]] ChangeEvents wait(base::Milliseconds limit) override {
    ChangeEvents found;
    pollfd ready{.fd = file_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, static_cast<int>(limit.count())) <= 0) return found;
    alignas(fanotify_event_metadata) std::array<char, 65536> buffer{};
    const auto got = ::read(file_.get(), buffer.data(), buffer.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return found;
    if (got < 0) throw base::system_error("cannot read fanotify events", errno, "run it again");
    const auto size = static_cast<std::size_t>(got);
    for (std::size_t at = 0; at + sizeof(fanotify_event_metadata) <= size;) {
      fanotify_event_metadata event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      if (event.event_len < sizeof event || at + event.event_len > size) break;
      if ((event.mask & FAN_Q_OVERFLOW) != 0) found.lost = true;
      read_one({buffer.data() + at, event.event_len}, event.metadata_len, found);
      at += event.event_len;
    }
    return found;
  }

 private:
  void mark(const std::string& path) {
    base::Fd place{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
    struct statfs status {};
    if (place.get() < 0 || ::fstatfs(place.get(), &status) != 0) return;  // not there yet
    FilesystemId id{};
    std::memcpy(id.data(), &status.f_fsid, sizeof id);
    if (filesystems_.contains(id)) return;
    if (::fanotify_mark(file_.get(), FAN_MARK_ADD | FAN_MARK_FILESYSTEM, wanted, AT_FDCWD,
                        path.c_str()) != 0) {
      throw base::system_error("cannot watch the file system of " + path + " by fanotify", errno,
                               hint);
    }
    filesystems_[id] = std::move(place);
  }

  /// The directory handle and the name behind the metadata of one event.
  void read_one(std::string_view event, std::size_t at, ChangeEvents& found) const {
    fanotify_event_info_fid info{};
    if (at + sizeof info > event.size()) return;
    std::memcpy(&info, event.data() + at, sizeof info);
    if (info.hdr.info_type != FAN_EVENT_INFO_TYPE_DFID_NAME &&
        info.hdr.info_type != FAN_EVENT_INFO_TYPE_DFID) {
      return;
    }
    // A file_handle with its bytes behind it, which C++ has no type for.
    alignas(file_handle) std::array<char, sizeof(file_handle) + MAX_HANDLE_SZ> space{};
    auto* handle = reinterpret_cast<file_handle*>(space.data());
    const auto from = at + sizeof info;
    if (from + sizeof(file_handle) > event.size()) return;
    std::memcpy(space.data(), event.data() + from, sizeof(file_handle));
    const auto size = sizeof(file_handle) + handle->handle_bytes;
    if (size > space.size() || from + size > event.size()) return;
    std::memcpy(space.data(), event.data() + from, size);
    const auto behind = from + size;
    FilesystemId id{};
    std::memcpy(id.data(), &info.fsid, sizeof id);
    const auto filesystem = filesystems_.find(id);
    if (filesystem == filesystems_.end()) return;
    const base::Fd directory{
        ::open_by_handle_at(filesystem->second.get(), handle, O_PATH | O_CLOEXEC)};
    if (directory.get() < 0) return;  // gone; the directory above has an event of its own
    const auto link = "/proc/self/fd/" + std::to_string(directory.get());
    std::array<char, PATH_MAX> path{};
    const auto length = ::readlink(link.c_str(), path.data(), path.size());
    if (length <= 0) return;
    std::string name;
    if (info.hdr.info_type == FAN_EVENT_INFO_TYPE_DFID_NAME) {
      const auto text = event.substr(behind);
      name = std::string{text.substr(0, text.find('\0'))};
    }
    found.events.push_back({.directory = {path.data(), static_cast<std::size_t>(length)},
                            .name = name == "." ? std::string{} : name});
  }

  base::Fd file_;
  std::map<FilesystemId, base::Fd> filesystems_;
};

}  // namespace

std::unique_ptr<EventSource> make_fanotify_source(const std::vector<FileSet>& sets) {
  return std::make_unique<FanotifySource>(sets);
}

}  // namespace hamn::sync
