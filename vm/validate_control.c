/*
 * validate_control.c - the rules of blocks, branches and calls.
 *
 * See validate.h. Lists of types are never copied: they are parts of the
 * module's bytes, and so a label's list that is met again is recognised by
 * its address.
 */
#include <string.h>

#include "vm/validate.h"

/* ---- Blocks ---------------------------------------------------------- */

enum gvm_status
gvm__validate_open(struct gvm__validator *validator, enum gvm__insn insn,
                   struct gvm__types parameters, struct gvm__types results)
{
    if (validator->block_count > GVM_NESTING_MAX) {
        return gvm__validate_fail(validator, GVM_LIMIT,
                                  "blocks are nested too deeply, "
                                  "GVM_NESTING_MAX is %u", GVM_NESTING_MAX);
    }
    validator->blocks[validator->block_count++] = (struct gvm__block){
        .parameters = parameters,
        .results = results,
        /* Its parameters are its own: they are pushed above this. */
        .height = validator->height,
        .insn = (uint16_t)insn,
    };
    return gvm__validate_push_list(validator, parameters);
}

/*
 * A block type: nothing, one value type (the list is the byte itself), or
 * the index of a function type.
 */
static enum gvm_status
read_block_type(struct gvm__validator *validator,
                struct gvm__types *parameters, struct gvm__types *results)
{
    struct gvm__reader *reader = &validator->reader;
    const uint8_t *at = reader->at;
    const struct gvm_func_type *type;
    int64_t code;

    *parameters = (struct gvm__types){NULL, 0};
    *results = (struct gvm__types){NULL, 0};
    GVM__TRY(gvm__read_s33(reader, &code));
    if (code < 0) {
        /* A code in more than one byte equals none of these. */
        switch (*at) {
        case 0x40:
            return GVM_OK;
        case GVM_FUNCREF:
        case GVM_EXTERNREF:
            GVM__TRY(gvm__read_feature(reader, validator->module, at,
                                       GVM_FEATURE_REFERENCE_TYPES,
                                       "malformed block type"));
            break;
        case GVM_I32:
        case GVM_I64:
        case GVM_F32:
        case GVM_F64:
            break;
        default:
            return gvm__validate_fail(validator, GVM_MALFORMED,
                                      "malformed block type 0x%02x", *at);
        }
        *results = (struct gvm__types){at, 1};
        return GVM_OK;
    }
    GVM__TRY(gvm__read_feature(reader, validator->module, at,
                               GVM_FEATURE_MULTI_VALUE,
                               "malformed block type"));
    if (code >= validator->module->type_count) {
        return gvm__validate_fail(validator, GVM_INVALID, "unknown type %u",
                                  (unsigned)code);
    }
    type = &validator->module->types[code].func;
    *parameters =
        (struct gvm__types){type->parameters, type->parameter_count};
    *results = (struct gvm__types){type->results, type->result_count};
    return GVM_OK;
}

enum gvm_status
gvm__validate_block_insn(struct gvm__validator *validator)
{
    struct gvm__types parameters;
    struct gvm__types results;

    GVM__TRY(read_block_type(validator, &parameters, &results));
    if (validator->code == GVM__INSN_IF) {
        GVM__TRY(gvm__validate_pop(validator, GVM_I32));
    }
    GVM__TRY(gvm__validate_pop_list(validator, parameters));
    return gvm__validate_open(validator, (enum gvm__insn)validator->code,
                              parameters, results);
}

/* The block's results are there, and nothing else. */
static enum gvm_status
check_block_end(struct gvm__validator *validator)
{
    const struct gvm__block *block = gvm__validate_block(validator);

    GVM__TRY(gvm__validate_pop_list(validator, block->results));
    if (validator->height != block->height) {
        return gvm__validate_fail(validator, GVM_INVALID,
                                  "type mismatch: %u values too many at the "
                                  "end of a block",
                                  validator->height - block->height);
    }
    return GVM_OK;
}

/* The else branch begins as the block did, whatever became of the first. */
enum gvm_status
gvm__validate_else(struct gvm__validator *validator)
{
    struct gvm__block *block = gvm__validate_block(validator);

    if (block->insn != GVM__INSN_IF) {
        return gvm__validate_fail(validator, GVM_MALFORMED,
                                  "END opcode expected: else without if");
    }
    GVM__TRY(check_block_end(validator));
    block->insn = GVM__INSN_ELSE;
    block->unreachable = false;
    return gvm__validate_push_list(validator, block->parameters);
}

enum gvm_status
gvm__validate_end(struct gvm__validator *validator)
{
    struct gvm__block *block = gvm__validate_block(validator);
    struct gvm__types results = block->results;

    GVM__TRY(check_block_end(validator));
    /* A missing else passes the parameters on as results. */
    if (block->insn == GVM__INSN_IF &&
        (results.count != block->parameters.count ||
         (results.count > 0 && memcmp(results.types, block->parameters.types,
                                      results.count) != 0))) {
        return gvm__validate_fail(validator, GVM_INVALID,
                                  "type mismatch: an if without else does "
                                  "not give what it takes");
    }
    /* The results now belong to the block around it. */
    validator->block_count--;
    return gvm__validate_push_list(validator, results);
}

void
gvm__validate_unreachable(struct gvm__validator *validator)
{
    struct gvm__block *block = gvm__validate_block(validator);

    validator->height = block->height;
    block->unreachable = true;
}

