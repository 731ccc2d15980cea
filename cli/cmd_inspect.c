/*
 * glass inspect: what a module wants, gives and needs.
 *
 * The module is decoded and validated as for a deployment, but not linked: its
 * imports may be anything. Its names are somebody else's bytes.
 */
#include "cli/command.h"

#include "cli/client.h"
#include "cli/file.h"
#include "vm/vm.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INSPECT_OPTIONS(X, H) X(H, FLAG, json, "json", NULL, "print JSON")

struct inspect_options {
    INSPECT_OPTIONS(OPTION_MEMBER, _)
};

static const struct option options[] = {
    INSPECT_OPTIONS(OPTION_ROW, struct inspect_options)
};

static const struct feature {
    uint32_t bit;
    const char *name;
} features[] = {
#define FEATURE_ROW(name, bit, text) {GVM_FEATURE_##name, text},
    GVM_FEATURE_MAP(FEATURE_ROW)
#undef FEATURE_ROW
};

#define FEATURE_COUNT (sizeof(features) / sizeof(*features))

static const char *const kinds[] = {
    [GVM_EXTERN_FUNC] = "function",
    [GVM_EXTERN_TABLE] = "table",
    [GVM_EXTERN_MEMORY] = "memory",
    [GVM_EXTERN_GLOBAL] = "global",
};

/* ---- Types as text ---------------------------------------------------- */

/* "(i32 i64)" */
static void
print_types(FILE *stream, const uint8_t *types, uint32_t count)
{
    putc('(', stream);
    for (uint32_t index = 0; index < count; index++)
        fprintf(stream, "%s%s", index > 0 ? " " : "",
                gvm_value_type_name((enum gvm_value_type)types[index]));
    putc(')', stream);
}

/* "1..2 pages" */
static void
print_limits(FILE *stream, const struct gvm_limits *limits, const char *unit)
{
    fprintf(stream, "%" PRIu64, limits->min);
    if (limits->has_max)
        fprintf(stream, "..%" PRIu64, limits->max);
    fprintf(stream, " %s", unit);
}

/* One line of text for any type, also the value of "type" in JSON. */
static void
print_type(FILE *stream, const struct gvm_extern_type *type)
{
    switch (type->kind) {
    case GVM_EXTERN_FUNC:
        print_types(stream, type->func.parameters,
                    type->func.parameter_count);
        fputs(" -> ", stream);
        print_types(stream, type->func.results, type->func.result_count);
        break;
    case GVM_EXTERN_TABLE:
        print_limits(stream, &type->limits, "entries of ");
        fputs(gvm_value_type_name(type->value_type), stream);
        break;
    case GVM_EXTERN_MEMORY:
        print_limits(stream, &type->limits, "pages");
        break;
    case GVM_EXTERN_GLOBAL:
        fprintf(stream, "%s%s", type->mutable_ ? "mutable " : "",
                gvm_value_type_name(type->value_type));
        break;
    }
}

/* The type as a string that the caller frees. */
static char *
format_type(const struct gvm_extern_type *type)
{
    char *text = NULL;
    size_t length;
    FILE *stream = open_memstream(&text, &length);

    if (!stream)
        return NULL;
    print_type(stream, type);
    fclose(stream);
    return text;
}

/* Names are any bytes: what a terminal could obey is shown as a dot. */
static void
print_name(const char *name, size_t length)
{
    for (size_t index = 0; index < length; index++) {
        unsigned char byte = (unsigned char)name[index];
        putchar(byte < 0x20 || byte == 0x7f ? '.' : byte);
    }
}

/* ---- Two forms of the same -------------------------------------------- */

static void
print_text(const struct gvm_module *module, size_t length)
{
    uint32_t used = gvm_module_features_used(module);

    printf("size: %zu bytes\nfunctions: %" PRIu32 "\nfeatures:", length,
           gvm_module_function_count(module));
    for (size_t index = 0; index < FEATURE_COUNT; index++)
        if (used & features[index].bit)
            printf(" %s", features[index].name);
    printf("%s\n", used ? "" : " none beyond 1.0");
    printf("imports: %" PRIu32 "\n", gvm_module_import_count(module));
    for (uint32_t index = 0; index < gvm_module_import_count(module);
         index++) {
        struct gvm_import_info import;
        gvm_module_import(module, index, &import);
        printf("  %s ", kinds[import.type.kind]);
        print_name(import.module, import.module_bytes);
        putchar('.');
        print_name(import.name, import.name_bytes);
        putchar(' ');
        print_type(stdout, &import.type);
        putchar('\n');
    }
    printf("exports: %" PRIu32 "\n", gvm_module_export_count(module));
    for (uint32_t index = 0; index < gvm_module_export_count(module);
         index++) {
        struct gvm_export_info export;
        gvm_module_export(module, index, &export);
        printf("  %s ", kinds[export.type.kind]);
        print_name(export.name, export.name_bytes);
        putchar(' ');
        print_type(stdout, &export.type);
        putchar('\n');
    }
}

