// Every decoder of the wire: the first byte chooses, the rest is the payload.

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "sync/wire.h"

namespace {

void decode(std::uint8_t type, std::string_view payload) {
  using namespace hamn::sync;
  switch (static_cast<MessageType>(type)) {
    case MessageType::hello:
      (void)decode_hello(payload);
      return;
    case MessageType::names:
      (void)decode_names(payload);
      return;
    case MessageType::enter:
      (void)decode_enter(payload);
      return;
    case MessageType::file:
      (void)decode_file(payload);
      return;
    case MessageType::offer:
      (void)decode_offer(payload);
      return;
    case MessageType::begin:
      (void)decode_begin(payload);
      return;
    case MessageType::end:
      (void)decode_end(payload);
      return;
    case MessageType::gone:
      (void)decode_gone(payload);
      return;
    case MessageType::commit:
      (void)decode_commit(payload);
      return;
    case MessageType::node:
      (void)decode_node(payload);
      return;
    case MessageType::link:
      (void)decode_link(payload);
      return;
    case MessageType::present:
      (void)decode_present(payload);
      return;
    case MessageType::deleted:
      (void)decode_deleted(payload);
      return;
    case MessageType::welcome:
      (void)decode_welcome(payload);
      return;
    case MessageType::refusal:
      (void)decode_refusal(payload);
      return;
    case MessageType::verdict:
      (void)decode_verdict(payload);
      return;
    case MessageType::signature:
      (void)decode_signature(payload);
      return;
    case MessageType::trouble:
      (void)decode_trouble(payload);
      return;
    case MessageType::done:
      (void)decode_done(payload);
      return;
    case MessageType::data:
      return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  try {
    decode(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
  } catch (const hamn::base::Error&) {
    // Refusing is right.
  }
  return 0;
}
