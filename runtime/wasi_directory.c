/*
 * wasi_directory.c - WASI preview 1: fd_readdir.
 *
 * A cookie is the kernel's own position in the directory, so nothing has to
 * be remembered between calls, and a program may go back to any of them.
 * Each call seeks to its cookie, reads and hands out what fits; what was read
 * beyond that is read again.
 *
 * ".." is said to have the number of the directory itself, as at a root: what
 * is above may be outside. So is ".", for which overlay file systems tell a
 * number that the directory does not have.
 *
 * It runs on the thread of its call.
 */
#include "runtime/wasi.h"
#include "runtime/wasi_table.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    dirent_bytes = 24,

    /* An entry of the host as linux/dirent.h has it: number, next position,
     * length of the record (2 bytes), type (1 byte), name. */
    entry_next = 8,
    entry_length = 16,
    entry_type = 18,
    entry_name = 19,

    /* Some of them are read at once. One has a few hundred bytes at most. */
    entries_bytes = 8192,
};

/* What is filled: the guest's buffer. */
struct sink {
    uint8_t *bytes;
    uint32_t capacity_bytes;
    uint32_t used_bytes;
};

/* As much as fits; the last entry of a full buffer may be cut anywhere. */
static void
sink_append(struct sink *sink, const void *bytes, size_t length_bytes)
{
    size_t room = sink->capacity_bytes - sink->used_bytes;
    size_t count = length_bytes < room ? length_bytes : room;

    memcpy(sink->bytes + sink->used_bytes, bytes, count);
    sink->used_bytes += (uint32_t)count;
}

static enum runtime__wasi_filetype
filetype_of_entry(uint8_t type)
{
    return runtime__wasi_filetype_of_mode(DTTOIF((unsigned)type));
}

static void
append_entry(struct sink *sink, const uint8_t *entry, uint64_t own_number)
{
    const char *name = (const char *)entry + entry_name;
    size_t name_bytes = strlen(name);
    uint8_t dirent[dirent_bytes] = {0};
    uint64_t number = runtime__wasi_load(entry, 8);

    if (!strcmp(name, ".") || !strcmp(name, ".."))
        number = own_number;
    runtime__wasi_store(dirent, runtime__wasi_load(entry + entry_next, 8),
                        8);
    runtime__wasi_store(dirent + 8, number, 8);
    runtime__wasi_store(dirent + 16, name_bytes, 4);
    dirent[20] = (uint8_t)filetype_of_entry(entry[entry_type]);
    sink_append(sink, dirent, sizeof(dirent));
    sink_append(sink, name, name_bytes);
}

/* From where the directory stands, until the buffer is full or it ends. */
static enum runtime__wasi_errno
read_entries(int fd, uint64_t own_number, struct sink *sink)
{
    uint8_t entries[entries_bytes];

    while (sink->used_bytes < sink->capacity_bytes) {
        long length = syscall(SYS_getdents64, fd, entries, sizeof(entries));
        if (length < 0)
            return runtime__wasi_errno_last();
        if (length == 0)
            break;
        for (long i = 0; i < length;) {
            append_entry(sink, entries + i, own_number);
            i += (long)runtime__wasi_load(entries + i + entry_length, 2);
        }
    }
    return RUNTIME__WASI_SUCCESS;
}

static enum runtime__wasi_errno
read_directory(struct runtime__wasi *wasi, const union gvm_value *slots)
{
    uint32_t result = slots[4].i32;
    struct runtime__wasi_descriptor *descriptor;
    struct stat info;
    enum runtime__wasi_errno error =
        runtime__wasi_table_get(wasi, slots[0].i32, 0, &descriptor);

    if (error != RUNTIME__WASI_SUCCESS)
        return error;
    if (descriptor->kind != RUNTIME__WASI_DIRECTORY)
        return RUNTIME__WASI_ENOTDIR;
    if (!(descriptor->rights & RUNTIME__RIGHT_FD_READDIR))
        return RUNTIME__WASI_ENOTCAPABLE;
    struct sink sink = {
        .bytes = runtime__wasi_target(wasi, slots[1].i32, slots[2].i32),
        .capacity_bytes = slots[2].i32,
    };
    if (!sink.bytes || !runtime__wasi_target(wasi, result, 4))
        return RUNTIME__WASI_EFAULT;
    if (fstat(descriptor->number, &info) != 0 ||
        lseek(descriptor->number, (off_t)slots[3].i64, SEEK_SET) < 0)
        return runtime__wasi_errno_last();
    error = read_entries(descriptor->number, info.st_ino, &sink);
    wasi->work_fuel = sink.used_bytes;
    if (error == RUNTIME__WASI_SUCCESS)
        runtime__wasi_put_u32(wasi, result, sink.used_bytes);
    return error;
}

/* (fd, buffer, capacity, cookie, used *): less than the capacity is used only
 * at the end. */
enum gvm_status
runtime__wasi_fd_readdir(struct gvm_call *call, void *data,
                         union gvm_value *slots)
{
    (void)call;
    return runtime__wasi_return(slots, read_directory(data, slots));
}
