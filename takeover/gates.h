#pragma once

#include "base/role.h"
#include "sync/index.h"
#include "takeover/context.h"
#include "takeover/step.h"

namespace hamn::takeover {

/// This host is a standby, or already in the middle of this takeover.
class StandbyGate : public Gate {
 public:
  explicit StandbyGate(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "standby"; }
  [[nodiscard]] std::string title() const override { return "This host is the standby."; }
  [[nodiscard]] base::Finding look() override;

 private:
  const Context& context_;
};

/// The primary is not alive, and there is a way to prove that it is off.
class PrimaryDownGate : public Gate {
 public:
  explicit PrimaryDownGate(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "primary-down"; }
  [[nodiscard]] std::string title() const override { return context_.primary + " is down."; }
  [[nodiscard]] base::Finding look() override;

 private:
  const Context& context_;
};

/// The newest recovery point of the database is sound and not older than allowed.
class DatabaseAgeGate : public Gate {
 public:
  explicit DatabaseAgeGate(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "database-age"; }
  [[nodiscard]] std::string title() const override {
    return "There is a recovery point of the database that is young enough.";
  }
  [[nodiscard]] base::Finding look() override;
  [[nodiscard]] bool is_about_loss() const override { return true; }

 private:
  const Context& context_;
};

/// One file set was received completely and not longer ago than allowed.
class FileSetAgeGate : public Gate {
 public:
  FileSetAgeGate(const Context& context, const base::FileSetSettings& set);
  [[nodiscard]] std::string_view id() const override { return id_; }
  [[nodiscard]] std::string title() const override {
    return "The file set " + set_.name + " is complete and young enough.";
  }
  [[nodiscard]] base::Finding look() override;
  [[nodiscard]] bool is_about_loss() const override { return true; }

 private:
  const Context& context_;
  const base::FileSetSettings& set_;
  std::string id_;
};

/// Where the primary is known to be off, nobody answers for the service address: whoever does is a
/// third host, and would be found by CheckAddressFree only after the first changes.
class AddressFreeGate : public Gate {
 public:
  explicit AddressFreeGate(const Context& context) : context_(context) {}
  [[nodiscard]] std::string_view id() const override { return "address-free"; }
  [[nodiscard]] std::string title() const override {
    return "No third host holds " + context_.site.service.address.address + ".";
  }
  [[nodiscard]] base::Finding look() override;

 private:
  const Context& context_;
};

/// Decision on the evidence about the primary. Pure; the sentences are what people read.
[[nodiscard]] base::Finding judge_primary(const Evidence& evidence, const std::string& primary,
                                          bool can_be_fenced, const std::string& statement);

/// Decision on the age of a copy. Pure.
[[nodiscard]] base::Finding judge_age(const std::string& what, base::Milliseconds age,
                                      base::Milliseconds limit);
/// The same for something made at that time. A time ahead of this host's clock blocks: the age is
/// not known. Pure.
[[nodiscard]] base::Finding judge_time(const std::string& what, base::WallTime made,
                                       base::WallTime now, base::Milliseconds limit);

}  // namespace hamn::takeover
