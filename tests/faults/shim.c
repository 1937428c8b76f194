/* Writes down, in their order, what a process does to the files below a folder: for power cuts that are replayed later.
   While the file FAILING is there, nothing can be written or synced below the folder: EIO.

   cc -shared -fPIC -O1 -o shim.so shim.c -ldl
   LD_PRELOAD=shim.so TRACED=/folder TRACE=/trace program

   A record: kind, length of the path, path, offset, length of the data, data; numbers as this machine has them. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST 4096
static char *paths[MOST];
static int trace = -1;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
#define REAL(result, name, ...) static result (*real)(__VA_ARGS__); if (!real) real = dlsym(RTLD_NEXT, #name)

static int ends(const char *path, const char *end) {
    size_t a = strlen(path), b = strlen(end);
    return a >= b && !strcmp(path + a - b, end);
}

static int is_traced(const char *path) {
    const char *folder = getenv("TRACED");
    if (!folder || !path || strncmp(path, folder, strlen(folder))) return 0;
    return !ends(path, "-shm") && !ends(path, "-reserve") && !ends(path, "-control");
}

static ssize_t plain_write(int fd, const struct iovec *parts, int count) {
    REAL(ssize_t, writev, int, const struct iovec *, int);
    return real(fd, parts, count);
}

static void note(char kind, const char *path, int64_t offset, const void *data, uint32_t size) {
    if (!getenv("TRACE")) return;
    if (trace < 0) {
        REAL(int, open64, const char *, int, ...);
        trace = real(getenv("TRACE"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    uint16_t length = strlen(path);
    struct iovec parts[] = {{&kind, 1}, {&length, 2}, {(void *)path, length}, {&offset, 8}, {&size, 4}, {(void *)data, size}};
    plain_write(trace, parts, 6);
}

static int opened(int fd, const char *path, int flags) {
    if (fd >= 0 && fd < MOST && (flags & O_ACCMODE) != O_RDONLY && is_traced(path)) {
        pthread_mutex_lock(&turn);
        free(paths[fd]);
        paths[fd] = strdup(path);
        if (flags & O_CREAT) note('C', path, 0, "", 0);
        if (flags & O_TRUNC) note('T', path, 0, "", 0);
        pthread_mutex_unlock(&turn);
    }
    return fd;
}

#define MODE int mode = 0; if (flags & O_CREAT) { va_list more; va_start(more, flags); mode = va_arg(more, int); va_end(more); }
int open(const char *path, int flags, ...) { MODE REAL(int, open, const char *, int, ...); return opened(real(path, flags, mode), path, flags); }
int open64(const char *path, int flags, ...) { MODE REAL(int, open64, const char *, int, ...); return opened(real(path, flags, mode), path, flags); }
int openat(int at, const char *path, int flags, ...) { MODE REAL(int, openat, int, const char *, int, ...); return opened(real(at, path, flags, mode), path, flags); }
int openat64(int at, const char *path, int flags, ...) { MODE REAL(int, openat64, int, const char *, int, ...); return opened(real(at, path, flags, mode), path, flags); }

static int fails(void) {
    const char *failing = getenv("FAILING");
    if (!failing || access(failing, F_OK)) return 0;
    errno = EIO;
    return 1;
}

static const char *of(int fd) { return fd >= 0 && fd < MOST ? paths[fd] : NULL; }

int close(int fd) {
    REAL(int, close, int);
    if (of(fd)) { pthread_mutex_lock(&turn); free(paths[fd]); paths[fd] = NULL; pthread_mutex_unlock(&turn); }
    return real(fd);
}

#define WRITES(name) \
ssize_t name(int fd, const void *data, size_t size, off64_t offset) { \
    REAL(ssize_t, name, int, const void *, size_t, off64_t); \
    if (!of(fd)) return real(fd, data, size, offset); \
    if (fails()) return -1; \
    pthread_mutex_lock(&turn); \
    ssize_t done = real(fd, data, size, offset); \
    if (done > 0) note('W', of(fd), offset, data, done); \
    pthread_mutex_unlock(&turn); \
    return done; \
}
WRITES(pwrite)
WRITES(pwrite64)

#define WRITES_PARTS(name) \
ssize_t name(int fd, const struct iovec *parts, int count, off64_t offset) { \
    REAL(ssize_t, name, int, const struct iovec *, int, off64_t); \
    if (!of(fd)) return real(fd, parts, count, offset); \
    if (fails()) return -1; \
    pthread_mutex_lock(&turn); \
    ssize_t done = real(fd, parts, count, offset), left = done; \
    for (int part = 0; part < count && left > 0; part++) { \
        size_t size = left < (ssize_t)parts[part].iov_len ? (size_t)left : parts[part].iov_len; \
        note('W', of(fd), offset, parts[part].iov_base, size); \
        offset += size; \
        left -= size; \
    } \
    pthread_mutex_unlock(&turn); \
    return done; \
}
WRITES_PARTS(pwritev)
WRITES_PARTS(pwritev64)

/* More room at the end of a file is nothing but zeros there. */
#define ROOMS(name) \
int name(int fd, off64_t offset, off64_t size) { \
    REAL(int, name, int, off64_t, off64_t); \
    if (!of(fd)) return real(fd, offset, size); \
    if (fails()) return EIO; \
    pthread_mutex_lock(&turn); \
    int failed = real(fd, offset, size); \
    if (!failed) note('G', of(fd), offset + size, "", 0); \
    pthread_mutex_unlock(&turn); \
    return failed; \
}
ROOMS(posix_fallocate)
ROOMS(posix_fallocate64)

