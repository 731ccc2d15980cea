/*
 * load_case.h - loads a module and checks what comes of it.
 *
 * The bytes are loaded from an allocation of exactly their size, so that the
 * address sanitizer sees a read past the end. Whatever comes out other than
 * expected fails the running test. One engine is made per load.
 */
#ifndef GLASS_TESTS_SUPPORT_LOAD_CASE_H
#define GLASS_TESTS_SUPPORT_LOAD_CASE_H

#include "tests/support/module_builder.h"

/*
 * The outcome must be `status`; unless that is GVM_OK, the message must
 * begin with `message` and the error must be filled. Gives the error.
 */
struct gvm_error load_case_bytes(const uint8_t *bytes, size_t length_bytes,
                                 uint32_t features, enum gvm_status status,
                                 const char *message);

/* The same for what the builder holds; destroys the builder. */
struct gvm_error load_case_builder(struct module_builder *builder,
                                   uint32_t features, enum gvm_status status,
                                   const char *message);

/*
 * The same for a module with one function besides what `builder` holds
 * already; NULL stands for an empty builder.
 */
struct gvm_error load_case_body(struct module_builder *builder,
                                const char *signature, const char *locals,
                                const uint8_t *body, size_t body_bytes,
                                uint32_t features, enum gvm_status status,
                                const char *message);

#endif
