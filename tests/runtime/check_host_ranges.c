/*
 * check_host_ranges.c - every pointer that a guest gives to a host function
 * of ours (hostcalls.inc, faasm.inc) is held against its memory.
 *
 * The tables say which parameters those are: their documentation names them.
 * One in front of a length or a capacity is a range of that length; some
 * names stand for ranges of a fixed length, and some for texts that end with
 * a zero. So a row that is added is tested, or its names are not understood
 * and this fails.
 */
#include "runtime/hostcalls.h"
#include "tests/runtime/one_world.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { page = 65536, parameters_max = 8 };

enum meaning {
    NUMBER,
    RANGE,  /* the next one is its length */
    LENGTH, /* of the one before */
    FIXED,  /* a range of `fixed_bytes` */
    TEXT,   /* that ends with a zero */
};

struct parameter {
    char name[32];
    enum meaning meaning;
    uint32_t fixed_bytes;
    bool wants_something; /* zero bytes are an error before the range is */
};

struct function {
    const struct runtime__hostcall *row;
    struct parameter parameters[parameters_max];
    size_t count;
};

/* What a name means where nothing is said by the one behind it. */
static const struct {
    const char *name;
    enum meaning meaning;
    uint32_t fixed_bytes;
} names[] = {
    {"sum", FIXED, 8},       {"version", FIXED, 8},  {"cursor", FIXED, 8},
    {"handles", FIXED, 4},   {"handle", NUMBER, 0},  {"name_text", TEXT, 0},
    {"id", FIXED, 16},       {"mask_text", TEXT, 0}, {"key_text", TEXT, 0},
    {"offset", NUMBER, 0},   {"level", NUMBER, 0},   {"code", NUMBER, 0},
    {"flags", NUMBER, 0},    {"delta", NUMBER, 0},   {"expected", NUMBER, 0},
    {"ttl_ms", NUMBER, 0},   {"duration", NUMBER, 0}, {"mode", NUMBER, 0},
    {"lease_ms", NUMBER, 0}, {"timeout_ms", NUMBER, 0}, {"token", NUMBER, 0},
    {"total", NUMBER, 0},    {"count", NUMBER, 0},
    {"size", NUMBER, 0},     {"address", NUMBER, 0}, {"timeout_ns", NUMBER, 0},
};

static bool
is_length(const char *name)
{
    size_t bytes = strlen(name);

    return !strcmp(name, "capacity") ||
           (bytes >= 6 && !strcmp(name + bytes - 6, "length"));
}

static void
find_meaning(struct function *function, size_t index)
{
    struct parameter *parameter = &function->parameters[index];

    if (is_length(parameter->name)) {
        ck_assert_uint_gt(index, 0);
        parameter->meaning = LENGTH;
        function->parameters[index - 1].meaning = RANGE;
        return;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i].name, parameter->name) != 0)
            continue;
        parameter->meaning = names[i].meaning;
        parameter->fixed_bytes = names[i].fixed_bytes;
        return;
    }
    /* It has to be in front of a length. */
    parameter->meaning = RANGE;
}

/* Takes a row's documentation apart: "`(key, key_length) -> ...". */
static void
read_row(const struct runtime__hostcall *row, struct function *function)
{
    const char *at = row->documentation;

    *function = (struct function){.row = row};
    ck_assert_msg(!strncmp(at, "`(", 2), "%s: %s", row->name, at);
    for (at += 2; *at != ')'; at += *at == ',' ? 2 : 0) {
        size_t bytes = strcspn(at, ",)");
        ck_assert_uint_lt(function->count, parameters_max);
        snprintf(function->parameters[function->count].name, 32, "%.*s",
                 (int)bytes, at);
        function->count++;
        at += bytes;
    }
    ck_assert_msg(function->count == strlen(row->signature) - 3,
                  "%s names other parameters than it has", row->name);
    for (size_t i = 0; i < function->count; i++)
        find_meaning(function, i);
    for (size_t i = 0; i < function->count; i++)
        ck_assert_msg(function->parameters[i].meaning != RANGE ||
                          (i + 1 < function->count &&
                           function->parameters[i + 1].meaning == LENGTH),
                      "%s: what is '%s'?", row->name,
                      function->parameters[i].name);
}

static const struct runtime__hostcall *
row_of_ours(size_t index)
{
    const struct runtime__hostcall *row = runtime__hostcalls_row(index);

    return row && row->group != RUNTIME__GROUP_wasi ? row : NULL;
}

/* ---- Calling --------------------------------------------------------- */

/* "i(iI)" is "il:i". */
static void
builder_signature(const char *signature, char text[32])
{
    size_t length = 0;

    for (const char *letter = signature + 2; *letter != ')'; letter++)
        text[length++] = *letter == 'I' ? 'l' : 'i';
    text[length++] = ':';
    if (signature[0] != 'v')
        text[length++] = signature[0] == 'I' ? 'l' : 'i';
    text[length] = '\0';
}

/* The name and the length of the key that is mapped, where they lie. */
#define KEY 60000

