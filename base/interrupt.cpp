#include "base/interrupt.h"

#include <csignal>

#include "base/error.h"

namespace hamn::base {

namespace {

volatile std::sig_atomic_t stop_asked = 0;

extern "C" void ask_to_stop(int /*signal*/) {
  stop_asked = stop_asked == 0 ? 1 : 2;
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action {};
  action.sa_handler = ask_to_stop;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
  ::sigaction(SIGHUP, &action, nullptr);
}

bool interrupted() noexcept {
  return stop_asked != 0;
}

bool interrupted_again() noexcept {
  return stop_asked > 1;
}

bool interrupted(bool sees_to_its_end) noexcept {
  return sees_to_its_end ? interrupted_again() : interrupted();
}

void stop_if_interrupted() {
  if (!interrupted()) return;
  throw Error{{.what = "stopped by a signal",
               .detail = "the work so far is kept",
               .hint = "run the same command again to go on",
               .code = Exit::interrupted}};
}

}  // namespace hamn::base
