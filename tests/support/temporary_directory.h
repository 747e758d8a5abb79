#pragma once

#include <string>

namespace hamn::test {

/// A directory of its own for one test, removed with everything in it at the end.
class TemporaryDirectory {
 public:
  /// Below $TMPDIR or /tmp, with mode 0755.
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  [[nodiscard]] const std::string& path() const { return path_; }
  /// The path of `name` in it.
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Makes a file with its parent directories.
void given_file(const std::string& path, const std::string& content);
/// The content of a file; fails the test if there is none.
[[nodiscard]] std::string content_of(const std::string& path);
[[nodiscard]] bool exists(const std::string& path);

}  // namespace hamn::test
