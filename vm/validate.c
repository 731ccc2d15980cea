/*
 * validate.c - checks function bodies: locals, operands, the loop.
 *
 * See validate.h for the algorithm. Everything else of a module was checked
 * when it was decoded.
 *
 * What is proved here is what the translator and the handlers rely on
 * without looking again: every operand is there and has its type, every
 * index lies in its space, and no frame needs more slots than a frame has.
 */
#include "vm/validate.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static_assert(GVM_FRAME_SLOTS_MAX > GVM_PARAMETERS_MAX + GVM_LOCALS_MAX +
                                        GVM_FRAME_SLOTS_RESERVED,
              "a frame has room for operands, whatever its locals");

/* ---- Failures -------------------------------------------------------- */

enum gvm_status
gvm__validate_fail(struct gvm__validator *validator, enum gvm_status status,
                   const char *format, ...)
{
    char message[sizeof(((struct gvm_error *)0)->message)];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    return gvm__read_fail(&validator->reader, status, validator->at, "%s",
                          message);
}

/* What the instruction being checked is called. */
static const char *
insn_text(const struct gvm__validator *validator)
{
    const struct gvm__insn_info *info = gvm__insn_info(validator->code);

    return info != NULL ? info->text : "instruction";
}

/* UNKNOWN stands for "any value" when it is expected, for "none" when it is
 * what was found: operands that are unknown fit and never get here. */
enum gvm_status
gvm__validate_mismatch(struct gvm__validator *validator, uint8_t expected,
                       uint8_t found)
{
    return gvm__validate_fail(
        validator, GVM_INVALID, "type mismatch: %s expects %s, found %s",
        insn_text(validator),
        expected == GVM__UNKNOWN_TYPE
            ? "a value"
            : gvm_value_type_name((enum gvm_value_type)expected),
        found == GVM__UNKNOWN_TYPE
            ? "nothing"
            : gvm_value_type_name((enum gvm_value_type)found));
}

enum gvm_status
gvm__validate_fail_height(struct gvm__validator *validator)
{
    return gvm__validate_fail(validator, GVM_LIMIT,
                              "the frame has no room for more operands, "
                              "GVM_FRAME_SLOTS_MAX is %u",
                              GVM_FRAME_SLOTS_MAX);
}

/* ---- Operands -------------------------------------------------------- */

enum gvm_status
gvm__validate_pop_any(struct gvm__validator *validator, uint8_t *type)
{
    struct gvm__block *block = gvm__validate_block(validator);

    if (validator->height > block->height) {
        *type = validator->operands[--validator->height];
        return GVM_OK;
    }
    if (!block->unreachable) {
        return gvm__validate_mismatch(validator, GVM__UNKNOWN_TYPE,
                                      GVM__UNKNOWN_TYPE);
    }
    *type = GVM__UNKNOWN_TYPE;
    return GVM_OK;
}

enum gvm_status
gvm__validate_check_list(struct gvm__validator *validator,
                         struct gvm__types list)
{
    struct gvm__block *block = gvm__validate_block(validator);
    uint32_t present = validator->height - block->height;
    const uint8_t *top = validator->operands + validator->height;

    /* Nearly always all are there and known. */
    if (list.count == 0 ||
        (present >= list.count &&
         memcmp(top - list.count, list.types, list.count) == 0)) {
        return GVM_OK;
    }
    /* One by one from the top, for unknown ones and for the message. */
    for (uint32_t i = 1; i <= list.count; i++) {
        uint8_t expected = list.types[list.count - i];

        if (i > present) {
            return block->unreachable
                       ? GVM_OK
                       : gvm__validate_mismatch(validator, expected,
                                                GVM__UNKNOWN_TYPE);
        }
        if (top[-(ptrdiff_t)i] != expected &&
            top[-(ptrdiff_t)i] != GVM__UNKNOWN_TYPE) {
            return gvm__validate_mismatch(validator, expected,
                                          top[-(ptrdiff_t)i]);
        }
    }
    return GVM_OK;
}

enum gvm_status
gvm__validate_pop_list(struct gvm__validator *validator,
                       struct gvm__types list)
{
    uint32_t base = gvm__validate_block(validator)->height;

    GVM__TRY(gvm__validate_check_list(validator, list));
    /* Missing ones are unknown ones of unreachable code. */
    validator->height = validator->height - base >= list.count
                            ? validator->height - list.count
                            : base;
    return GVM_OK;
}

