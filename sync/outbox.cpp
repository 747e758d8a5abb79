#include "sync/outbox.h"

#include <utility>

namespace hamn::sync {

Outbox::Outbox(base::Stream& stream, base::Milliseconds limit)
    : writer_(stream, false, limit), worker_([this] { run(); }) {}

Outbox::~Outbox() {
  const std::lock_guard lock{mutex_};
  finished_ = true;
  changed_.notify_all();
}

void Outbox::push(Item item) {
  {
    const std::lock_guard lock{mutex_};
    if (!failed_) items_.push_back(std::move(item));
    if (!failed_) changed_.notify_all();
    if (!failed_) return;
  }
  finish();
}

void Outbox::push(std::uint8_t type, std::string payload) {
  push([type, payload = std::move(payload)](BlockWriter& writer) { writer.send(type, payload); });
}

void Outbox::finish() {
  {
    const std::lock_guard lock{mutex_};
    finished_ = true;
    changed_.notify_all();
  }
  worker_.join();
}

bool Outbox::take(Item& item, bool& was_last) {
  std::unique_lock lock{mutex_};
  while (
      !changed_.wait_for(lock, longest_silence, [this] { return finished_ || !items_.empty(); })) {
    lock.unlock();
    writer_.keep_alive(longest_silence);
    lock.lock();
  }
  if (items_.empty()) return false;
  item = std::move(items_.front());
  items_.pop_front();
  was_last = items_.empty();
  return true;
}

void Outbox::run() {
  struct Failing {
    Outbox& outbox;
    bool succeeded = false;
    ~Failing() {
      const std::lock_guard lock{outbox.mutex_};
      outbox.failed_ = !succeeded;
      outbox.items_.clear();
    }
  } failing{*this};
  Item item;
  bool was_last = false;
  while (take(item, was_last)) {
    item(writer_);
    if (was_last) writer_.flush();
  }
  writer_.flush();
  failing.succeeded = true;
}

}  // namespace hamn::sync
