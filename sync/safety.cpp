#include "sync/safety.h"

#include "base/error.h"
#include "base/text.h"

namespace hamn::sync {

void refuse_emptied_source(const std::string& set, const std::string& path, std::size_t before,
                           std::size_t now) {
  if (before == 0 || now > 0) return;
  throw base::Error{{.what = "refusing to sync an emptied source",
                     .detail = base::printable(path) + " is empty or gone, but held " +
                               base::human_count(before) +
                               " names at the last pass; is its file system mounted?",
                     .hint = "mount it; if it was emptied on purpose: hamn sync run --set " + set +
                             " --accept-emptied",
                     .code = base::Exit::refused}};
}

bool is_mass_deletion(std::uint64_t names, std::uint64_t total) {
  constexpr std::uint64_t few_names = 100;
  constexpr std::uint64_t one_in = 4;
  return names > few_names && names > total / one_in;
}

}  // namespace hamn::sync
