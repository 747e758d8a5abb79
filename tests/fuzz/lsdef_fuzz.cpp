#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "nimrebuild/lsdef.h"

namespace {

/// The definitions as lsdef shows them.
std::string shown(const std::vector<hamn::nimrebuild::Definition>& definitions) {
  std::string text;
  for (const auto& definition : definitions) {
    text += "Object name: " + definition.name + "\n";
    for (const auto& [name, value] : definition.attributes) {
      text += "    " + name + "=" + value + "\n";
    }
  }
  return text;
}

}  // namespace

/// Any bytes as the output of lsdef: they are refused, or mean the same when they are shown and
/// read again; no NIM resource lacks a name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  try {
    const auto definitions = hamn::nimrebuild::parse_lsdef(text);
    if (hamn::nimrebuild::parse_lsdef(shown(definitions)) != definitions) std::abort();
    for (const auto& definition : definitions) {
      for (const auto& [type, names] : hamn::nimrebuild::nim_resources(definition)) {
        for (const auto& name : names) {
          if (name.empty() || name.find(',') != std::string::npos) std::abort();
        }
      }
    }
  } catch (const hamn::base::Error& error) {
    if (error.detail().empty() || error.hint().empty()) std::abort();
  }
  return 0;
}
