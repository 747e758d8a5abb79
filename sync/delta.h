#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace hamn::sync {

/// librsync deltas: the receiver describes its copy by a signature, the sender answers with what is
/// new. For files that are large and changed; small ones travel whole, since a signature would cost
/// more than it saves (librsync works at some 46 MB/s on data that does not match).
///
/// A delta is never trusted: the whole file's hash decides, and a mismatch sends the file whole.
/// Signatures from the peer are checked and bounded before librsync sees them; a patch never writes
/// more than the announced size.

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

/// Applies one delta to the open file `basis`.
class Patcher {
 public:
  /// `limit_bytes`: the announced size of the result.
  Patcher(int basis, std::uint64_t limit_bytes, Sink sink);
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
