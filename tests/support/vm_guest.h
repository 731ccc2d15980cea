/*
 * vm_guest.h - a module with one instance and a call, in one variable.
 *
 *     struct vm_guest guest;
 *     module_builder_export(builder, "f", GVM_EXTERN_FUNC, f);
 *     vm_guest_open(&guest, GVM_BOUNDS_EXPLICIT, builder, NULL);
 *     vm_guest_expect(&guest, "f", SLOTS(2, 3), 1, SLOTS(5));
 *     vm_guest_close(&guest);
 *
 * Arguments and results are slots: the bits of a value, the upper half of
 * 32-bit ones zero. Whatever goes wrong here fails the running test. A guest
 * is used by one thread.
 */
#ifndef GLASS_TESTS_SUPPORT_VM_GUEST_H
#define GLASS_TESTS_SUPPORT_VM_GUEST_H

#include "tests/support/vm_world.h"

/* Slots as an array; at least one. */
#define SLOTS(...) (const uint64_t[]){__VA_ARGS__}

struct vm_guest {
    struct vm_world world;
    struct gvm_module *module;
    struct gvm_instance *instance;
    struct gvm_call *call;
    /* Of the last call. */
    enum gvm_status status;
    struct gvm_error err;
};

/* Loads what the builder holds (and destroys it), with all features. */
void vm_guest_open(struct vm_guest *guest, enum gvm_bounds bounds,
                   struct module_builder *builder,
                   const struct gvm_extern *imports);
/* Another guest of a world that is open already, with an instance of its own:
 * instead of vm_guest_close, destroy its call, before the world is closed. */
void vm_guest_open_in(struct vm_guest *guest, const struct vm_world *world,
                      struct gvm_module *module,
                      const struct gvm_extern *imports);
void vm_guest_close(struct vm_guest *guest);

/* A host function as an import; the signature is module_builder.h's. */
struct gvm_extern vm_guest_host(struct vm_world *world,
                                const char *signature,
                                gvm_host_function *function, void *data);

/* A host function that does nothing, and leaves its slots as they are. */
enum gvm_status vm_guest_do_nothing(struct gvm_call *call, void *data,
                                    union gvm_value *slots);
/* The same as an import of type () -> (). */
struct gvm_extern vm_guest_nothing(struct vm_world *world);

/* Calls the export from the beginning; NULL: no arguments. */
enum gvm_status vm_guest_call(struct vm_guest *guest, const char *name,
                              const uint64_t *arguments);
enum gvm_status vm_guest_resume(struct vm_guest *guest);
uint64_t vm_guest_result(const struct vm_guest *guest, unsigned index);
/* Calls, and the call must return these results. */
void vm_guest_expect(struct vm_guest *guest, const char *name,
                     const uint64_t *arguments, unsigned result_count,
                     const uint64_t *results);
/* Calls, and the call must trap so. */
void vm_guest_expect_trap(struct vm_guest *guest, const char *name,
                          const uint64_t *arguments, enum gvm_trap trap);

/*
 * Where in the module the body of the `defined`-th function of its own
 * begins (its declarations of locals), found without the engine's help.
 */
size_t vm_guest_body_offset(const uint8_t *bytes, size_t length_bytes,
                            unsigned defined);

#endif
