#pragma once

#include <vector>

#include "base/disk.h"
#include "sync/entry.h"
#include "sync/file_set.h"

namespace hamn::sync {

/// Extended attributes of an open file or node that a faithful set carries, sorted by name. Throws
/// DiskError (E2BIG) if they are more than a message can hold.
[[nodiscard]] std::vector<Attribute> read_attributes(base::Disk& disk, int file);

/// Gives an open file or node exactly these of the attributes that are carried. Throws DiskError.
void write_attributes(base::Disk& disk, int file, const std::vector<Attribute>& wanted);

/// Kinds of names as the disk knows them.
[[nodiscard]] base::FileType to_type(Kind kind);
/// Nothing for what no set carries.
[[nodiscard]] std::optional<Kind> to_kind(base::FileType type);

}  // namespace hamn::sync
