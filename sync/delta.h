#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace hamn::sync {

/// Deltas: the receiver describes its copy by a signature, the sender answers with what is
/// new. For files that are large and changed; small ones travel whole, since a signature would cost
/// more than it saves (librsync works at some 46 MB/s on data that does not match).
///
/// A delta is never trusted: the whole file's hash decides, and a mismatch sends the file whole.
/// Signatures from the peer are checked and bounded before librsync sees them; deltas are applied
/// without it, and never make more than the announced size.

/// Bytes go out in pieces.
using Sink = std::function<void(std::string_view)>;

/// Block length for a file of this size: about its square root, from 1 KiB to 16 KiB [bytes].
[[nodiscard]] std::uint32_t block_length_for(std::uint64_t size_bytes);

/// Reads the open file `file` and gives out its signature.
void make_signature(int file, std::uint32_t block_length, const Sink& sink);

/// Compares files with one signature.
class DeltaMaker {
 public:
  /// Throws Error if the signature is not acceptable.
  explicit DeltaMaker(std::string_view signature);
  ~DeltaMaker();
  DeltaMaker(const DeltaMaker&) = delete;
  DeltaMaker& operator=(const DeltaMaker&) = delete;
  /// Takes the next piece of the new file, gives out what is known of the delta.
  void feed(std::string_view content, const Sink& sink);
  void finish(const Sink& sink);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Applies one delta in librsync's format to the open file `basis`. The commands of a delta are
/// few, and each is checked here before anything is done for it.
///
/// A delta that names parts which `basis` does not have is not for this file: nothing more comes
/// out, so that size and hash of the result tell. Throws Error for what no delta may hold.
class Patcher {
 public:
  /// `limit_bytes`: the announced size of the result. With `in_place`, bytes that are where they
  /// were in `basis` go there instead of to `sink`.
  Patcher(int basis, std::uint64_t limit_bytes, Sink sink, Sink in_place = {});
  ~Patcher();
  Patcher(const Patcher&) = delete;
  Patcher& operator=(const Patcher&) = delete;
  void feed(std::string_view delta);
  /// Throws Error if the delta is not complete.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hamn::sync