enum gvm_status
gvm__validate_push_list(struct gvm__validator *validator,
                        struct gvm__types list)
{
    if (validator->height_max - validator->height < list.count) {
        return gvm__validate_fail_height(validator);
    }
    if (list.count > 0) {
        memcpy(validator->operands + validator->height, list.types,
               list.count);
        validator->height += list.count;
    }
    return GVM_OK;
}

/* ---- Locals ---------------------------------------------------------- */

/* The next `count` locals, parameters included. */
static void
add_locals(struct gvm__validator *validator, uint32_t count, uint8_t type)
{
    uint32_t first = validator->local_count;
    struct gvm__local_run *run;

    if (count == 0) {
        return;
    }
    if (first < GVM__LOCALS_DIRECT) {
        uint32_t room = GVM__LOCALS_DIRECT - first;

        memset(validator->local_types + first, type,
               count < room ? count : room);
    }
    validator->local_count += count;
    run = &validator->local_runs[validator->local_run_count++];
    run->end = validator->local_count;
    run->type = type;
}

uint8_t
gvm__validate_local_type(const struct gvm__validator *validator,
                         uint32_t index)
{
    uint32_t low = 0;
    uint32_t high = validator->local_run_count;

    if (index < GVM__LOCALS_DIRECT) {
        return validator->local_types[index];
    }
    /* The first run that ends behind it. */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (validator->local_runs[middle].end > index) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return validator->local_runs[low].type;
}

/* One run of declared locals; adds its length to `total`. */
static enum gvm_status
read_local_run(struct gvm__validator *validator, uint64_t *total)
{
    struct gvm__reader *reader = &validator->reader;
    uint32_t count;
    uint8_t type;

    GVM__TRY(gvm__read_u32(reader, &count));
    validator->at = reader->at;
    GVM__TRY(gvm__read_byte(reader, &type));
    if (type == GVM_FUNCREF || type == GVM_EXTERNREF) {
        GVM__TRY(gvm__read_feature(reader, validator->module, validator->at,
                                   GVM_FEATURE_REFERENCE_TYPES,
                                   "malformed value type"));
    } else if (type < GVM_F64 || type > GVM_I32) {
        return gvm__validate_fail(validator, GVM_MALFORMED,
                                  "malformed value type 0x%02x", type);
    }
    /* What is over the limit is still counted: more than 32 bits can hold is
     * malformed, and that comes first. */
    *total += count;
    if (*total <= GVM_LOCALS_MAX) {
        add_locals(validator, count, type);
    }
    return GVM_OK;
}

/* The declarations at the start of a body. Runs of no locals are allowed,
 * and as many of them as there are bytes. */
static enum gvm_status
read_locals(struct gvm__validator *validator)
{
    const uint8_t *start = validator->reader.at;
    uint64_t total = 0;
    uint32_t run_count;

    GVM__TRY(gvm__read_count(&validator->reader, 2, UINT32_MAX, "",
                             &run_count));
    for (uint32_t i = 0; i < run_count; i++) {
        GVM__TRY(read_local_run(validator, &total));
    }
    validator->at = start;
    if (total > UINT32_MAX) {
        return gvm__validate_fail(validator, GVM_MALFORMED,
                                  "too many locals");
    }
    if (total > GVM_LOCALS_MAX) {
        return gvm__validate_fail(validator, GVM_LIMIT,
                                  "too many locals: %llu, GVM_LOCALS_MAX "
                                  "is %u", (unsigned long long)total,
                                  GVM_LOCALS_MAX);
    }
    return GVM_OK;
}

/* ---- Functions ------------------------------------------------------- */

enum gvm_status
gvm__validate_body_end(struct gvm__validator *validator)
{
    const struct gvm__reader *reader = &validator->reader;

    return reader->at == reader->end
               ? GVM_OK
               : gvm__read_fail(reader, GVM_MALFORMED, reader->at,
                                "section size mismatch: a function body "
                                "goes on behind its end");
}

/* One body. The validator is set up anew for it, so that a function's cost
 * does not depend on those before it. */
