#include "tests/unit/sync/world.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <random>

#include "base/role.h"
#include "base/worker.h"
#include "tests/support/forgetful_disk.h"

namespace hamn::sync {

namespace {

namespace fs = std::filesystem;

}  // namespace

World::World() {
  fs::create_directories(source("data"));
  fs::create_directories(target(""));
  set = make_moved_set("test", source("data"), target("data"));
  given_role(base::RoleName::standby, 1);
}

std::string World::source(const std::string& path) const {
  return root_ / ("source/" + path);
}
std::string World::target(const std::string& path) const {
  return root_ / ("target/" + path);
}

void World::given(const std::string& path, const std::string& content) {
  test::given_file(source("data/" + path), content);
}

void World::given_role(base::RoleName name, std::uint64_t role_epoch) {
  base::write_role(
      disk_, root_ / "standby/role.json",
      {.host = "mn2", .name = name, .epoch = role_epoch, .since = clock_.wall(), .run = "test"});
}

ReceiverPolicy World::policy() const {
  return {.host = "mn2",
          .sets = {set},
          .role_path = root_ / "standby/role.json",
          .state_directory = root_ / "standby",
          .run_directory = root_ / "standby-run"};
}

SendResult World::pass() {
  return pass([](std::unique_ptr<base::Stream> stream) { return stream; });
}

SendResult World::pass(const Wrap& wrap) {
  return pass_with(disk_, wrap);
}

SendResult World::pass_with(base::Disk& disk, const Wrap& wrap) {
  auto [ours, theirs] = base::make_stream_pair();
  receiver_error.clear();
  base::Worker receiver{[this, &disk, stream = theirs.get()] {
    try {
      receive(*stream, policy(), disk, clock_);
    } catch (const base::Error& error) {
      receiver_error = error.what() + (": " + error.detail());
    } catch (const test::PowerCut&) {
      receiver_error = "power cut";
    }
    stream->close();
  }};
  base::NoProgress progress;
  const auto send = [&, stream = &ours] {
    Connection connection{wrap(std::move(*stream))};
    const SendRequest request{.set = set,
                              .host = "mn1",
                              .run = "test-run",
                              .epoch = epoch,
                              .state_directory = root_ / "primary",
                              .accept_emptied = accept_emptied,
                              .deletes = deletes,
                              .accept_deletions = accept_deletions};
    auto result = send_set(connection, request, clock_, progress);
    (void)connection.finish();
    return result;
  };
  struct Join {
    base::Worker& worker;
    base::Stream& stream;
    ~Join() {
      stream.close();
      worker.join();
    }
  };
  const Join join{receiver, *theirs};
  return send();
}

std::string World::source_tree() const {
  return tree_of(source("data"));
}
std::string World::target_tree() const {
  return tree_of(target("data"));
}

std::string tree_of(const std::string& root) {
  std::vector<std::string> lines;
  std::error_code error;
  const auto options = fs::directory_options::follow_directory_symlink;
  for (const auto& entry : fs::recursive_directory_iterator{root, options, error}) {
    struct stat found {};
    if (::stat(entry.path().c_str(), &found) != 0 ||
        (!S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode))) {
      continue;
    }
    auto line = entry.path().string().substr(root.size()) + " " + std::to_string(found.st_mode) +
                " " + std::to_string(found.st_mtim.tv_sec) + "." +
                std::to_string(found.st_mtim.tv_nsec) + " " + std::to_string(found.st_uid) + ":" +
                std::to_string(found.st_gid);
    if (S_ISREG(found.st_mode)) {
      line += " " + base::xxh128(test::content_of(entry.path().string())).digits();
    }
    lines.push_back(line);
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

std::string noise(std::size_t size, unsigned seed) {
  std::mt19937_64 random{seed};
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; i += 8) {
    const auto word = random();
    std::memcpy(bytes.data() + i, &word, std::min<std::size_t>(8, size - i));
  }
  return bytes;
}

}  // namespace hamn::sync
