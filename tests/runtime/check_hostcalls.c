/* check_hostcalls.c - tests of runtime/hostcalls.c. */
#include "runtime/hostcalls.h"
#include "tests/runtime/world.h"
#include "tests/support/whole_file.h"

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct gvm_engine *engine;

static void
create_engine(void)
{
    ck_assert_int_eq(gvm_engine_create(NULL, &engine), GVM_OK);
}

static void
destroy_engine(void)
{
    gvm_engine_destroy(engine);
}

enum {
    all_groups = RUNTIME__GROUP_core | RUNTIME__GROUP_state |
                 RUNTIME__GROUP_wasi | RUNTIME__GROUP_chain,
};

/* Links what was built, and lets the builder go. */
static enum runtime_status
link_built(struct module_builder *builder, unsigned groups,
           struct runtime_error *err)
{
    size_t length_bytes;
    const uint8_t *bytes = module_builder_finish(builder, &length_bytes);
    const struct runtime__hostcall **rows = NULL;
    struct gvm_module *module;
    struct gvm_error vm_error;

    ck_assert_msg(gvm_module_load(engine, NULL, bytes, length_bytes, &module,
                                  &vm_error) == GVM_OK,
                  "%s", vm_error.message);
    enum runtime_status status =
        runtime__hostcalls_link(module, groups, &rows, err);
    ck_assert_int_eq(rows != NULL, status == RUNTIME_OK);
    free(rows);
    gvm_module_destroy(module);
    module_builder_destroy(builder);
    return status;
}

/* A signature as the builder writes it: "i(iI)" is "il:i". */
static const char *
builder_signature(const char *signature)
{
    static char text[32];
    size_t length = 0;

    for (const char *letter = signature + 2; *letter != ')'; letter++)
        text[length++] = *letter == 'I' ? 'l' : *letter;
    text[length++] = ':';
    if (signature[0] != 'v')
        text[length++] = signature[0] == 'I' ? 'l' : 'i';
    text[length] = '\0';
    return text;
}

START_TEST(every_row_links_with_its_own_type_and_with_no_other)
{
    size_t count = 0;

    for (;; count++) {
        const struct runtime__hostcall *row = runtime__hostcalls_row(count);
        struct runtime_error err;
        if (!row)
            break;
        const char *signature = builder_signature(row->signature);
        struct module_builder *right = module_builder_create();
        module_builder_import_func(right, row->module, row->name, signature);
        ck_assert_int_eq(link_built(right, all_groups, NULL), RUNTIME_OK);

        char longer[40];
        snprintf(longer, sizeof(longer), "i%s", signature);
        struct module_builder *wrong = module_builder_create();
        module_builder_import_func(wrong, row->module, row->name, longer);
        ck_assert_int_eq(link_built(wrong, all_groups, &err),
                         RUNTIME_UNLINKABLE);
        ck_assert_ptr_nonnull(strstr(err.message, row->name));
        ck_assert_ptr_nonnull(strstr(err.message, row->signature));
    }
    /* Those of glass, of Faasm, and all of WASI preview 1. */
    ck_assert_uint_eq(count, 40 + 22 + 46);
}
END_TEST

START_TEST(no_two_rows_have_one_name)
{
    for (size_t i = 0; runtime__hostcalls_row(i); i++) {
        const struct runtime__hostcall *a = runtime__hostcalls_row(i);
        for (size_t j = 0; j < i; j++) {
            const struct runtime__hostcall *b = runtime__hostcalls_row(j);
            ck_assert(strcmp(a->module, b->module) != 0 ||
                      strcmp(a->name, b->name) != 0);
        }
    }
}
END_TEST

static const struct {
    const char *module, *name, *signature;
    unsigned groups;
    const char *message;
} refused[] = {
    {"glass", "state_guess", "iiliil:l", all_groups,
     "'glass.state_guess' is no function of this version"},
    {"glass", "input_len", "l:i", all_groups, "another type than i()"},
    {"glass", "input_len", ":l", all_groups, "another type than i()"},
    {"glass", "input_len", ":", all_groups, "another type than i()"},
    {"glass", "Input_len", ":i", all_groups, "no function of this version"},
    {"env", "input_len", ":i", all_groups,
     "'env.input_len' is no function of this version"},
    {"env", "__faasm_read_input", "ii:i", RUNTIME__GROUP_wasi,
     "not to be had here"},
    {"glas", "input_len", ":i", all_groups, "'glas.input_len' is of neither"},
    {"", "", ":i", all_groups, "'.' is of neither"},
    {"glass", "state_len", "ii:i", RUNTIME__GROUP_core, "no state"},
    {"glass", "input_len", ":i", RUNTIME__GROUP_wasi, "not to be had here"},
    {"wasi_snapshot_preview1", "input_len", ":i", all_groups,
     "no function of this version"},
};

START_TEST(what_cannot_be_linked_is_named)
{
    struct runtime_error err;
    struct module_builder *builder = module_builder_create();

    module_builder_import_func(builder, refused[_i].module, refused[_i].name,
                               refused[_i].signature);
    ck_assert_int_eq(link_built(builder, refused[_i].groups, &err),
                     RUNTIME_UNLINKABLE);
    ck_assert_msg(strstr(err.message, refused[_i].message) != NULL, "%s",
                  err.message);
}
END_TEST