/* ---- Branches -------------------------------------------------------- */

/* What a branch to the label needs: a loop's goes to its start. */
static enum gvm_status
read_label(struct gvm__validator *validator, struct gvm__types *types)
{
    const struct gvm__block *block;
    uint32_t label;

    GVM__TRY(gvm__validate_index(validator, validator->block_count, "label",
                                 &label));
    block = &validator->blocks[validator->block_count - 1 - label];
    *types = block->insn == GVM__INSN_LOOP ? block->parameters
                                           : block->results;
    return GVM_OK;
}

enum gvm_status
gvm__validate_branch(struct gvm__validator *validator)
{
    struct gvm__types types;

    GVM__TRY(read_label(validator, &types));
    /* What br_if took is there again when it does not branch, and has the
     * label's types even where it was unknown. */
    if (validator->code == GVM__INSN_BR_IF) {
        GVM__TRY(gvm__validate_pop(validator, GVM_I32));
        GVM__TRY(gvm__validate_pop_list(validator, types));
        return gvm__validate_push_list(validator, types);
    }
    GVM__TRY(gvm__validate_pop_list(validator, types));
    gvm__validate_unreachable(validator);
    return GVM_OK;
}

/*
 * Whether two labels of one br_table go together. In 1.0 they need the same
 * types; reference types made it the same number, as operands that are
 * unknown may fit different types.
 */
static bool
labels_agree(const struct gvm__validator *validator, struct gvm__types a,
             struct gvm__types b)
{
    if (a.count != b.count) {
        return false;
    }
    return (validator->module->features & GVM_FEATURE_REFERENCE_TYPES) ||
           a.count == 0 || memcmp(a.types, b.types, a.count) == 0;
}

enum gvm_status
gvm__validate_br_table(struct gvm__validator *validator)
{
    struct gvm__types first = {NULL, 0};
    struct gvm__types last = {NULL, 0};
    uint32_t count;

    GVM__TRY(gvm__read_count(&validator->reader, 1, GVM_BR_TABLE_MAX,
                             "GVM_BR_TABLE_MAX", &count));
    GVM__TRY(gvm__validate_pop(validator, GVM_I32));
    /* The default label comes last. */
    for (uint32_t i = 0; i <= count; i++) {
        struct gvm__types types;

        GVM__TRY(read_label(validator, &types));
        if (i == 0) {
            first = types;
        } else if (types.types == last.types && types.count == last.count) {
            continue; /* the same list again, which has been checked */
        } else if (!labels_agree(validator, types, first)) {
            return gvm__validate_fail(validator, GVM_INVALID,
                                      "type mismatch: labels of br_table "
                                      "differ");
        }
        GVM__TRY(gvm__validate_check_list(validator, types));
        last = types;
    }
    gvm__validate_unreachable(validator);
    return GVM_OK;
}

/* ---- Calls ----------------------------------------------------------- */

/* What a call of a function of this type does to the operands. */
static enum gvm_status
apply_call(struct gvm__validator *validator,
           const struct gvm_func_type *type)
{
    GVM__TRY(gvm__validate_pop_list(
        validator,
        (struct gvm__types){type->parameters, type->parameter_count}));
    return gvm__validate_push_list(
        validator, (struct gvm__types){type->results, type->result_count});
}

enum gvm_status
gvm__validate_call(struct gvm__validator *validator)
{
    const struct gvm_module *module = validator->module;
    uint32_t function;

    GVM__TRY(gvm__validate_index(validator, module->function_count,
                                 "function", &function));
    return apply_call(validator,
                      &gvm__module_function_type(module, function)->func);
}

/* In 1.0 a zero byte stands where the table's index came to be. */
static enum gvm_status
read_call_table(struct gvm__validator *validator, uint32_t *table)
{
    struct gvm_module *module = validator->module;
    struct gvm__reader *reader = &validator->reader;
    const uint8_t *at = reader->at;

    /* The one byte of 1.0 needs no feature. Some compilers write an index
     * in five bytes, for their linkers to fill in. */
    if (reader->at != reader->end && *reader->at == 0) {
        reader->at++;
        *table = 0;
    } else if (module->features & GVM_FEATURE_REFERENCE_TYPES) {
        module->features_used |= GVM_FEATURE_REFERENCE_TYPES;
        GVM__TRY(gvm__read_u32(reader, table));
    } else {
        return reader->at == reader->end
                   ? gvm__read_fail_end(reader)
                   : gvm__read_fail(reader, GVM_MALFORMED, at,
                                    "zero byte expected: a table's index "
                                    "needs the feature reference-types");
    }
    if (*table >= module->table_count) {
        return gvm__validate_fail(validator, GVM_INVALID, "unknown table %u",
                                  *table);
    }
    return GVM_OK;
}

enum gvm_status
gvm__validate_call_indirect(struct gvm__validator *validator)
{
    const struct gvm_module *module = validator->module;
    uint32_t type;
    uint32_t table;

    GVM__TRY(gvm__validate_index(validator, module->type_count, "type",
                                 &type));
    GVM__TRY(read_call_table(validator, &table));
    if (module->tables[table].element_type != GVM_FUNCREF) {
        return gvm__validate_fail(validator, GVM_INVALID,
                                  "type mismatch: call_indirect needs a "
                                  "table of funcref");
    }
    GVM__TRY(gvm__validate_pop(validator, GVM_I32));
    return apply_call(validator, &module->types[type].func);
}
