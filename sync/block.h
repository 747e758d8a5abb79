#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/stream.h"
#include "base/worker.h"

namespace hamn::sync {

/// Messages travel in blocks, so that small ones share one write, one checksum and one compression
/// context: docs/formats/wire.md.
///
///   block   := wire_size:u32 raw_size:u32 check:u32 checksum:u64 bytes[wire_size]  (little-endian)
///   bytes   := messages, or a piece of one zstd stream that yields raw_size bytes of messages
///   message := type:u8 size:varint payload[size]
///
/// raw_size is 0 for a block that is not compressed. The checksum is XXH3 over `bytes`, the check
/// is its low half over the two sizes, so that a damaged size is noticed before anybody waits for
/// what will never come. ssh protects the line, this protects against everything before and behind
/// it.
constexpr std::uint32_t largest_block_bytes = 4U << 20U;
constexpr std::size_t largest_message_bytes = 1U << 20U;

/// One message as it came in. `payload` is valid until the next call.
struct Message {
  std::uint8_t type = 0;
  std::string_view payload;
};

/// Says nothing but that its sender is alive; a reader drops it.
constexpr std::uint8_t alive_type = 0;
/// How long a side may be silent while it works.
constexpr base::Milliseconds longest_silence = std::chrono::seconds{15};

/// Collects messages into blocks and writes them. Threads: one; keep_alive() from any.
class BlockWriter {
 public:
  /// `stream` outlives the writer. With `compress`, blocks that shrink are compressed; the writer
  /// stops trying for a while when they do not.
  BlockWriter(base::Stream& stream, bool compress, base::Milliseconds limit);
  ~BlockWriter();
  BlockWriter(const BlockWriter&) = delete;
  BlockWriter& operator=(const BlockWriter&) = delete;
  void send(std::uint8_t type, std::string_view payload);
  /// Writes what was collected.
  void flush();
  /// Writes something if nothing was written for `silence`: the other side gives up a line that is
  /// silent, but a side may work for long before it has something to say.
  void keep_alive(base::Milliseconds silence);
  /// All bytes written so far [bytes].
  [[nodiscard]] std::uint64_t written_bytes() const noexcept { return written_bytes_; }

 private:
  struct Compressor;
  [[nodiscard]] bool worth_compressing();
  void collect(std::uint8_t type, std::string_view payload);
  void write_collected();

  std::mutex mutex_;
  base::Stream& stream_;
  base::Milliseconds limit_;
  std::unique_ptr<Compressor> compressor_;  ///< null: never compress
  std::string collected_;
  std::atomic<std::uint64_t> written_bytes_{0};
  base::SteadyTime written_at_ = std::chrono::steady_clock::now();
  unsigned raw_blocks_left_ = 0;  ///< send so many blocks as they are before trying again
};

/// Keeps a writer's line alive from a thread of its own, until it is destroyed. It ends early if
/// the line cannot be written to; whoever writes next learns why.
class KeepAlive {
 public:
  explicit KeepAlive(BlockWriter& writer, base::Milliseconds silence = longest_silence);
  KeepAlive(const KeepAlive&) = delete;
  KeepAlive& operator=(const KeepAlive&) = delete;
  ~KeepAlive();

 private:
  void run() noexcept;

  BlockWriter& writer_;
  base::Milliseconds silence_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;
  base::Worker worker_;
};

/// Reads blocks and hands out their messages. Every size is checked before memory is taken for it.
/// Threads: one.
class BlockReader {
 public:
  BlockReader(base::Stream& stream, base::Milliseconds limit);
  ~BlockReader();
  BlockReader(const BlockReader&) = delete;
  BlockReader& operator=(const BlockReader&) = delete;
  /// False at the end of the stream. Throws Error if the stream ends inside a block, or if a block
  /// is not as it should be.
  [[nodiscard]] bool next(Message& message);
  [[nodiscard]] std::uint64_t read_bytes() const noexcept { return read_bytes_; }

 private:
  struct Decompressor;
  [[nodiscard]] bool take(Message& message);
  [[nodiscard]] bool read_block();
  [[nodiscard]] std::size_t read_fully(char* into, std::size_t size);

  base::Stream& stream_;
  base::Milliseconds limit_;
  std::unique_ptr<Decompressor> decompressor_;
  std::string block_;
  std::size_t position_ = 0;
  std::atomic<std::uint64_t> read_bytes_{0};  ///< read by another thread, too
};

}  // namespace hamn::sync