static enum gvm_status
validate_function(struct gvm__validator *validator,
                  const struct gvm__function *function)
{
    const struct gvm_module *module = validator->module;
    const struct gvm_func_type *type = &module->types[function->type].func;
    struct gvm__reader *reader = &validator->reader;
    struct gvm__types nothing = {NULL, 0};

    reader->at = module->bytes + function->body_offset;
    reader->end = reader->at + function->body_bytes;
    validator->at = reader->at;
    validator->results =
        (struct gvm__types){type->results, type->result_count};
    validator->local_count = 0;
    validator->local_run_count = 0;
    for (uint32_t i = 0; i < type->parameter_count; i++) {
        add_locals(validator, 1, type->parameters[i]);
    }
    GVM__TRY(read_locals(validator));

    validator->height = 0;
    validator->height_max = GVM_FRAME_SLOTS_MAX - GVM_FRAME_SLOTS_RESERVED -
                            validator->local_count;
    validator->block_count = 0;
    /* The body is a block that gives the results; a branch to it returns.
     * Parameters are locals, not operands. */
    validator->at = reader->at;
    GVM__TRY(gvm__validate_open(validator, GVM__INSN_BLOCK, nothing,
                                validator->results));
    while (validator->block_count > 0) {
        GVM__TRY(gvm__validate_insn(validator));
    }
    return gvm__validate_body_end(validator);
}

/* Malformed comes before invalid: reads on behind what broke a rule. */
static enum gvm_status
prefer_malformed(struct gvm__validator *validator)
{
    struct gvm_error *err = validator->reader.err;
    struct gvm_error found;
    enum gvm_status status;

    if (validator->block_count == 0) {
        return GVM_INVALID; /* the last end, and nothing comes after it */
    }
    validator->reader.err = &found;
    status = gvm__validate_skim(validator, validator->at,
                                validator->block_count);
    validator->reader.err = err;
    if (status != GVM_MALFORMED) {
        return GVM_INVALID;
    }
    if (err != NULL) {
        *err = found;
    }
    return GVM_MALFORMED;
}

/* The letters of signatures in insns.inc. */
static uint8_t
letter_type(char letter)
{
    switch (letter) {
    case 'i':
        return GVM_I32;
    case 'l':
        return GVM_I64;
    case 'f':
        return GVM_F32;
    default:
        assert(letter == 'd');
        return GVM_F64;
    }
}

/* Parses the signatures of insns.inc: some microseconds per module, against
 * a second table that would have to be kept in step. */
static void
make_rules(struct gvm__rule *rules)
{
    for (uint32_t i = 0; i < GVM__INSN_INDEX_COUNT; i++) {
        const struct gvm__insn_info *info =
            gvm__insn_info(i < 0x100 ? i : 0xfc00 + (i - 0x100));
        struct gvm__rule *rule = &rules[i];
        const char *letter;

        *rule = (struct gvm__rule){0};
        if (info == NULL) {
            continue;
        }
        rule->is_defined = true;
        rule->immediate = info->immediate;
        rule->feature = info->feature;
        rule->has_signature = info->signature[0] != '*';
        if (!rule->has_signature) {
            continue;
        }
        for (letter = info->signature; *letter != ':'; letter++) {
            assert(rule->pop_count < sizeof(rule->pops));
            rule->pops[rule->pop_count++] = letter_type(*letter);
        }
        if (letter[1] != '\0') {
            rule->push = letter_type(letter[1]);
        }
    }
}

enum gvm_status
gvm__validate(struct gvm_module *module, struct gvm_error *err)
{
    uint32_t imported = module->imported_function_count;
    struct gvm__validator *validator;
    enum gvm_status status = GVM_OK;

    if (module->function_count == imported) {
        return GVM_OK;
    }
    /* Large, but only what is used of it is ever touched. */
    validator = malloc(sizeof(*validator));
    if (validator == NULL) {
        return gvm__error_set(err, GVM_NO_MEMORY, GVM_NO_OFFSET,
                              "no memory to validate");
    }
    make_rules(validator->rules);
    validator->module = module;
    validator->code = GVM__INSN_NOP;
    validator->reader = (struct gvm__reader){
        .start = module->bytes,
        .err = err,
    };
    for (uint32_t i = 0;
         status == GVM_OK && i < module->function_count - imported; i++) {
        status = validate_function(validator, &module->functions[i]);
        if (status == GVM_INVALID) {
            status = prefer_malformed(validator);
        }
        if (status != GVM_OK) {
            gvm__error_set_function(err, module, imported + i);
        }
    }
    free(validator);
    return status;
}
