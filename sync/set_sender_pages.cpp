// How SetSender sends a large file of which it knows what every page was.

#include "sync/set_sender.h"

namespace hamn::sync {

bool SetSender::send_changed_pages(Level& level, const Entry& entry, const Entry& before) {
  if (entry.size_bytes < smallest_paged_file) return false;
  auto known = page_store_.find(level.key, entry.name, before.content);
  if (!known) return false;
  {
    const auto file = open_large(level.directory, entry.name);
    if (!file || !pages_line_up(file->fd.get(), file->entry.size_bytes, *known)) return false;
  }
  const auto id = next_id_++;
  auto& what = outstanding_[id];
  what.directory_path = level.directory.path;
  what.directory = level.number;
  what.entry = entry;
  what.wants_delta = true;
  what.pages = std::make_shared<const PageHashes>(std::move(*known));
  send_content(what, id);
  return true;
}

bool SetSender::stream_pages(LargeFile& file, Outstanding& what, std::uint64_t id) {
  auto& writer = connection_.writer();
  PageDelta delta{*what.pages, file.entry.size_bytes};
  bool has_begun = false;
  const Sink put = [&](std::string_view bytes) {
    if (!has_begun) {
      writer.send(
          type(MessageType::begin),
          encode(
              Begin{.id = id, .is_delta = true, .directory = what.directory, .entry = file.entry}));
    }
    has_begun = true;
    bytes_since_commit_ += bytes.size();
    writer.send(type(MessageType::data), bytes);
  };
  base::Xxh128 hash;
  const auto size = read_pieces(file, [&](std::string_view piece) {
    hash.add(piece);
    delta.feed(piece, put);
  });
  delta.finish(put);
  const bool whole = size == file.entry.size_bytes && is_unchanged(file);
  what.entry = file.entry;
  what.entry.content = hash.value();
  what.has_same_content = !has_begun;
  if (has_begun) {
    writer.send(type(MessageType::end), encode(End{.abandoned = !whole,
                                                   .size_bytes = size,
                                                   .modified = file.entry.modified,
                                                   .content = what.entry.content}));
  } else if (whole) {
    writer.send(type(MessageType::offer), encode(Offer{.id = id,
                                                       .kind = OfferKind::same_content,
                                                       .directory = what.directory,
                                                       .entry = what.entry}));
  }
  if (whole) keep_pages(what, delta.take_hashes(what.entry.content));
  return whole;
}

void SetSender::keep_pages(const Outstanding& what, const PageHashes& hashes) {
  page_store_.keep(declared_.at(what.directory), what.entry.name, hashes);
}

}  // namespace hamn::sync