START_TEST(only_functions_can_be_imported)
{
    struct runtime_error err;
    struct module_builder *builder = module_builder_create();

    module_builder_import_memory(builder, "env", "memory", 1, 2);
    ck_assert_int_eq(link_built(builder, all_groups, &err),
                     RUNTIME_UNLINKABLE);
    ck_assert_ptr_nonnull(strstr(err.message, "only functions"));
    builder = module_builder_create();
    module_builder_import_global(builder, "glass", "input_len", 'i', false);
    ck_assert_int_eq(link_built(builder, all_groups, &err),
                     RUNTIME_UNLINKABLE);
}
END_TEST

START_TEST(a_module_without_imports_links_with_nothing)
{
    ck_assert_int_eq(link_built(module_builder_create(), 0, NULL),
                     RUNTIME_OK);
}
END_TEST

START_TEST(the_types_of_wasi_are_those_of_its_own_header)
{
    size_t length_bytes;
    uint8_t *bytes = world_guest("wasi_all", &length_bytes);
    const struct runtime__hostcall **rows;
    struct runtime_error err;
    struct gvm_module *module;

    ck_assert_int_eq(
        gvm_module_load(engine, NULL, bytes, length_bytes, &module, NULL),
        GVM_OK);
    ck_assert_uint_eq(gvm_module_import_count(module), 46);
    ck_assert_msg(runtime__hostcalls_link(module, RUNTIME__GROUP_wasi, &rows,
                                          &err) == RUNTIME_OK,
                  "%s", err.message);
    free(rows);
    gvm_module_destroy(module);
    free(bytes);
}
END_TEST

/* ---- What is written about the rows ------------------------------------- */

static char *
read_source(const char *path)
{
    char whole[1024];
    size_t length_bytes;

    snprintf(whole, sizeof(whole), "%s/%s", getenv("GLASS_SOURCE_DIR"), path);
    return (char *)whole_file_read(whole, &length_bytes);
}

START_TEST(the_documentation_has_every_row_as_the_table_has_it)
{
    char *text = read_source("docs/host-interface.md");
    size_t documented_count = 0;

    for (size_t i = 0; runtime__hostcalls_row(i); i++) {
        const struct runtime__hostcall *row = runtime__hostcalls_row(i);
        char line[1024];
        if (row->group == RUNTIME__GROUP_wasi)
            continue;
        snprintf(line, sizeof(line), "\n| `%s` | `%s` | %s |\n", row->name,
                 row->signature, row->documentation);
        ck_assert_msg(strstr(text, line) != NULL, "docs lack:%s", line);
        documented_count++;
    }
    /* And no other rows. */
    size_t line_count = 0;
    for (const char *line = text; (line = strstr(line, "\n| `")); line++)
        line_count++;
    ck_assert_uint_eq(line_count, documented_count);
    free(text);
}
END_TEST

/* The letter of a parameter's or a result's type in C, or 0. */
static char
letter_of(const char *text, size_t length)
{
    if (memchr(text, '*', length) || memchr(text, '[', length))
        return 'i';
    if (length >= 7 && !strncmp(text, "int64_t", 7))
        return 'I';
    if (length >= 8 && !strncmp(text, "uint64_t", 8))
        return 'I';
    return length >= 4 && !strncmp(text, "void", 4) ? '\0' : 'i';
}

/* The signature of the declaration behind GLASS_IMPORT(name). */
static void
read_declaration(const char *declaration, char signature[32])
{
    const char *open = strchr(declaration, '(');
    const char *close = strstr(open, ");");
    size_t length = 0;
    char result = letter_of(declaration, (size_t)(open - declaration));

    signature[length++] = result ? result : 'v';
    signature[length++] = '(';
    for (const char *from = open + 1; from < close;) {
        while (isspace((unsigned char)*from))
            from++;
        size_t until = strcspn(from, ",)");
        char letter = letter_of(from, until);
        if (letter)
            signature[length++] = letter;
        from += until + 1;
    }
    signature[length++] = ')';
    signature[length] = '\0';
}

START_TEST(the_guests_header_declares_every_row_with_its_type)
{
    char *text = read_source("faaslets/sdk/glass.h");
    size_t declared_count = 0;

    for (size_t i = 0; runtime__hostcalls_row(i); i++) {
        const struct runtime__hostcall *row = runtime__hostcalls_row(i);
        char line[128];
        char signature[32];
        if (strcmp(row->module, "glass") != 0)
            continue;
        snprintf(line, sizeof(line), "\nGLASS_IMPORT(%s)\n", row->name);
        const char *declaration = strstr(text, line);
        ck_assert_msg(declaration != NULL, "glass.h lacks %s", row->name);
        read_declaration(declaration + strlen(line), signature);
        ck_assert_str_eq(signature, row->signature);
        declared_count++;
    }
    size_t import_count = 0;
    for (const char *line = text; (line = strstr(line, "\nGLASS_IMPORT("));
         line++)
        import_count++;
    ck_assert_uint_eq(import_count, declared_count);
    free(text);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, create_engine, destroy_engine);
    tcase_add_test(tests,
                   every_row_links_with_its_own_type_and_with_no_other);
    tcase_add_test(tests, no_two_rows_have_one_name);
    tcase_add_loop_test(tests, what_cannot_be_linked_is_named, 0,
                        sizeof(refused) / sizeof(refused[0]));
    tcase_add_test(tests, only_functions_can_be_imported);
    tcase_add_test(tests, a_module_without_imports_links_with_nothing);
    tcase_add_test(tests, the_types_of_wasi_are_those_of_its_own_header);
    tcase_add_test(tests,
                   the_documentation_has_every_row_as_the_table_has_it);
    tcase_add_test(tests,
                   the_guests_header_declares_every_row_with_its_type);
}

WORLD_MAIN("hostcalls", add_tests)
