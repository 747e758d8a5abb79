#include "base/process.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"

extern char** environ;

namespace hamn::base {

namespace {

/// A process that waits in the kernel, for a file server that is gone, does not even end at
/// SIGKILL.
constexpr Milliseconds kernel_grace{5000};

/// Everything the child needs, made before fork(): after it only async-signal-safe calls are safe.
struct Preparation {
  std::vector<std::string> words;
  std::vector<char*> argv;
  std::vector<std::string> variables;
  std::vector<char*> envp;
  bool changes_user = false;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};

void resolve_user(const std::string& user, Preparation& made,
                  std::map<std::string, std::string>& env) {
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr) {
    throw Error{{.what = "cannot run a command as user " + user,
                 .detail = "there is no such user",
                 .hint = "create the user, or correct its name in the configuration"}};
  }
  made.changes_user = true;
  made.uid = entry->pw_uid;
  made.gid = entry->pw_gid;
  int count = 0;
  ::getgrouplist(user.c_str(), made.gid, nullptr, &count);
  made.groups.resize(static_cast<std::size_t>(std::max(count, 1)));
  count = static_cast<int>(made.groups.size());
  ::getgrouplist(user.c_str(), made.gid, made.groups.data(), &count);
  env["HOME"] = entry->pw_dir;
  env["USER"] = env["LOGNAME"] = user;
}

Preparation prepare(const Command& command) {
  Preparation made;
  made.words = command.argv;
  std::map<std::string, std::string> env;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    const auto equals = text.find('=');
    if (equals != std::string::npos) env[text.substr(0, equals)] = text.substr(equals + 1);
  }
  env.erase("LANG");
  env["LC_ALL"] = "C";
  env.try_emplace("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  if (!command.user.empty()) resolve_user(command.user, made, env);
  for (const auto& [name, value] : command.environment) env[name] = value;
  for (const auto& [name, value] : env) {
    made.variables.push_back(name);
    made.variables.back().append("=").append(value);
  }
  for (auto& word : made.words) made.argv.push_back(word.data());
  made.argv.push_back(nullptr);
  for (auto& variable : made.variables) made.envp.push_back(variable.data());
  made.envp.push_back(nullptr);
  return made;
}

void say(const char* text) {
  (void)!::write(STDERR_FILENO, text, std::strlen(text));
}

void close_other_descriptors() {
#ifdef SYS_close_range
  if (::syscall(SYS_close_range, 3U, ~0U, 0U) == 0) return;
#endif
  for (int fd = 3; fd < 1024; ++fd) ::close(fd);
}

[[noreturn]] void become(Preparation& made, ChildStreams streams) {
  ::setpgid(0, 0);
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  // Those that cannot be set (KILL, STOP, the two of the threading library) keep what they have.
  for (int signal = 1; signal <= SIGRTMAX; ++signal) ::sigaction(signal, &standard, nullptr);
  // Above 2 first, so that no dup2() overwrites a descriptor that is still needed.
  const int in = ::fcntl(streams.in, F_DUPFD, 3);
  const int out = ::fcntl(streams.out, F_DUPFD, 3);
  const int error = ::fcntl(streams.error, F_DUPFD, 3);
  if (::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(error, 2) < 0) ::_exit(127);
  close_other_descriptors();
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (made.changes_user && ::geteuid() != made.uid &&
      (::setgroups(made.groups.size(), made.groups.data()) < 0 || ::setgid(made.gid) < 0 ||
       ::setuid(made.uid) < 0)) {
    say("cannot change to the user of the command: this needs root\n");
    ::_exit(127);
  }
  environ = made.envp.data();  // its PATH is the one to look in
  ::execvp(made.argv[0], made.argv.data());
  const int reason = errno;
  say("cannot run ");
  say(made.argv[0]);
  say(reason == ENOENT ? ": no such program\n" : ": not executable\n");
  ::_exit(127);
}

/// True if `pid` can be reaped; leaves it as it is.
bool has_ended(pid_t pid) {
  siginfo_t what{};
  const int result = ::waitid(P_PID, static_cast<id_t>(pid), &what, WEXITED | WNOHANG | WNOWAIT);
  return result < 0 ? errno != EINTR : what.si_pid == pid;
}

}  // namespace

pid_t start_process(const Command& command, ChildStreams streams) {
  if (command.argv.empty()) {
    throw Error{{.what = "cannot run an empty command",
                 .detail = "it has no words",
                 .hint = "name a program in the configuration"}};
  }
  Preparation made = prepare(command);
  // A signal to the new group must not meet this program's handlers in the child and get lost: it
  // waits until the child has its own.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  if (pid == 0) become(made, streams);
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) {
    throw system_error("cannot start " + command.argv.front(), error,
                       "look for too many processes or too little memory on this host");
  }
  ::setpgid(pid, pid);  // also here: whoever comes first, the group exists before a kill
  return pid;
}

std::optional<int> poll_process(pid_t pid) {
  int status = 0;
  const pid_t got = ::waitpid(pid, &status, WNOHANG);
  if (got == 0 || (got < 0 && errno == EINTR)) return std::nullopt;
  if (got < 0) return 127;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int kill_process_group(pid_t pid, Milliseconds grace) {
  const auto end = std::chrono::steady_clock::now() + grace;
  ::kill(-pid, SIGTERM);
  while (!has_ended(pid) && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(Milliseconds{2});
  }
  // Members may outlive their leader. The leader is reaped last: until then nobody else can get its
  // number.
  ::kill(-pid, SIGKILL);
  const auto given_up = std::chrono::steady_clock::now() + kernel_grace;
  while (std::chrono::steady_clock::now() < given_up) {
    if (const auto code = poll_process(pid)) return *code;
    std::this_thread::sleep_for(Milliseconds{2});
  }
  return 128 + SIGKILL;
}

}  // namespace hamn::base
