#pragma once

#include <string>

#include "base/disk.h"
#include "dbrepl/recovery_point.h"
#include "dbrepl/sqlite_content.h"
#include "dbrepl/sqlite_tables.h"
#include "dbrepl/whole_directory.h"

namespace hamn::dbrepl {

/// Copies one locked table into `target`, page by page. The copy is not yet to be trusted: the
/// locks should end first, then finish_copy() makes it so.
void copy_locked(base::Disk& disk, const LockedTables::Table& table, ScratchDirectory& target);

/// Makes a copy complete in itself (no WAL mode, nothing beside it) and durable.
/// Answers what it holds; `position` is left empty.
TablePoint finish_copy(base::Disk& disk, ScratchDirectory& target, const std::string& name);

/// What a file that nobody changes holds.
[[nodiscard]] TableContent content_of(const std::string& path);

}  // namespace hamn::dbrepl
