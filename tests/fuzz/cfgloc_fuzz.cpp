#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "dbrepl/cfgloc.h"

namespace {

/// What parsing says: the error's words, or nothing.
std::string complaint(const std::string& line) {
  try {
    const auto location = hamn::dbrepl::parse_cfgloc(line, "cfgloc");
    if (location.directory.empty() && location.database.empty()) std::abort();
    return {};
  } catch (const hamn::base::Error& error) {
    return std::string{error.what()} + error.detail() + error.hint();
  }
}

}  // namespace

/// Any line is understood or refused with an Error, and what the Error says does not depend on the
/// password.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string line{reinterpret_cast<const char*>(data), size};
  const auto said = complaint(line);
  const auto user = line.find('|');
  const auto password = user == std::string::npos ? user : line.find('|', user + 1);
  const bool is_directory = line.starts_with("SQLite:") || line.starts_with("CSV:");
  if (is_directory || password == std::string::npos || line.find(':') > user) return 0;
  const bool is_one_line =
      line.find_first_of(std::string{"\r\n\0", 3}, password) == std::string::npos;
  if (is_one_line && complaint(line.substr(0, password + 1) + "other") != said) std::abort();
  return 0;
}
