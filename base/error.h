#pragma once

#include <exception>
#include <string>

namespace hamn::base {

/// Exit codes of `hamn`. They are an interface: scripts, timers and Pacemaker act on them.
/// Documented in docs/errors.md.
enum class Exit : int {
  done = 0,          ///< done, or nothing to do
  failed = 1,        ///< failed; nothing changed, or what changed was rolled back
  usage = 2,         ///< the command line or the configuration is wrong
  locked = 3,        ///< another run holds the lock; the message names it
  problems = 4,      ///< done, but something needs a look
  refused = 5,       ///< a gate does not hold, or the peer's policy says no
  incomplete = 6,    ///< stopped after the point of no return; run again to go on
  interrupted = 130  ///< stopped by a signal
};

/// The three sentences of an error: what could not be done, why, and what to type next.
struct ErrorText {
  std::string what;    ///< "cannot read /etc/hamn/hamn.toml": completes "hamn: …"
  std::string detail;  ///< what was seen: an errno text, a server's words
  std::string hint;    ///< the next thing to do, with a command where there is one
  Exit code = Exit::failed;
};

/// "Could not find out, or could not do." Answers, even unwelcome ones, are values instead.
///
/// Each layer may add its context once (`within`). Foreign errors (errno, libssh2, SQLite, Poco)
/// become an Error in the file that called the library.
class Error : public std::exception {
 public:
  explicit Error(ErrorText text);
  const char* what() const noexcept override { return text_.what.c_str(); }
  const std::string& detail() const noexcept { return text_.detail; }
  const std::string& hint() const noexcept { return text_.hint; }
  Exit code() const noexcept { return text_.code; }
  const ErrorText& text() const noexcept { return text_; }
  /// The same error seen from one layer further out: "context: what".
  [[nodiscard]] Error within(const std::string& context) const;

 private:
  ErrorText text_;
};

/// An Error whose detail is the text of `error_number`.
[[nodiscard]] Error system_error(const std::string& what, int error_number,
                                 const std::string& hint);

/// The three lines that a terminal shows, each ending in a newline:
/// "hamn: what", "  detail: …", "  hint: …". Control characters are escaped.
[[nodiscard]] std::string to_lines(const Error& error);

}  // namespace hamn::base
