#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "dbrepl/inspection.h"

namespace {

/// What is believed comes back the same when this host tells it to another one.
void read_answer(std::uint8_t question, const std::string& json) {
  using namespace hamn::dbrepl;
  switch (question) {
    case 'l':
      if (const auto live = parse_live(json, "mn1"); parse_live(format_live(live), "mn1") != live) {
        std::abort();
      }
      return;
    case 'p':
      if (const auto kept = parse_points(json, "mn1");
          parse_points(format_points(kept), "mn1") != kept) {
        std::abort();
      }
      return;
    case 'c':
      if (const auto comparison = parse_comparison(json, "mn1");
          parse_comparison(format_comparison(comparison), "mn1") != comparison) {
        std::abort();
      }
      return;
    default:
      return;
  }
}

}  // namespace

/// Any bytes as what another host answers to `hamn db inspect`, `points` or `compare`; the first
/// byte chooses.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  try {
    read_answer(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
  } catch (const hamn::base::Error& error) {
    if (error.detail().empty() || error.hint().empty()) std::abort();
  }
  return 0;
}
