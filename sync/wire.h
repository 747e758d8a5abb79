#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "sync/entry.h"
#include "sync/file_set.h"

namespace hamn::sync {

/// The messages of a pass, one struct each, with pure encoders and decoders. A decoder accepts only
/// what an honest peer could have meant: names are single components, paths are bounded and never
/// lead upwards, numbers are in range. docs/formats/wire.md shows a conversation.
///
///   sender                              receiver
///   Hello                          →    checks role, epoch, policy
///                                  ←    Welcome | Refusal
///   Names Enter File Offer Begin
///   Data End Node Link Present
///   Gone …                         →    stages
///                                  ←    Verdict Signature Trouble …
///   Commit(batch)                  →    syncs, renames, deletes, remembers
///                                  ←    Deleted Done(batch)
///   Hello for the next set, or end of stream
constexpr std::uint32_t protocol_version = 2;

enum class MessageType : std::uint8_t {
  hello = 1,
  names = 2,
  enter = 3,
  file = 4,
  offer = 5,
  begin = 6,
  data = 7,
  end = 8,
  gone = 9,
  commit = 10,
  node = 11,
  link = 12,
  present = 13,
  welcome = 32,
  refusal = 33,
  verdict = 34,
  signature = 35,
  trouble = 36,
  done = 37,
  deleted = 38
};
/// As it stands in front of a message.
[[nodiscard]] constexpr std::uint8_t type(MessageType value) {
  return static_cast<std::uint8_t>(value);
}

/// Opens the pass of one set.
struct Hello {
  std::uint32_t protocol = protocol_version;
  std::string set;
  std::string host;  ///< the sender's name
  std::string run;
  std::uint64_t epoch = 0;
  std::uint64_t generation = 0;  ///< what the sender's index holds
  std::string token;             ///< minted by the receiver with its last commit; empty: none
  base::WallTime as_of;          ///< the sender's clock when it began to look
  Profile profile = Profile::compat;
  bool deletes = false;           ///< names that the source does not have shall go
  bool accept_deletions = false;  ///< however many they are
  std::vector<Root> roots;        ///< destination and pattern, to compare with the receiver's own
};

/// How much the receiver knows already.
enum class PassMode : std::uint8_t {
  incremental = 1,  ///< both indexes agree: only changes
  full = 2,         ///< they do not: everything is offered, the receiver looks at its files
  empty = 3         ///< the receiver has nothing: everything is sent unasked
};

/// The receiver is ready for the pass of this set.
struct Welcome {
  PassMode mode = PassMode::full;
  std::uint64_t generation = 0;
  std::string host;
  std::uint64_t epoch = 0;
};

/// The pass ends here: policy says no (before Welcome) or the receiver failed (any time).
struct Refusal {
  std::uint8_t code = 1;  ///< exit code for the sender
  bool deposed = false;   ///< a higher epoch is in charge: the sender must stop pushing
  std::uint64_t epoch = 0;
  std::string what;
  std::string detail;
  std::string hint;
};

/// Name of a user or group number that later entries use.
struct Names {
  bool is_group = false;
  std::uint32_t id = 0;
  std::string name;
};

/// Declares directory `number` and its attributes; later messages name it by number. Makes it if it
/// is missing. The empty path (a root's parent) is declared without being touched.
struct Enter {
  std::uint32_t number = 0;
  DirectoryKey key;
  Entry self;  ///< its own attributes; unused for the empty path
};

/// A small file, complete.
struct File {
  std::uint32_t directory = 0;
  Entry entry;  ///< with content hash
  std::string content;
};

enum class OfferKind : std::uint8_t {
  check = 1,         ///< take it as equal if size and mtime are
  same_content = 2,  ///< only attributes changed since the last commit
  changed = 3        ///< content changed: a delta is possible
};

/// A file that the receiver may have already.
struct Offer {
  std::uint64_t id = 0;
  OfferKind kind = OfferKind::check;
  std::uint32_t directory = 0;
  Entry entry;
};

/// A larger file begins; its pieces follow in Data, nothing of another file between.
struct Begin {
  std::uint64_t id = 0;  ///< of the offer, or 0 if it was not offered
  bool is_delta = false;
  std::uint32_t directory = 0;
  Entry entry;
};

/// Ends the file that Begin began, with what it really was.
struct End {
  bool abandoned = false;  ///< it changed while it was read; forget it
  std::uint64_t size_bytes = 0;
  base::FileTime modified;
  base::Hash128 content;
};

/// A symbolic link, fifo, socket or device; faithful sets only.
struct Node {
  std::uint32_t directory = 0;
  Entry entry;
};

/// One more name of a file or node that came before: a hard link; faithful sets only. Sent at the
/// end of a pass, when all files are there.
struct Link {
  std::uint32_t directory = 0;
  Entry entry;
  std::uint32_t leader_directory = 0;
  std::string leader_name;
};

/// All names that a directory of the source has, those that could not be read among them: what
/// else the receiver has there, it may delete. In pieces; only in passes that delete and that are
/// not incremental.
struct Present {
  std::uint32_t directory = 0;
  bool last = false;
  std::vector<std::string> names;
};

/// A name that the source no longer has.
struct Gone {
  std::uint32_t directory = 0;
  std::string name;
};

/// Ends a batch; all that came before becomes durable and visible.
struct Commit {
  std::uint64_t batch = 0;
  bool final = false;
  bool may_delete = false;       ///< with `final`: the whole source could be read
  std::uint64_t generation = 0;  ///< reached when `final`
};

enum class VerdictKind : std::uint8_t { accepted = 1, want_whole = 2, want_delta = 3, failed = 4 };

/// The answer to one offer; after want_delta a second one: the delta fitted (accepted) or it did
/// not (want_whole).
struct Verdict {
  std::uint64_t id = 0;
  VerdictKind kind = VerdictKind::accepted;
  base::Hash128 content;  ///< accepted: the hash the receiver remembers, or zero
};

/// A piece of the librsync signature of the receiver's copy.
struct Signature {
  std::uint64_t id = 0;
  bool last = false;
  std::string bytes;
};

/// A name that the receiver could not put in place.
struct Trouble {
  std::uint32_t directory = 0;
  std::string name;
  std::string detail;
};

/// What became of the deletions of a pass; comes before the last Done if there were any.
struct Deleted {
  std::uint64_t names = 0;  ///< to be deleted
  std::uint64_t total = 0;  ///< that the set had
  bool held_back = false;   ///< too many, or the source could not be read: nothing was deleted
};

/// A batch is durable; the sender may move its index forward.
struct Done {
  std::uint64_t batch = 0;
  std::string token;
  std::uint64_t generation = 0;
};

/// Messages as bytes. Pure.
[[nodiscard]] std::string encode(const Hello& message);
[[nodiscard]] std::string encode(const Welcome& message);
[[nodiscard]] std::string encode(const Refusal& message);
[[nodiscard]] std::string encode(const Names& message);
[[nodiscard]] std::string encode(const Enter& message);
[[nodiscard]] std::string encode(const File& message);
[[nodiscard]] std::string encode(const Offer& message);
[[nodiscard]] std::string encode(const Begin& message);
[[nodiscard]] std::string encode(const End& message);
[[nodiscard]] std::string encode(const Gone& message);
[[nodiscard]] std::string encode(const Commit& message);
[[nodiscard]] std::string encode(const Verdict& message);
[[nodiscard]] std::string encode(const Signature& message);
[[nodiscard]] std::string encode(const Trouble& message);
[[nodiscard]] std::string encode(const Done& message);
[[nodiscard]] std::string encode(const Deleted& message);
[[nodiscard]] std::string encode(const Present& message);
[[nodiscard]] std::string encode(const Link& message);
[[nodiscard]] std::string encode(const Node& message);

/// Bytes as messages; throw Error for anything that an honest peer would not send. Pure.
[[nodiscard]] Hello decode_hello(std::string_view payload);
[[nodiscard]] Welcome decode_welcome(std::string_view payload);
[[nodiscard]] Refusal decode_refusal(std::string_view payload);
[[nodiscard]] Names decode_names(std::string_view payload);
[[nodiscard]] Enter decode_enter(std::string_view payload);
[[nodiscard]] File decode_file(std::string_view payload);
[[nodiscard]] Offer decode_offer(std::string_view payload);
[[nodiscard]] Begin decode_begin(std::string_view payload);
[[nodiscard]] End decode_end(std::string_view payload);
[[nodiscard]] Gone decode_gone(std::string_view payload);
[[nodiscard]] Commit decode_commit(std::string_view payload);
[[nodiscard]] Verdict decode_verdict(std::string_view payload);
[[nodiscard]] Signature decode_signature(std::string_view payload);
[[nodiscard]] Trouble decode_trouble(std::string_view payload);
[[nodiscard]] Done decode_done(std::string_view payload);
[[nodiscard]] Deleted decode_deleted(std::string_view payload);
[[nodiscard]] Present decode_present(std::string_view payload);
[[nodiscard]] Link decode_link(std::string_view payload);
[[nodiscard]] Node decode_node(std::string_view payload);

/// Attributes and name of an entry, as the messages and the index hold them.
void write_entry(class ByteWriter& out, const Entry& entry);
[[nodiscard]] Entry read_entry(class ByteReader& in);

/// True if `name` can be one component of a path: not empty, not "." or "..", no '/' and no NUL,
/// at most 255 bytes.
[[nodiscard]] bool is_component(std::string_view name);

}  // namespace hamn::sync