/* Begins a body by mapping the key, only for reading, behind the memory. */
static size_t
map_first(uint8_t *body, uint8_t state_map)
{
    const uint8_t insns[] = {
        0x41, 0xe0, 0xd4, 0x03,          /* i32.const KEY */
        0x41, 1, 0x42, 0, 0x42, 0,       /* one byte; all of it */
        0x41, 0, 0x10, state_map, 0x1a}; /* for reading; call, drop */

    memcpy(body, insns, sizeof(insns));
    return sizeof(insns);
}

/* Exports a function that passes its arguments on to import `i`. */
static void
export_passing(struct module_builder *builder, size_t i, const char *name,
               const uint8_t *first, size_t first_bytes)
{
    char signature[32];
    uint8_t body[64];
    size_t length = first_bytes;

    memcpy(body, first, first_bytes);
    builder_signature(row_of_ours(i)->signature, signature);
    for (uint8_t at = 0; signature[at] != ':'; at++) {
        body[length++] = 0x20; /* local.get */
        body[length++] = at;
    }
    body[length++] = 0x10; /* call */
    body[length++] = (uint8_t)i;
    body[length++] = 0x0b;
    module_builder_export(
        builder, name, GVM_EXTERN_FUNC,
        module_builder_func(builder, signature, "", body, length));
}

/*
 * Exports every function under its own name, passing its arguments on, in a
 * memory of one page that is zero but for the key's name and its last byte;
 * and once more behind "mapped_", when the region is the page behind that.
 */
static void
deploy_passing(void)
{
    struct module_builder *builder = module_builder_create();
    uint8_t first[32], state_map = 0;
    size_t count = 0, first_bytes;
    char signature[32], name[64];

    for (; row_of_ours(count); count++) {
        builder_signature(row_of_ours(count)->signature, signature);
        module_builder_import_func(builder, row_of_ours(count)->module,
                                   row_of_ours(count)->name, signature);
        if (!strcmp(row_of_ours(count)->name, "state_map"))
            state_map = (uint8_t)count;
    }
    ck_assert_uint_lt(count, 128);
    first_bytes = map_first(first, state_map);
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "mapped_%s", row_of_ours(i)->name);
        export_passing(builder, i, name + strlen("mapped_"), first, 0);
        export_passing(builder, i, name, first, first_bytes);
    }
    module_builder_memory(builder, 1, 2);
    module_builder_data(builder, KEY, "k", 1);
    module_builder_data(builder, page - 1, "x", 1);
    world_deploy_built(&world, "passing", builder);
}

/*
 * Calls the function with that pointer and length for the parameter at `bent`
 * and what harms nobody for the others: ranges at the start, one byte long.
 */
static enum runtime_status
pass(const struct function *function, const char *prefix, size_t bent,
     uint32_t pointer, uint32_t length)
{
    char name[64];
    char texts[parameters_max][16];
    const char *arguments[parameters_max];

    for (size_t i = 0; i < function->count; i++) {
        uint32_t value = 1;
        if (i == bent)
            value = pointer;
        else if (function->parameters[i].meaning == LENGTH)
            value = i == bent + 1 ? length : 1;
        else if (function->parameters[i].meaning != NUMBER)
            value = 8 * (uint32_t)i;
        snprintf(texts[i], sizeof(texts[i]), "%" PRIu32, value);
        arguments[i] = texts[i];
    }
    struct runtime_call *call = world_call(&world, "passing", "input");
    snprintf(name, sizeof(name), "%s%s", prefix, function->row->name);
    ck_assert_msg(runtime_call_set_export(call, name, arguments,
                                          function->count,
                                          &world.err) == RUNTIME_OK,
                  "%s: %s", function->row->name, world.err.message);
    enum runtime_status status = runtime_call_run(call);
    world.err = runtime_call_result(call)->error;
    runtime_call_destroy(call);
    return status;
}

static bool
was_outside(enum runtime_status status)
{
    return status == RUNTIME_TRAP &&
           !strcmp(world.err.trap, "out of bounds memory access");
}

static void
expect(const struct function *function, size_t bent, uint32_t pointer,
       uint32_t length, bool inside)
{
    enum runtime_status status = pass(function, "", bent, pointer, length);

    ck_assert_msg(was_outside(status) == !inside,
                  "%s with %u, %u for '%s': %s (%s)", function->row->name,
                  pointer, length, function->parameters[bent].name,
                  runtime_status_name(status), world.err.message);
}

