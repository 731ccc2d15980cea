/*
 * wasi.h - WASI preview 1, for programs on three streams.
 *
 * It knows the engine and nothing else of Glass: what a program sees is in
 * struct runtime__wasi, which whoever runs it fills. Functions that need a
 * file system link and answer ENOSYS.
 *
 * The rules for guest memory are those of host.h, but for a range that is
 * outside: that is EFAULT, as a program of WASI may expect.
 */
#ifndef GLASS_RUNTIME_WASI_H
#define GLASS_RUNTIME_WASI_H

#include "runtime/buffer.h"
#include "runtime/runtime.h"

#include "vm/vm.h"

/* Texts behind each other, each with its final zero. */
struct runtime__texts {
    struct runtime__buffer buffer;
    uint32_t count;
};

/* What a program sees of the world. All zero: nothing. */
struct runtime__wasi {
    /* Not owned; null where there is nothing. */
    const struct runtime__texts *arguments;
    const struct runtime__texts *environment;
    struct runtime_streams streams;

    /* Memory 0 of the program's instance, or NULL; not owned. */
    struct gvm_memory *memory;

    unsigned closed;   /* bit n: descriptor n was closed */
    bool exited;       /* proc_exit was called */
    int32_t exit_code; /* with this */
};

/*
 * Appends a text made of up to three parts (NULL: none). Returns false when
 * it is out of memory.
 */
bool
runtime__texts_append(struct runtime__texts *texts, const char *first,
                      const char *second, const char *third);
void
runtime__texts_deinit(struct runtime__texts *texts);

#define WASI(name, signature) gvm_host_function runtime__wasi_##name;
#define WASI_ABSENT(name, signature)
#include "runtime/wasi.inc"
#undef WASI
#undef WASI_ABSENT
gvm_host_function runtime__wasi_absent;

/* WASI's own numbers. */
enum runtime__wasi_errno {
    RUNTIME__WASI_SUCCESS = 0,
    RUNTIME__WASI_EAGAIN = 6,
    RUNTIME__WASI_EBADF = 8,
    RUNTIME__WASI_EFAULT = 21,
    RUNTIME__WASI_EFBIG = 22,
    RUNTIME__WASI_EINTR = 27,
    RUNTIME__WASI_EINVAL = 28,
    RUNTIME__WASI_EIO = 29,
    RUNTIME__WASI_ENOSPC = 51,
    RUNTIME__WASI_ENOSYS = 52,
    RUNTIME__WASI_EPIPE = 64,
    RUNTIME__WASI_ESPIPE = 70,
};

static inline enum gvm_status
runtime__wasi_return(union gvm_value *slots, enum runtime__wasi_errno error)
{
    slots[0].slot = (uint32_t)error;
    return GVM_OK;
}

/* The host's address of a guest's range, or NULL when it leaves it. */
uint8_t *
runtime__wasi_range(const struct runtime__wasi *wasi, uint64_t pointer,
                    uint64_t length_bytes);

/* Write and read numbers of the guest, which are little-endian. False when
 * they do not lie inside. */
bool
runtime__wasi_put_u32(const struct runtime__wasi *wasi, uint32_t pointer,
                      uint32_t value);
bool
runtime__wasi_put_u64(const struct runtime__wasi *wasi, uint32_t pointer,
                      uint64_t value);

#endif
