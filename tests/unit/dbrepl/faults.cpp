#include "tests/unit/dbrepl/faults.h"

#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace hamn::dbrepl::test {

namespace {

Fault armed = Fault::none;
int armed_for = 0;
int counted = 0;

/// True if there is no room for the change.
bool is_full(bool needs_room) {
  ++counted;
  if (armed == Fault::kill && counted == armed_for) ::kill(::getpid(), SIGKILL);
  return armed == Fault::full && needs_room && counted >= armed_for;
}

void count(bool needs_room) {
  if (is_full(needs_room)) throw base::DiskError{"cannot write", ENOSPC};
}

// A layer below SQLite that counts and otherwise hands everything on.

struct CountedFile {
  sqlite3_file outer;
  sqlite3_file* inner;
};

sqlite3_vfs* real_vfs = nullptr;
sqlite3_vfs counting_vfs;
sqlite3_io_methods counting_methods;

sqlite3_file* inner(sqlite3_file* file) {
  return reinterpret_cast<CountedFile*>(file)->inner;
}

int close_file(sqlite3_file* file) {
  return inner(file)->pMethods->xClose(inner(file));
}
int read_file(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
  return inner(file)->pMethods->xRead(inner(file), to, size, offset);
}
int write_file(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  if (is_full(true)) return SQLITE_FULL;
  return inner(file)->pMethods->xWrite(inner(file), from, size, offset);
}
int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  (void)is_full(false);
  return inner(file)->pMethods->xTruncate(inner(file), size);
}
int sync_file(sqlite3_file* file, int flags) {
  (void)is_full(false);
  return inner(file)->pMethods->xSync(inner(file), flags);
}
int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return inner(file)->pMethods->xFileSize(inner(file), size);
}
int lock_file(sqlite3_file* file, int level) {
  return inner(file)->pMethods->xLock(inner(file), level);
}
int unlock_file(sqlite3_file* file, int level) {
  return inner(file)->pMethods->xUnlock(inner(file), level);
}
int check_lock(sqlite3_file* file, int* result) {
  return inner(file)->pMethods->xCheckReservedLock(inner(file), result);
}
int control_file(sqlite3_file* file, int operation, void* argument) {
  return inner(file)->pMethods->xFileControl(inner(file), operation, argument);
}
int sector_size(sqlite3_file* file) {
  return inner(file)->pMethods->xSectorSize(inner(file));
}
int characteristics(sqlite3_file* file) {
  return inner(file)->pMethods->xDeviceCharacteristics(inner(file));
}
int map_shared(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
  return inner(file)->pMethods->xShmMap(inner(file), page, size, extend, out);
}
int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
  return inner(file)->pMethods->xShmLock(inner(file), offset, count, flags);
}
void barrier(sqlite3_file* file) {
  inner(file)->pMethods->xShmBarrier(inner(file));
}
int unmap_shared(sqlite3_file* file, int remove) {
  return inner(file)->pMethods->xShmUnmap(inner(file), remove);
}

int open_file(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* file, int flags, int* out) {
  auto* counted_file = reinterpret_cast<CountedFile*>(file);
  counted_file->inner = reinterpret_cast<sqlite3_file*>(counted_file + 1);
  const int result = real_vfs->xOpen(real_vfs, name, counted_file->inner, flags, out);
  file->pMethods = counted_file->inner->pMethods != nullptr ? &counting_methods : nullptr;
  return result;
}

int delete_file(sqlite3_vfs* /*vfs*/, const char* name, int sync) {
  (void)is_full(false);
  return real_vfs->xDelete(real_vfs, name, sync);
}

int wait_in_no_time(sqlite3_vfs* /*vfs*/, int microseconds) {
  return microseconds;
}

void set_up_methods() {
  counting_methods = {};
  counting_methods.iVersion = 2;
  counting_methods.xClose = close_file;
  counting_methods.xRead = read_file;
  counting_methods.xWrite = write_file;
  counting_methods.xTruncate = truncate_file;
  counting_methods.xSync = sync_file;
  counting_methods.xFileSize = file_size;
  counting_methods.xLock = lock_file;
  counting_methods.xUnlock = unlock_file;
  counting_methods.xCheckReservedLock = check_lock;
  counting_methods.xFileControl = control_file;
  counting_methods.xSectorSize = sector_size;
  counting_methods.xDeviceCharacteristics = characteristics;
  counting_methods.xShmMap = map_shared;
  counting_methods.xShmLock = lock_shared;
  counting_methods.xShmBarrier = barrier;
  counting_methods.xShmUnmap = unmap_shared;
}

}  // namespace

void arm(Fault fault, int nth) {
  armed = fault;
  armed_for = nth;
  counted = 0;
}

int changes() {
  return counted;
}

void watch_sqlite() {
  if (real_vfs != nullptr) return;
  real_vfs = sqlite3_vfs_find(nullptr);
  set_up_methods();
  counting_vfs = *real_vfs;
  counting_vfs.zName = "counting";
  counting_vfs.pNext = nullptr;
  counting_vfs.szOsFile = static_cast<int>(sizeof(CountedFile)) + real_vfs->szOsFile;
  counting_vfs.xOpen = open_file;
  counting_vfs.xDelete = delete_file;
  counting_vfs.xSleep = wait_in_no_time;
  sqlite3_vfs_register(&counting_vfs, 1);
}

void restore_sqlite() {
  arm(Fault::none, 0);
  if (real_vfs == nullptr) return;
  sqlite3_vfs_unregister(&counting_vfs);
  sqlite3_vfs_register(real_vfs, 1);
  real_vfs = nullptr;
}

void FaultyDisk::make_directory(int directory, const std::string& name, unsigned mode) {
  count(true);
  RealDisk::make_directory(directory, name, mode);
}
base::Fd FaultyDisk::create_file(int directory, const std::string& name, unsigned mode) {
  count(true);
  return RealDisk::create_file(directory, name, mode);
}
void FaultyDisk::write(int file, std::string_view data, std::uint64_t offset) {
  count(true);
  RealDisk::write(file, data, offset);
}
void FaultyDisk::rename(int from, const std::string& old_name, int to,
                        const std::string& new_name) {
  count(false);
  RealDisk::rename(from, old_name, to, new_name);
}
void FaultyDisk::remove_file(int directory, const std::string& name) {
  count(false);
  RealDisk::remove_file(directory, name);
}
void FaultyDisk::remove_directory(int directory, const std::string& name) {
  count(false);
  RealDisk::remove_directory(directory, name);
}
void FaultyDisk::sync_file(int file) {
  count(false);
  RealDisk::sync_file(file);
}
void FaultyDisk::sync_directory(int directory) {
  count(false);
  RealDisk::sync_directory(directory);
}

}  // namespace hamn::dbrepl::test
