// Signatures and deltas as a peer could send them.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/fd.h"
#include "sync/delta.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const hamn::base::Fd basis{::memfd_create("basis", MFD_CLOEXEC)};
  static const auto filled = ::write(basis.get(), std::string(10'000, 'b').data(), 10'000);
  if (size == 0 || filled != 10'000) return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  const auto ignore = [](std::string_view) {};
  try {
    if (data[0] % 2 == 0) {
      hamn::sync::Patcher patcher{basis.get(), 1U << 20U, ignore};
      patcher.feed(bytes);
      patcher.finish();
    } else {
      hamn::sync::DeltaMaker maker{bytes};
      maker.feed("some content of a file", ignore);
      maker.finish(ignore);
    }
  } catch (const hamn::base::Error&) {
    // Refusing is right.
  }
  return 0;
}
