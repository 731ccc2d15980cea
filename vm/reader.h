/*
 * reader.h - a bounded cursor over the bytes of a module.
 *
 * Every read is checked against `end`, whoever made the bytes; a reader of a
 * section or of a body is a copy with a nearer end. Integers are read as the
 * specification has them: at most ceil(N / 7) bytes, unused bits a proper
 * extension of the value. Texts of failures begin as the official test suite
 * has them.
 *
 * On failure a reader stays where it was, and `err` holds the offset of what
 * could not be read. A reader belongs to one thread.
 */
#ifndef GLASS_VM_READER_H
#define GLASS_VM_READER_H

#include "vm/module.h"

/* Leaves the function with a status that is not GVM_OK. */
#define GVM__TRY(expression)                                             \
    do {                                                                 \
        enum gvm_status try_status_ = (expression);                      \
        if (__builtin_expect(try_status_ != GVM_OK, 0)) {                \
            return try_status_;                                          \
        }                                                                \
    } while (0)

struct gvm__reader {
    const uint8_t *start; /* offsets count from here */
    const uint8_t *at;
    const uint8_t *end;
    struct gvm_error *err; /* may be NULL */
};

/* The rest of a read that does not end with its first byte. */
enum gvm_status gvm__read_u32_long(struct gvm__reader *reader,
                                   uint32_t *value);
enum gvm_status gvm__read_s32(struct gvm__reader *reader, int32_t *value);
/* 33 bits: indexes of types in block types, negative for value types. */
enum gvm_status gvm__read_s33(struct gvm__reader *reader, int64_t *value);
enum gvm_status gvm__read_s64(struct gvm__reader *reader, int64_t *value);
/* Little endian, `length_bytes` of them: 4 or 8. */
enum gvm_status gvm__read_fixed(struct gvm__reader *reader,
                                unsigned length_bytes, uint64_t *value);

/* Points `bytes` at the next `length_bytes` bytes. */
enum gvm_status gvm__read_bytes(struct gvm__reader *reader,
                                uint64_t length_bytes,
                                const uint8_t **bytes);
/* A length and as much UTF-8, at most GVM_NAME_BYTES_MAX. */
enum gvm_status gvm__read_name(struct gvm__reader *reader,
                               const char **name, size_t *length_bytes);
/*
 * The count of a vector whose items take at least `item_bytes_min` bytes
 * each: one that the bytes left cannot hold is malformed. More than `max`
 * is GVM_LIMIT, and the message calls that limit `limit`.
 */
enum gvm_status gvm__read_count(struct gvm__reader *reader,
                                uint32_t item_bytes_min, uint32_t max,
                                const char *limit, uint32_t *count);
/* A reader of the next `length_bytes` bytes, which are then passed. */
enum gvm_status gvm__read_part(struct gvm__reader *reader,
                               uint32_t length_bytes,
                               struct gvm__reader *part);

/* Fills the reader's err with the offset of `at`. */
enum gvm_status gvm__read_fail(const struct gvm__reader *reader,
                               enum gvm_status status, const uint8_t *at,
                               const char *format, ...)
    __attribute__((format(printf, 4, 5), cold));
/* GVM_MALFORMED, "unexpected end of section or function". */
enum gvm_status gvm__read_fail_end(const struct gvm__reader *reader)
    __attribute__((cold));

/*
 * GVM_OK when the module may use `feature`, which is then noted as used;
 * else GVM_MALFORMED at `at`: "<what>: needs the feature <name>".
 */
enum gvm_status gvm__read_feature(const struct gvm__reader *reader,
                                  struct gvm_module *module,
                                  const uint8_t *at,
                                  enum gvm_feature feature,
                                  const char *what);

bool gvm__utf8_is_valid(const uint8_t *bytes, size_t length_bytes);

static inline size_t
gvm__reader_left(const struct gvm__reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

static inline enum gvm_status
gvm__read_byte(struct gvm__reader *reader, uint8_t *byte)
{
    if (__builtin_expect(reader->at == reader->end, 0)) {
        gvm__read_fail_end(reader);
        return GVM_MALFORMED; /* known not to be GVM_OK when inlined */
    }
    *byte = *reader->at++;
    return GVM_OK;
}

static inline enum gvm_status
gvm__read_u32(struct gvm__reader *reader, uint32_t *value)
{
    if (__builtin_expect(reader->at < reader->end && *reader->at < 0x80,
                         1)) {
        *value = *reader->at++;
        return GVM_OK;
    }
    return gvm__read_u32_long(reader, value);
}

#endif