/* The members that imports and exports have in common. */
static json_t *
describe_type(const struct gvm_extern_type *type)
{
    json_t *item = json_object();
    char *text = format_type(type);

    json_object_set_new(item, "kind", json_string(kinds[type->kind]));
    json_object_set_new(item, "type", json_string(text));
    free(text);
    return item;
}

static json_t *
describe_imports(const struct gvm_module *module)
{
    json_t *list = json_array();

    for (uint32_t index = 0; index < gvm_module_import_count(module);
         index++) {
        struct gvm_import_info import;
        gvm_module_import(module, index, &import);
        json_t *item = describe_type(&import.type);
        client_set_bytes(item, "module", import.module, import.module_bytes);
        client_set_bytes(item, "name", import.name, import.name_bytes);
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *
describe_exports(const struct gvm_module *module)
{
    json_t *list = json_array();

    for (uint32_t index = 0; index < gvm_module_export_count(module);
         index++) {
        struct gvm_export_info export;
        gvm_module_export(module, index, &export);
        json_t *item = describe_type(&export.type);
        client_set_bytes(item, "name", export.name, export.name_bytes);
        json_array_append_new(list, item);
    }
    return list;
}

static void
print_json(const struct gvm_module *module, size_t length)
{
    uint32_t used = gvm_module_features_used(module);
    json_t *names = json_array();
    json_t *document = json_object();

    for (size_t index = 0; index < FEATURE_COUNT; index++)
        if (used & features[index].bit)
            json_array_append_new(names, json_string(features[index].name));
    json_object_set_new(document, "size", json_integer((json_int_t)length));
    json_object_set_new(document, "functions",
                        json_integer(gvm_module_function_count(module)));
    json_object_set_new(document, "features", names);
    json_object_set_new(document, "imports", describe_imports(module));
    json_object_set_new(document, "exports", describe_exports(module));
    json_dumpf(document, stdout, JSON_COMPACT);
    printf("\n");
    json_decref(document);
}

/* Decodes the module and prints it in one of the two forms. */
static int
inspect(const char *path, const unsigned char *bytes, size_t length, bool json)
{
    struct gvm_engine *engine = NULL;
    struct gvm_module *module = NULL;
    struct gvm_error err;
    int status = EXIT_FAILED;

    if (gvm_engine_create(NULL, &engine) != GVM_OK)
        return command_fail(&cmd_inspect, "no engine can be had");
    enum gvm_status loaded =
        gvm_module_load(engine, NULL, bytes, length, &module, &err);
    if (loaded != GVM_OK) {
        command_fail(&cmd_inspect, "%s: %s: %s, offset 0x%" PRIx64, path,
                     gvm_status_text(loaded), err.message, err.offset);
    } else {
        if (json)
            print_json(module, length);
        else
            print_text(module, length);
        status = EXIT_DONE;
    }
    gvm_module_destroy(module);
    gvm_engine_destroy(engine);
    return status;
}

static int
run(char **arguments)
{
    static struct words words;
    struct inspect_options values = {0};
    size_t length;

    if (!options_parse("inspect", options, cmd_inspect.option_count,
                       arguments, &values, &words, &words))
        return EXIT_USAGE;
    if (words.count != 1)
        return command_usage(&cmd_inspect, "it takes one file");
    unsigned char *bytes = file_read(words.items[0], &length);
    if (!bytes)
        return command_fail(&cmd_inspect, "%s: %s", words.items[0],
                            strerror(errno));
    int status = inspect(words.items[0], bytes, length, values.json);
    free(bytes);
    return status;
}

const struct command cmd_inspect = {
    .name = "inspect",
    .synopsis = "FILE.wasm [OPTION...]",
    .summary = "Shows a module's imports, exports and features",
    .details = NULL,
    .example = "  $ glass inspect hello.wasm\n",
    .options = options,
    .option_count = sizeof(options) / sizeof(*options),
    .run = run,
};
