#pragma once

#include <string_view>

namespace hamn::cron {

/// What becomes of an option of rsync in a file set.
enum class OptionFate {
  same,      ///< hamn does so anyway, or it changes nothing about the copies
  differs,   ///< a file set does otherwise; `words` says how
  faithful,  ///< a faithful set does so; `words` says what another one does
  deletes,   ///< the set deletes
  obstacle,  ///< the call is something else than keeping a copy current; `words` says what
  special    ///< read by name: filters, -e, -r, -a, -R, -L
};

/// One option of rsync(1).
struct RsyncOption {
  char letter;  ///< 0: it has none
  std::string_view name;
  bool has_value;
  OptionFate fate;
  std::string_view words;
};

/// By letter or by name without "--"; null if rsync has no such option, as far as is known here.
[[nodiscard]] const RsyncOption* find_option(char letter);
[[nodiscard]] const RsyncOption* find_option(std::string_view name);

}  // namespace hamn::cron
