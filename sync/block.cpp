#include "sync/block.h"

#include <zstd.h>

#include "base/error.h"
#include "base/hash.h"
#include "sync/bytes.h"

namespace hamn::sync {

namespace {

constexpr std::size_t full_block_bytes = 256U << 10U;
constexpr std::size_t smallest_compressed_bytes = 128;
constexpr unsigned raw_blocks_after_failure = 32;
constexpr int window_log = 23;  // 8 MiB: identical files near each other cost nothing
constexpr int level = 1;
constexpr std::size_t sizes_bytes = 8;
constexpr std::size_t header_bytes = 20;

void put32(std::string& out, std::uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift & 0xffU);
}

std::uint32_t get32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) {
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return value;
}

void check(std::size_t zstd_result) {
  if (ZSTD_isError(zstd_result) != 0U) damaged_message(ZSTD_getErrorName(zstd_result));
}

}  // namespace

struct BlockWriter::Compressor {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  Compressor() {
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  ~Compressor() { ZSTD_freeCCtx(context); }

  std::string compress(std::string_view raw) {
    std::string out(ZSTD_compressBound(raw.size()) + 64, '\0');
    ZSTD_inBuffer in{.src = raw.data(), .size = raw.size(), .pos = 0};
    ZSTD_outBuffer to{.dst = out.data(), .size = out.size(), .pos = 0};
    std::size_t rest = 1;
    while (rest != 0) {
      rest = ZSTD_compressStream2(context, &to, &in, ZSTD_e_flush);
      check(rest);
      if (rest != 0) {
        out.resize(out.size() + rest);
        to = {.dst = out.data(), .size = out.size(), .pos = to.pos};
      }
    }
    out.resize(to.pos);
    return out;
  }
};

struct BlockReader::Decompressor {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  Decompressor() { ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, window_log); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor() { ZSTD_freeDCtx(context); }

