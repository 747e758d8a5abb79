#include "sync/inbox.h"

#include "base/error.h"
#include "sync/bytes.h"

namespace hamn::sync {

namespace {

Reply decode(const Message& message) {
  switch (static_cast<MessageType>(message.type)) {
    case MessageType::welcome:
      return decode_welcome(message.payload);
    case MessageType::refusal:
      return decode_refusal(message.payload);
    case MessageType::verdict:
      return decode_verdict(message.payload);
    case MessageType::signature:
      return decode_signature(message.payload);
    case MessageType::trouble:
      return decode_trouble(message.payload);
    case MessageType::deleted:
      return decode_deleted(message.payload);
    case MessageType::done:
      return decode_done(message.payload);
    default:
      damaged_message("a message that only a sender may send");
  }
}

base::Error ended_too_early() {
  return base::Error{{.what = "the receiver ended the connection",
                      .detail = "it said nothing more",
                      .hint = "look at the log of the other host; check that hamn is installed "
                              "there: hamn --version"}};
}

}  // namespace

Inbox::Inbox(base::Stream& stream, base::Milliseconds limit)
    : reader_(stream, limit), worker_([this] { run(); }) {}

void Inbox::run() {
  std::exception_ptr failure;
  try {
    Message message;
    while (reader_.next(message)) {
      auto reply = decode(message);
      const std::lock_guard lock{mutex_};
      replies_.push_back(std::move(reply));
      changed_.notify_all();
    }
    failure = std::make_exception_ptr(ended_too_early());
  } catch (const base::Error&) {
    failure = std::current_exception();
  }
  const std::lock_guard lock{mutex_};
  ended_ = true;
  failure_ = failure;
  changed_.notify_all();
}

std::optional<Reply> Inbox::try_take() {
  const std::lock_guard lock{mutex_};
  if (replies_.empty()) {
    if (ended_) std::rethrow_exception(failure_);
    return std::nullopt;
  }
  auto reply = std::move(replies_.front());
  replies_.pop_front();
  return reply;
}

Reply Inbox::take() {
  {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return ended_ || !replies_.empty(); });
  }
  return *try_take();
}

}  // namespace hamn::sync
