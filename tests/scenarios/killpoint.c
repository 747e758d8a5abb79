/* Ends or stops a program at a chosen moment. For LD_PRELOAD.
 *
 * Counts the moments at which the world outside the process may have changed: returned fsync,
 * fdatasync and syncfs, renames, links and removals, a child about to be and just started, a child
 * that was seen to have ended. With KILL_WRITES=1 also every write to a file.
 *
 *   KILL_AT      number of the event at which to act; 0 or unset: never
 *   KILL_ACTION  kill (default): SIGKILL to itself; stop: SIGSTOP
 *   KILL_AFTER   count only from the moment when this text was written to a file, as to a journal
 *   KILL_WHO     only in a program whose arguments contain this text; others pass it on
 *   KILL_LOG     file that gets a line per event: NUMBER KIND DETAIL
 *   KILL_MARK    file that gets the process id at the moment of acting
 *
 * The program that acts does not hand any of this to its children.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_long count;
static long kill_at;
static int active;
static int stops;
static int counts_writes;
static int log_fd = -1;
static char mark[512];
static char after[256];
static atomic_int counting;
static pid_t self;

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

static int asked_for(const char *who) {
  static char line[65536];
  int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  ssize_t size = fd < 0 ? 0 : read(fd, line, sizeof line - 1);
  if (fd >= 0) close(fd);
  if (size <= 0) return 0;
  for (ssize_t i = 0; i < size; ++i) {
    if (line[i] == '\0') line[i] = ' ';
  }
  line[size] = '\0';
  return strstr(line, who) != NULL;
}

__attribute__((constructor)) static void begin(void) {
  const char *who = getenv("KILL_WHO");
  if (who != NULL && !asked_for(who)) return;
  const char *at = getenv("KILL_AT");
  const char *action = getenv("KILL_ACTION");
  const char *log = getenv("KILL_LOG");
  const char *where = getenv("KILL_MARK");
  kill_at = at != NULL ? atol(at) : 0;
  stops = action != NULL && strcmp(action, "stop") == 0;
  counts_writes = getenv("KILL_WRITES") != NULL;
  if (log != NULL) log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const char *text = getenv("KILL_AFTER");
  if (where != NULL) strncpy(mark, where, sizeof mark - 1);
  if (text != NULL) strncpy(after, text, sizeof after - 1);
  counting = after[0] == '\0';
  self = getpid();
  active = 1;
  for (const char *const *name = (const char *const[]){"LD_PRELOAD", "KILL_AT", "KILL_ACTION",
                                                       "KILL_WHO", "KILL_LOG", "KILL_MARK",
                                                       "KILL_WRITES", "KILL_AFTER", NULL};
       *name != NULL; ++name) {
    unsetenv(*name);
  }
}

static void act(long number) {
  char text[64];
  if (mark[0] != '\0') {
    int fd = open(mark, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int size = snprintf(text, sizeof text, "%d %ld\n", (int)self, number);
    if (fd >= 0) {
      ssize_t (*put)(int, const void *, size_t) = real("write");
      (void)!put(fd, text, (size_t)size);
      close(fd);
    }
  }
  kill(self, stops ? SIGSTOP : SIGKILL);
}

static void event(const char *kind, const char *detail) {
  if (!active || !counting || getpid() != self) return;
  long number = atomic_fetch_add(&count, 1) + 1;
  if (log_fd >= 0) {
    char line[4600];
    int size = snprintf(line, sizeof line, "%ld %s %s\n", number, kind, detail);
    ssize_t (*put)(int, const void *, size_t) = real("write");
    (void)!put(log_fd, line, (size_t)size);
  }
  if (number == kill_at) act(number);
}

static void event_on(const char *kind, int fd) {
  char link[64];
  char path[4096] = "";
  if (!active) return;
  if (log_fd >= 0) {
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    path[size > 0 ? size : 0] = '\0';
  }
  event(kind, path);
}

static int is_file(int fd) {
  struct stat found;
  return fstat(fd, &found) == 0 && S_ISREG(found.st_mode);
}

/* Begins to count when the text is on its way to a file. */
static void look_for_text(int fd, const void *data, size_t size) {
  if (!active || counting || memmem(data, size, after, strlen(after)) == NULL) return;
  if (is_file(fd)) counting = 1;
}

#define ONE_DESCRIPTOR(name)                 \
  int name(int fd) {                         \
    int (*next)(int) = real(#name);          \
    int result = next(fd);                   \
    if (result == 0) event_on(#name, fd);    \
    return result;                           \
  }
ONE_DESCRIPTOR(fsync)
ONE_DESCRIPTOR(fdatasync)
ONE_DESCRIPTOR(syncfs)

int rename(const char *from, const char *to) {
  int (*next)(const char *, const char *) = real("rename");
  int result = next(from, to);
  if (result == 0) event("rename", to);
  return result;
}

int renameat(int from_dir, const char *from, int to_dir, const char *to) {
  int (*next)(int, const char *, int, const char *) = real("renameat");
  int result = next(from_dir, from, to_dir, to);
  if (result == 0) event("rename", to);
  return result;
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
  int (*next)(int, const char *, int, const char *, unsigned) = real("renameat2");
  int result = next(from_dir, from, to_dir, to, flags);
  if (result == 0) event("rename", to);
  return result;
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
  int (*next)(int, const char *, int, const char *, int) = real("linkat");
  int result = next(from_dir, from, to_dir, to, flags);
  if (result == 0) event("link", to);
  return result;
}

int unlinkat(int directory, const char *path, int flags) {
  int (*next)(int, const char *, int) = real("unlinkat");
  int result = next(directory, path, flags);
  if (result == 0) event("remove", path);
  return result;
}

ssize_t write(int fd, const void *data, size_t size) {
  ssize_t (*next)(int, const void *, size_t) = real("write");
  ssize_t result = next(fd, data, size);
  look_for_text(fd, data, size);
  if (counts_writes && result > 0 && is_file(fd)) event_on("write", fd);
  return result;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
  ssize_t (*next)(int, const void *, size_t, off64_t) = real("pwrite64");
  ssize_t result = next(fd, data, size, offset);
  look_for_text(fd, data, size);
  if (counts_writes && result > 0 && is_file(fd)) event_on("write", fd);
  return result;
}

pid_t fork(void) {
  pid_t (*next)(void) = real("fork");
  event("fork-before", "");
  pid_t result = next();
  if (result > 0) event("fork-after", "");
  return result;
}

pid_t waitpid(pid_t pid, int *status, int options) {
  pid_t (*next)(pid_t, int *, int) = real("waitpid");
  pid_t result = next(pid, status, options);
  if (result > 0) event("child-ended", "");
  return result;
}