  std::string decompress(std::string_view wire, std::size_t raw_size) {
    std::string raw(raw_size, '\0');
    ZSTD_inBuffer in{.src = wire.data(), .size = wire.size(), .pos = 0};
    ZSTD_outBuffer out{.dst = raw.data(), .size = raw.size(), .pos = 0};
    while (in.pos < in.size) {
      const auto in_before = in.pos;
      const auto out_before = out.pos;
      check(ZSTD_decompressStream(context, &out, &in));
      if (in.pos == in_before && out.pos == out_before) break;
    }
    // More would have come out than was announced, or less came.
    if (in.pos != in.size || out.pos != raw_size) damaged_message("a block has another size");
    return raw;
  }
};

BlockWriter::BlockWriter(base::Stream& stream, bool compress, base::Milliseconds limit)
    : stream_(stream),
      limit_(limit),
      compressor_(compress ? std::make_unique<Compressor>() : nullptr) {}
BlockWriter::~BlockWriter() = default;

void BlockWriter::send(std::uint8_t type, std::string_view payload) {
  const std::lock_guard lock{mutex_};
  collect(type, payload);
  if (collected_.size() >= full_block_bytes) write_collected();
}

void BlockWriter::collect(std::uint8_t type, std::string_view payload) {
  if (payload.size() > largest_message_bytes) damaged_message("a message would be too large");
  ByteWriter head;
  head.byte(type);
  head.number(payload.size());
  collected_ += head.bytes();
  collected_ += payload;
}

bool BlockWriter::worth_compressing() {
  if (compressor_ == nullptr || collected_.size() < smallest_compressed_bytes) return false;
  if (raw_blocks_left_ == 0) return true;
  --raw_blocks_left_;
  return false;
}

void BlockWriter::flush() {
  const std::lock_guard lock{mutex_};
  write_collected();
}

void BlockWriter::keep_alive(base::Milliseconds silence) {
  const std::lock_guard lock{mutex_};
  if (std::chrono::steady_clock::now() - written_at_ < silence) return;
  collect(alive_type, {});
  write_collected();
}

void BlockWriter::write_collected() {
  if (collected_.empty()) return;
  std::uint32_t raw_size = 0;
  if (worth_compressing()) {
    raw_size = static_cast<std::uint32_t>(collected_.size());
    auto packed = compressor_->compress(collected_);
    if (packed.size() * 16 > collected_.size() * 15) raw_blocks_left_ = raw_blocks_after_failure;
    collected_ = std::move(packed);
  }
  std::string head;
  put32(head, static_cast<std::uint32_t>(collected_.size()));
  put32(head, raw_size);
  put32(head, static_cast<std::uint32_t>(base::xxh64(head)));
  ByteWriter checksum;
  checksum.fixed64(base::xxh64(collected_));
  head += checksum.bytes();
  collected_.insert(0, head);
  stream_.write(collected_, limit_);
  written_bytes_ += collected_.size();
  written_at_ = std::chrono::steady_clock::now();
  collected_.clear();
}

KeepAlive::KeepAlive(BlockWriter& writer, base::Milliseconds silence)
    : writer_(writer), silence_(silence), worker_([this] { run(); }) {}

KeepAlive::~KeepAlive() {
  const std::lock_guard lock{mutex_};
  stopped_ = true;
  changed_.notify_all();
}

void KeepAlive::run() noexcept {
  try {
    std::unique_lock lock{mutex_};
    while (!changed_.wait_for(lock, silence_ / 3, [this] { return stopped_; })) {
      lock.unlock();
      writer_.keep_alive(silence_);
      lock.lock();
    }
  } catch (const base::Error&) {
    return;
  }
}

BlockReader::BlockReader(base::Stream& stream, base::Milliseconds limit)
    : stream_(stream), limit_(limit), decompressor_(std::make_unique<Decompressor>()) {}
BlockReader::~BlockReader() = default;

std::size_t BlockReader::read_fully(char* into, std::size_t size) {
  std::size_t have = 0;
  while (have < size) {
    const auto got = stream_.read(into + have, size - have, limit_);
    if (got == 0) break;
    have += got;
  }
  read_bytes_ += have;
  return have;
}

bool BlockReader::read_block() {
  std::string head(header_bytes, '\0');
  const auto got = read_fully(head.data(), head.size());
  if (got == 0) return false;
  if (got < head.size()) damaged_message("the connection ended inside a block");
  const auto wire_size = get32(head);
  const auto raw_size = get32(std::string_view{head}.substr(4));
  const auto check_of_sizes = get32(std::string_view{head}.substr(sizes_bytes));
  if (check_of_sizes !=
      static_cast<std::uint32_t>(base::xxh64(std::string_view{head}.substr(0, sizes_bytes)))) {
    damaged_message("a block's sizes are damaged");
  }
  if (wire_size == 0 || wire_size > largest_block_bytes || raw_size > largest_block_bytes) {
    damaged_message("a block has an impossible size");
  }
  block_.resize(wire_size);
  if (read_fully(block_.data(), wire_size) < wire_size) {
    damaged_message("the connection ended inside a block");
  }
  ByteReader checksum{std::string_view{head}.substr(sizes_bytes + 4)};
  if (checksum.fixed64() != base::xxh64(block_)) damaged_message("a block's checksum is wrong");
  if (raw_size != 0) block_ = decompressor_->decompress(block_, raw_size);
  position_ = 0;
  return true;
}

bool BlockReader::next(Message& message) {
  do {
    if (!take(message)) return false;
  } while (message.type == alive_type);
  return true;
}

bool BlockReader::take(Message& message) {
  if (position_ >= block_.size() && !read_block()) return false;
  const auto rest = std::string_view{block_}.substr(position_);
  ByteReader reader{rest};
  message.type = reader.byte();
  const auto size = reader.number(largest_message_bytes);
  const auto after = reader.rest();
  if (after.size() < size) damaged_message("a message is longer than its block");
  message.payload = after.substr(0, size);
  position_ += rest.size() - after.size() + size;
  return true;
}

}  // namespace hamn::sync
