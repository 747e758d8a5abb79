#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/disk.h"

namespace hamn::base {

/// What a management node is for the cluster at the moment.
enum class RoleName {
  primary,    ///< in charge: pushes files and the database to the standby
  standby,    ///< kept current; accepts pushes of the epoch it knows or a higher one
  promoting,  ///< a takeover is under way on this host: accepts nothing any more
  deposed     ///< was the primary; another host holds a higher epoch. Pushes nothing
};
/// The word that stands in the role file, and back. Nothing if it is no role.
[[nodiscard]] std::string to_text(RoleName name);
[[nodiscard]] std::optional<RoleName> parse_role_name(const std::string& text);

/// Far beyond what takeovers can count to; a higher one is a mistake.
constexpr std::uint64_t largest_epoch = 1'000'000'000;

/// Role and epoch of one host. The epoch is raised by every takeover; whatever is stamped with a
/// lower one is refused.
struct Role {
  std::string host;  ///< the name of this host in the configuration
  RoleName name = RoleName::standby;
  std::uint64_t epoch = 0;
  WallTime since;
  std::string run;  ///< the run that set it

  friend bool operator==(const Role&, const Role&) = default;
};

/// Reads the role file (docs/formats/role.md). Nothing if hamn was never set up here; Error if the
/// file is there but cannot be trusted.
[[nodiscard]] std::optional<Role> read_role(const std::string& path);
/// Replaces the role file durably.
void write_role(Disk& disk, const std::string& path, const Role& role);

/// The text of the role file, and back (pure). parse_role() throws Error as read_role() does;
/// `path` is for its words.
[[nodiscard]] std::string format_role(const Role& role);
[[nodiscard]] Role parse_role(const std::string& text, const std::string& path);

}  // namespace hamn::base
