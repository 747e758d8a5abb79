// A whole stream of blocks as a peer could send it.

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "base/stream.h"
#include "sync/block.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t fits_into_a_socket = 100'000;
  if (size > fits_into_a_socket) return 0;
  auto [ours, theirs] = hamn::base::make_stream_pair();
  theirs->write({reinterpret_cast<const char*>(data), size}, std::chrono::seconds{1});
  theirs->close_write();
  try {
    hamn::sync::BlockReader reader{*ours, std::chrono::seconds{1}};
    hamn::sync::Message message;
    while (reader.next(message)) {
    }
  } catch (const hamn::base::Error&) {
    // Refusing is right.
  }
  return 0;
}
