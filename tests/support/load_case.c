/*
 * load_case.c - see load_case.h.
 */
#include "tests/support/load_case.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

struct gvm_error
load_case_bytes(const uint8_t *bytes, size_t length_bytes,
                uint32_t features, enum gvm_status status,
                const char *message)
{
    struct gvm_module_options options = {
        .features = features,
        .features_set = true,
    };
    struct gvm_error err;
    struct gvm_engine *engine;
    struct gvm_module *module = NULL;
    uint8_t *exact = malloc(length_bytes);
    enum gvm_status found;

    memset(&err, 0x55, sizeof(err));
    ck_assert(exact != NULL || length_bytes == 0);
    if (length_bytes > 0) {
        memcpy(exact, bytes, length_bytes);
    }
    ck_assert_int_eq(gvm_engine_create(NULL, &engine), GVM_OK);
    found = gvm_module_load(engine, &options, exact, length_bytes, &module,
                            &err);
    ck_assert_msg(found == status, "%s, found %s (%.*s), expected %s %s",
                  "loading", gvm_status_text(found),
                  found == GVM_OK ? 0 : (int)sizeof(err.message),
                  err.message, gvm_status_text(status), message);
    ck_assert((module != NULL) == (status == GVM_OK));
    if (status != GVM_OK) {
        ck_assert_int_eq(err.status, status);
        ck_assert_int_eq(err.trap, GVM_TRAP_NONE);
        ck_assert(memchr(err.message, '\0', sizeof(err.message)) != NULL);
        ck_assert_msg(strncmp(err.message, message, strlen(message)) == 0,
                      "\"%s\" should begin with \"%s\"", err.message,
                      message);
        ck_assert(err.offset <= length_bytes ||
                  err.offset == GVM_NO_OFFSET);
    }
    gvm_module_destroy(module);
    gvm_engine_destroy(engine);
    free(exact);
    return err;
}

struct gvm_error
load_case_builder(struct module_builder *builder, uint32_t features,
                  enum gvm_status status, const char *message)
{
    size_t length_bytes;
    const uint8_t *bytes = module_builder_finish(builder, &length_bytes);
    struct gvm_error err =
        load_case_bytes(bytes, length_bytes, features, status, message);

    module_builder_destroy(builder);
    return err;
}

struct gvm_error
load_case_body(struct module_builder *builder, const char *signature,
               const char *locals, const uint8_t *body, size_t body_bytes,
               uint32_t features, enum gvm_status status,
               const char *message)
{
    if (builder == NULL) {
        builder = module_builder_create();
    }
    module_builder_func(builder, signature, locals, body, body_bytes);
    return load_case_builder(builder, features, status, message);
}
