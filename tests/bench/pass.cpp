// One pass from a directory to another of the same host, measured: the sender is this process, the
// receiver a child of it, both joined by a socket. Prints wall time, processor time and peak memory
// of either side as one line of JSON.
//
// usage: hamn_bench_pass SOURCE TARGET STATE     (SOURCE and TARGET end in the same name)

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <string>

#include "base/disk.h"
#include "base/error.h"
#include "base/role.h"
#include "base/stream.h"
#include "sync/receiver.h"
#include "sync/sender.h"

namespace {

using namespace hamn;

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

struct Usage {
  double cpu = 0;
  long rss_kb = 0;

  explicit Usage(const rusage& from)
      : cpu(seconds(from.ru_utime) + seconds(from.ru_stime)), rss_kb(from.ru_maxrss) {}
};

int run_receiver(base::Fd socket, const sync::FileSet& set, const std::string& state) {
  base::RealDisk disk;
  base::RealClock clock;
  const sync::ReceiverPolicy policy{.host = "mn2",
                                    .sets = {set},
                                    .role_path = state + "/standby/role.json",
                                    .state_directory = state + "/standby",
                                    .run_directory = state + "/standby-run"};
  base::Fd out{::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0)};
  base::FdStream stream{std::move(socket), std::move(out)};
  try {
    sync::receive(stream, policy, disk, clock);
  } catch (const base::Error& error) {
    std::fprintf(stderr, "receiver: %s: %s\n", error.what(), error.detail().c_str());
    return 1;
  }
  return 0;
}

sync::SendResult run_sender(base::Fd socket, const sync::FileSet& set, const std::string& state) {
  base::RealClock clock;
  base::NoProgress progress;
  base::Fd out{::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0)};
  sync::Connection connection{std::make_unique<base::FdStream>(std::move(socket), std::move(out))};
  auto result = sync::send_set(connection,
                               {.set = set,
                                .host = "mn1",
                                .run = "bench",
                                .epoch = 1,
                                .state_directory = state + "/primary",
                                .accept_emptied = false},
                               clock, progress);
  (void)connection.finish();
  return result;
}

int measure(const std::string& source, const std::string& target, const std::string& state) {
  const auto set = sync::make_moved_set("bench", source, target);
  for (const char* part : {"/primary", "/standby", "/standby-run"}) {
    base::make_directories(state + part, 0700);
  }
  base::RealDisk disk;
  base::write_role(disk, state + "/standby/role.json",
                   {.host = "mn2",
                    .name = base::RoleName::standby,
                    .epoch = 1,
                    .since = base::RealClock{}.wall(),
                    .run = "bench"});
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) < 0) return 1;
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    ::_exit(run_receiver(base::Fd{ends[1]}, set, state));
  }
  ::close(ends[1]);
  const auto result = run_sender(base::Fd{ends[0]}, set, state);
  int status = 0;
  ::waitpid(child, &status, 0);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  rusage own{};
  rusage other{};
  ::getrusage(RUSAGE_SELF, &own);
  ::getrusage(RUSAGE_CHILDREN, &other);
  const Usage sender{own};
  const Usage receiver{other};
  std::printf(
      "{\"wall_s\": %.3f, \"sender_cpu_s\": %.3f, \"receiver_cpu_s\": %.3f, "
      "\"sender_rss_kb\": %ld, \"receiver_rss_kb\": %ld, \"files\": %llu, "
      "\"files_sent\": %llu, \"wire_bytes\": %llu, \"problems\": %llu}\n",
      wall.count(), sender.cpu, receiver.cpu, sender.rss_kb, receiver.rss_kb,
      static_cast<unsigned long long>(result.files),
      static_cast<unsigned long long>(result.files_sent),
      static_cast<unsigned long long>(result.wire_bytes),
      static_cast<unsigned long long>(result.problem_count));
  return status == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) {
    std::fprintf(stderr, "usage: hamn_bench_pass SOURCE TARGET STATE\n");
    return 2;
  }
  try {
    return measure(words[1], words[2], words[3]);
  } catch (const base::Error& error) {
    std::fprintf(stderr, "sender: %s: %s\n", error.what(), error.detail().c_str());
    return 1;
  }
}