ssize_t write(int fd, const void *data, size_t size) {
    REAL(ssize_t, write, int, const void *, size_t);
    if (!of(fd)) return real(fd, data, size);
    pthread_mutex_lock(&turn);
    off_t offset = lseek(fd, 0, SEEK_CUR);
    ssize_t done = real(fd, data, size);
    if (done > 0) note('W', of(fd), offset, data, done);
    pthread_mutex_unlock(&turn);
    return done;
}

#define CUTS(name) \
int name(int fd, off64_t size) { \
    REAL(int, name, int, off64_t); \
    if (!of(fd)) return real(fd, size); \
    pthread_mutex_lock(&turn); \
    int failed = real(fd, size); \
    if (!failed) note('T', of(fd), size, "", 0); \
    pthread_mutex_unlock(&turn); \
    return failed; \
}
CUTS(ftruncate)
CUTS(ftruncate64)

/* What is written while a sync runs may not be part of it: so its beginning is noted, and its end. */
#define SYNCS(name) \
int name(int fd) { \
    REAL(int, name, int); \
    if (!of(fd)) return real(fd); \
    if (fails()) return -1; \
    static int64_t number; \
    pthread_mutex_lock(&turn); \
    int64_t mine = ++number; \
    note('B', of(fd), mine, #name, 1); \
    pthread_mutex_unlock(&turn); \
    int failed = real(fd); \
    pthread_mutex_lock(&turn); \
    if (!failed && of(fd)) note('S', of(fd), mine, #name, 1); \
    pthread_mutex_unlock(&turn); \
    return failed; \
}
SYNCS(fsync)
SYNCS(fdatasync)

int unlink(const char *path) {
    REAL(int, unlink, const char *);
    if (!is_traced(path)) return real(path);
    pthread_mutex_lock(&turn);
    int failed = real(path);
    if (!failed) note('U', path, 0, "", 0);
    pthread_mutex_unlock(&turn);
    return failed;
}

int link(const char *path, const char *other) {
    REAL(int, link, const char *, const char *);
    if (!is_traced(path)) return real(path, other);
    pthread_mutex_lock(&turn);
    int failed = real(path, other);
    if (!failed) note('L', path, 0, other, strlen(other));
    pthread_mutex_unlock(&turn);
    return failed;
}

int rename(const char *path, const char *other) {
    REAL(int, rename, const char *, const char *);
    if (!is_traced(path)) return real(path, other);
    pthread_mutex_lock(&turn);
    int failed = real(path, other);
    if (!failed) note('R', path, 0, other, strlen(other));
    pthread_mutex_unlock(&turn);
    return failed;
}
