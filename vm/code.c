/*
 * code.c - storage of translated code, and its life with the module.
 */
#include "vm/code.h"

#include <stdlib.h>

#include "vm/ops.h"
#include "vm/translate.h"

/* What one chunk holds, unless a single function needs more. */
#define CHUNK_BYTES (256u << 10)

struct gvm__code_chunk {
    struct gvm__code_chunk *next;
    size_t used_bytes;
    size_t capacity_bytes;
    uint64_t words[];
};

static size_t
round_up(size_t bytes, size_t multiple)
{
    return (bytes + multiple - 1) / multiple * multiple;
}

/* Takes `bytes` from the newest chunk or a new one; the lock is held. */
static void *
take(struct gvm_module *module, size_t bytes)
{
    struct gvm__code_chunk *chunk = module->chunks;
    void *taken;

    if (chunk == NULL ||
        chunk->capacity_bytes - chunk->used_bytes < bytes) {
        size_t capacity = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;

        /* A small module should not pay for a large chunk. */
        if (module->chunks == NULL && capacity > module->length_bytes * 8)
            capacity = round_up(bytes + module->length_bytes * 8, 64);
        chunk = malloc(sizeof *chunk + capacity);
        if (chunk == NULL)
            return NULL;
        chunk->capacity_bytes = capacity;
        chunk->used_bytes = 0;
        chunk->next = module->chunks;
        module->chunks = chunk;
    }
    taken = (uint8_t *)chunk->words + chunk->used_bytes;
    chunk->used_bytes += bytes;
    return taken;
}

struct gvm__code *
gvm__code_allocate(struct gvm__function *function, uint32_t cells_bytes,
                   uint32_t place_count)
{
    struct gvm_module *module = function->module;
    size_t size = sizeof(struct gvm__code) + cells_bytes +
                  place_count * sizeof(struct gvm__place);
    struct gvm__code *code;

    size = round_up(size, 64);
    if (size > UINT32_MAX)
        return NULL;
    pthread_mutex_lock(&module->lock);
    code = take(module, size);
    if (code != NULL) {
        code->size_bytes = (uint32_t)size;
        code->cells_bytes = cells_bytes;
        code->place_count = place_count;
        code->function = (uint32_t)(function - module->functions);
    }
    pthread_mutex_unlock(&module->lock);
    return code;
}

struct gvm__place *
gvm__code_places(struct gvm__code *code)
{
    return (void *)((uint8_t *)code->cells + code->cells_bytes);
}

void
gvm__code_publish(struct gvm__function *function, struct gvm__code *code)
{
    const uint64_t *lazy = function->lazy;

    atomic_compare_exchange_strong_explicit(
        &function->entry, &lazy, code->cells, memory_order_release,
        memory_order_relaxed);
}

struct gvm__function *
gvm__code_function(const uint8_t *lazy)
{
    return (struct gvm__function *)(uintptr_t)(
        lazy - offsetof(struct gvm__function, lazy));
}

enum gvm_status
gvm__code_translate(struct gvm__function *function)
{
    struct gvm__code *code;
    enum gvm_status status = gvm__translate(function, &code);

    if (status == GVM_OK)
        gvm__code_publish(function, code);
    return status;
}

void
gvm__module_prepare(struct gvm_module *module)
{
    uint16_t handler = gvm__op_only_handler(GVM__OP_lazy);
    uint32_t defined =
        module->function_count - module->imported_function_count;

    for (uint32_t i = 0; i < defined; i++) {
        struct gvm__function *function = &module->functions[i];

        function->module = module;
        function->lazy[0] = gvm__handler_word(handler);
        atomic_init(&function->entry, function->lazy);
    }
}

void
gvm__module_discard(struct gvm_module *module)
{
    while (module->chunks != NULL) {
        struct gvm__code_chunk *chunk = module->chunks;

        module->chunks = chunk->next;
        free(chunk);
    }
}

static enum gvm_status
translate_from(struct gvm_module *module, uint32_t body_bytes_min,
               struct gvm_error *err)
{
    uint32_t defined =
        module->function_count - module->imported_function_count;

    for (uint32_t i = 0; i < defined; i++) {
        struct gvm__function *function = &module->functions[i];
        enum gvm_status status;

        if (function->body_bytes < body_bytes_min)
            continue;
        status = gvm__code_translate(function);
        if (status != GVM_OK)
            return gvm__error_set(err, status, function->body_offset,
                                  "cannot translate function %u",
                                  function->index);
    }
    return GVM_OK;
}

enum gvm_status
gvm__module_translate_all(struct gvm_module *module, struct gvm_error *err)
{
    return translate_from(module, 0, err);
}

enum gvm_status
gvm__module_translate_large(struct gvm_module *module,
                            struct gvm_error *err)
{
    return translate_from(module, GVM_LAZY_BODY_BYTES_MAX + 1, err);
}

/* The last place at or before the cell. */
static uint32_t
place_of(struct gvm__code *code, uint32_t cell_offset)
{
    const struct gvm__place *places = gvm__code_places(code);
    uint32_t low = 0, high = code->place_count;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (places[middle].cell_offset <= cell_offset)
            low = middle;
        else
            high = middle;
    }
    return places[low].insn_offset;
}

static bool
locate_in_chunk(struct gvm_module *module, struct gvm__code_chunk *chunk,
                const uint8_t *pc, uint32_t *function, uint64_t *offset)
{
    uint8_t *at = (uint8_t *)chunk->words;
    const uint8_t *end = at + chunk->used_bytes;

    if (pc < at || pc >= end)
        return false;
    while (at < end) {
        struct gvm__code *code = (void *)at;
        const uint8_t *cells = (const uint8_t *)code->cells;

        if (pc >= cells && pc < cells + code->cells_bytes) {
            const struct gvm__function *found =
                &module->functions[code->function];

            *function = found->index;
            *offset = (uint64_t)found->body_offset +
                      place_of(code, (uint32_t)(pc - cells));
            return true;
        }
        at += code->size_bytes;
    }
    return false;
}

bool
gvm__code_locate(struct gvm_module *module, const uint8_t *pc,
                 uint32_t *function, uint64_t *offset)
{
    bool found = false;

    pthread_mutex_lock(&module->lock);
    for (struct gvm__code_chunk *chunk = module->chunks;
         chunk != NULL && !found; chunk = chunk->next)
        found = locate_in_chunk(module, chunk, pc, function, offset);
    pthread_mutex_unlock(&module->lock);
    return found;
}
