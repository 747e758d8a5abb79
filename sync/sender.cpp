#include "sync/sender.h"

#include "sync/receiver.h"
#include "sync/set_sender.h"

namespace hamn::sync {

PeerRefused::PeerRefused(const Refusal& refusal)
    : Error({.what = refusal.what,
             .detail = refusal.detail,
             .hint = refusal.hint,
             .code = static_cast<base::Exit>(refusal.code)}),
      deposed_(refusal.deposed),
      epoch_(refusal.epoch) {}

Connection::Connection(std::unique_ptr<base::Stream> stream)
    : stream_(std::move(stream)),
      writer_(*stream_, true, stream_limit),
      inbox_(*stream_, stream_limit) {
  keep_alive_.emplace(writer_);
}

Connection::~Connection() {
  keep_alive_.reset();
  if (stream_ != nullptr) stream_->close();
}

base::Ending Connection::finish() {
  writer_.flush();
  keep_alive_.reset();
  stream_->close_write();
  return stream_->finish(std::chrono::seconds{10});
}

base::Ending Connection::abort() {
  keep_alive_.reset();
  try {
    return stream_->finish(std::chrono::seconds{3});
  } catch (const base::Error& error) {
    return {.exit_code = 255, .error_output = error.detail()};
  }
}

SendResult send_set(Connection& connection, const SendRequest& request, base::Clock& clock,
                    base::Progress& progress) {
  try {
    return SetSender{connection, request, clock, progress}.run();
  } catch (const IndexDamaged&) {
    set_index_aside(sender_index_path(request.state_directory, request.set.name));
    throw;
  }
}

std::string sender_index_path(const std::string& state_directory, const std::string& set) {
  return state_directory + "/sync/" + set + ".sender.db";
}

}  // namespace hamn::sync