static void
bend_range(const struct function *function, size_t bent)
{
    expect(function, bent, page - 6, 5, true);
    expect(function, bent, page - 5, 5, true);
    expect(function, bent, page - 4, 5, false);
    expect(function, bent, page - 1, 1, true);
    expect(function, bent, page, 0, true);
    expect(function, bent, page, 1, false);
    expect(function, bent, page + 1, 0, false);
    expect(function, bent, 0, page, true);
    expect(function, bent, 0, page + 1, false);
    expect(function, bent, 1, page, false);
    expect(function, bent, 0, UINT32_MAX, false);
    expect(function, bent, 1, UINT32_MAX, false);
    expect(function, bent, UINT32_MAX, 0, false);
    expect(function, bent, UINT32_MAX, 1, false);
    expect(function, bent, UINT32_MAX, UINT32_MAX, false);
    expect(function, bent, UINT32_MAX - 4, 5, false); /* wraps to 0 */
    expect(function, bent, UINT32_MAX - 3, 5, false); /* and past it */
    expect(function, bent, INT32_MAX, 5, false);
    expect(function, bent, (uint32_t)INT32_MAX + 1, 5, false);
}

static void
bend_fixed(const struct function *function, size_t bent, uint32_t bytes)
{
    expect(function, bent, 0, 0, true);
    expect(function, bent, 3, 0, true); /* not aligned */
    expect(function, bent, page - bytes - 8, 0, true);
    expect(function, bent, page - bytes + 1, 0, false);
    expect(function, bent, page - 1, 0, false);
    expect(function, bent, page, 0, false);
    expect(function, bent, UINT32_MAX, 0, false);
    expect(function, bent, UINT32_MAX - bytes + 1, 0, false);
}

static void
bend_text(const struct function *function, size_t bent)
{
    expect(function, bent, 0, 0, true);
    expect(function, bent, page - 2, 0, true);
    expect(function, bent, page - 1, 0, false); /* an 'x', and no end */
    expect(function, bent, page, 0, false);
    expect(function, bent, UINT32_MAX, 0, false);
}

START_TEST(a_range_that_leaves_the_memory_traps_and_no_other)
{
    size_t bent_count = 0;

    deploy_passing();
    for (size_t i = 0; row_of_ours(i); i++) {
        struct function function;
        read_row(row_of_ours(i), &function);
        for (size_t bent = 0; bent < function.count; bent++) {
            const struct parameter *parameter = &function.parameters[bent];
            if (parameter->meaning == RANGE)
                bend_range(&function, bent);
            else if (parameter->meaning == FIXED)
                bend_fixed(&function, bent, parameter->fixed_bytes);
            else if (parameter->meaning == TEXT)
                bend_text(&function, bent);
            bent_count += parameter->meaning != NUMBER &&
                          parameter->meaning != LENGTH;
        }
    }
    ck_assert_uint_ge(bent_count, 30);
}
END_TEST

/* ---- A region that is only for reading --------------------------------- */

/* Whether the function writes to what the parameter points to. */
static bool
is_written(const struct function *function, size_t index)
{
    static const char *const written[] = {"buffer", "sum", "version",
                                          "cursor", "id"};
    const char *name = function->parameters[index].name;

    for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
        if (!strcmp(name, written[i]))
            return true;
    }
    return !strcmp(name, "bytes") &&
           !strncmp(function->row->name, "__faasm_read", 12);
}

/* The range lies in the region, or begins or ends there. */
static void
expect_writability(const struct function *function, size_t bent)
{
    static const uint32_t pointers[] = {page, page + 100, 2 * page - 16,
                                        page - 1};
    bool is_out = is_written(function, bent);

    for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        enum runtime_status status =
            pass(function, "mapped_", bent, pointers[i], 2);

        ck_assert_msg(was_outside(status) == is_out,
                      "%s with %u for '%s': %s (%s)", function->row->name,
                      pointers[i], function->parameters[bent].name,
                      runtime_status_name(status), world.err.message);
    }
    /* Beside it everything is as ever, and so is nothing at all within. */
    ck_assert(!was_outside(pass(function, "mapped_", bent, page - 32, 2)));
    if (function->parameters[bent].meaning == RANGE)
        ck_assert(!was_outside(pass(function, "mapped_", bent, page, 0)));
}

static void
put_key(void)
{
    static const uint8_t zeroes[page];
    struct state_operation put = {.kind = STATE_PUT,
                                  .namespace_ = "default",
                                  .key = {"k", 1},
                                  .value = {zeroes, page}};

    ck_assert_int_eq(state_store_submit(world.store, &put), STATE_OK);
}

START_TEST(what_is_only_for_reading_is_read_and_not_written)
{
    size_t written_count = 0;

    deploy_passing();
    put_key();
    for (size_t i = 0; row_of_ours(i); i++) {
        struct function function;
        read_row(row_of_ours(i), &function);
        for (size_t bent = 0; bent < function.count; bent++) {
            enum meaning meaning = function.parameters[bent].meaning;
            if (meaning == NUMBER || meaning == LENGTH)
                continue;
            expect_writability(&function, bent);
            written_count += is_written(&function, bent);
        }
    }
    ck_assert_uint_ge(written_count, 15);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, open_world, close_world);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_range_that_leaves_the_memory_traps_and_no_other);
    /* It takes guard pages. */
    tcase_add_loop_test(tests,
                        what_is_only_for_reading_is_read_and_not_written, 0,
                        gvm_guard_install() == GVM_OK);
}

WORLD_MAIN("host_ranges", add_tests)
