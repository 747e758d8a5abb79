// The commands of librsync's delta format, carried out.

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "sync/bytes.h"
#include "sync/delta.h"

namespace hamn::sync {

namespace {

constexpr std::size_t copy_bytes = 512U << 10U;
constexpr std::uint64_t delta_mark = 0x72730236;
constexpr std::size_t mark_bytes = 4;
constexpr unsigned first_sized_literal = 0x41;  // a length of 1, 2, 4, 8 bytes follows
constexpr unsigned first_copy = 0x45;           // position and length follow, 1 to 8 bytes each
constexpr unsigned last_copy = 0x54;

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8U | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace

struct Patcher::State {
  int basis;
  std::uint64_t left_bytes;
  Sink sink;
  Sink in_place;
  std::uint64_t made_bytes = 0;
  std::uint64_t literal_left = 0;
  std::string command;  ///< what came of the next command so far
  std::string buffer;
  bool has_mark = false;
  bool is_misfit = false;
  bool is_done = false;

  void put(std::string_view bytes, const Sink& to) {
    if (bytes.size() > left_bytes) damaged_message("a delta makes more than was announced");
    left_bytes -= bytes.size();
    made_bytes += bytes.size();
    if (!is_misfit) to(bytes);
  }

  /// Bytes that the command which has begun needs in all; 0 if it cannot be one.
  [[nodiscard]] std::size_t needed() const {
    if (!has_mark) return mark_bytes;
    const auto code = static_cast<unsigned char>(command.front());
    if (code < first_sized_literal) return 1;
    if (code < first_copy) return 1 + (std::size_t{1} << (code - first_sized_literal));
    if (code > last_copy) return 0;
    const auto widths = code - first_copy;
    return 1 + (std::size_t{1} << widths / 4) + (std::size_t{1} << widths % 4);
  }

  void copy(std::uint64_t position, std::uint64_t size) {
    if (size == 0 || size > left_bytes || position > INT64_MAX - size) {
      damaged_message("a delta copies an impossible part");
    }
    buffer.resize(copy_bytes);
    while (size > 0 && !is_misfit) {
      const auto wanted = std::min<std::uint64_t>(size, buffer.size());
      const auto got = ::pread(basis, buffer.data(), wanted, static_cast<off_t>(position));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) {
        is_misfit = true;
        return;
      }
      const bool stays = in_place && position == made_bytes;
      put(std::string_view{buffer}.substr(0, static_cast<std::size_t>(got)),
          stays ? in_place : sink);
      position += static_cast<std::uint64_t>(got);
      size -= static_cast<std::uint64_t>(got);
    }
  }

  void carry_out() {
    const std::string_view all{command};
    if (!has_mark) {
      if (big_endian(all) != delta_mark) damaged_message("a delta of another kind");
      has_mark = true;
      return;
    }
    const auto code = static_cast<unsigned char>(all.front());
    if (code == 0) {
      is_done = true;
    } else if (code < first_sized_literal) {
      literal_left = code;
    } else if (code < first_copy) {
      literal_left = big_endian(all.substr(1));
      if (literal_left == 0) damaged_message("a delta with nothing in it");
    } else {
      const auto width = std::size_t{1} << (code - first_copy) / 4;
      copy(big_endian(all.substr(1, width)), big_endian(all.substr(1 + width)));
    }
  }
};

Patcher::Patcher(int basis, std::uint64_t limit_bytes, Sink sink, Sink in_place)
    : state_(std::make_unique<State>()) {
  state_->basis = basis;
  state_->left_bytes = limit_bytes;
  state_->sink = std::move(sink);
  state_->in_place = std::move(in_place);
}
Patcher::~Patcher() = default;

void Patcher::feed(std::string_view delta) {
  auto& state = *state_;
  while (!delta.empty()) {
    if (state.is_done) damaged_message("a delta goes on after its end");
    if (state.literal_left > 0) {
      const auto part = delta.substr(0, std::min<std::uint64_t>(delta.size(), state.literal_left));
      state.put(part, state.sink);
      state.literal_left -= part.size();
      delta.remove_prefix(part.size());
      continue;
    }
    if (state.command.empty() && state.has_mark) {
      state.command += delta.front();
      delta.remove_prefix(1);
    }
    const auto needed = state.needed();
    if (needed == 0) damaged_message("a delta with an unknown command");
    const auto missing = std::min(needed - state.command.size(), delta.size());
    state.command += delta.substr(0, missing);
    delta.remove_prefix(missing);
    if (state.command.size() < needed) return;
    state.carry_out();
    state.command.clear();
  }
}

void Patcher::finish() {
  if (!state_->is_done) damaged_message("a delta ends too early");
}

}  // namespace hamn::sync
