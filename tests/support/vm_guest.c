/*
 * vm_guest.c - see vm_guest.h.
 */
#include "tests/support/vm_guest.h"

#include <check.h>
#include <string.h>

void
vm_guest_open_in(struct vm_guest *guest, const struct vm_world *world,
                 struct gvm_module *module,
                 const struct gvm_extern *imports)
{
    memset(guest, 0, sizeof(*guest));
    guest->world = *world;
    guest->module = module;
    guest->instance =
        vm_world_instantiate(&guest->world, guest->module, imports);
    ck_assert_int_eq(gvm_call_create(guest->world.store, &guest->call),
                     GVM_OK);
}

void
vm_guest_open(struct vm_guest *guest, enum gvm_bounds bounds,
              struct module_builder *builder,
              const struct gvm_extern *imports)
{
    struct vm_world world;
    struct gvm_module *module;

    vm_world_open(&world, bounds, NULL);
    module = vm_world_load(&world, builder, GVM_FEATURES_DEFAULT);
    vm_guest_open_in(guest, &world, module, imports);
}

void
vm_guest_close(struct vm_guest *guest)
{
    gvm_call_destroy(guest->call);
    vm_world_close(&guest->world);
}

static uint8_t
type_of_letter(char letter)
{
    static const char letters[] = "ilfdrx";
    static const uint8_t types[] = {GVM_I32, GVM_I64,     GVM_F32,
                                    GVM_F64, GVM_FUNCREF, GVM_EXTERNREF};
    const char *found = strchr(letters, letter);

    ck_assert(letter != '\0' && found != NULL);
    return types[found - letters];
}

struct gvm_extern
vm_guest_host(struct vm_world *world, const char *signature,
              gvm_host_function *function, void *data)
{
    struct gvm_extern external = {.kind = GVM_EXTERN_FUNC};
    uint8_t types[GVM_PARAMETERS_MAX + GVM_RESULTS_MAX];
    const char *colon = strchr(signature, ':');
    size_t parameter_count = (size_t)(colon - signature);
    size_t count = strlen(signature) - 1;
    struct gvm_func_type type = {
        .parameters = types,
        .results = types + parameter_count,
        .parameter_count = (uint32_t)parameter_count,
        .result_count = (uint32_t)(count - parameter_count),
    };
    size_t i;

    ck_assert_uint_le(count, sizeof(types));
    for (i = 0; i < count; i++)
        types[i] = type_of_letter(signature[i + (i >= parameter_count)]);
    ck_assert_int_eq(gvm_func_create(world->store, &type, function, data,
                                     &external.func),
                     GVM_OK);
    return external;
}

enum gvm_status
vm_guest_do_nothing(struct gvm_call *call, void *data, union gvm_value *slots)
{
    (void)call;
    (void)data;
    (void)slots;
    return GVM_OK;
}

struct gvm_extern
vm_guest_nothing(struct vm_world *world)
{
    return vm_guest_host(world, ":", vm_guest_do_nothing, NULL);
}

enum gvm_status
vm_guest_call(struct vm_guest *guest, const char *name,
              const uint64_t *arguments)
{
    struct gvm_extern function = vm_world_export(guest->instance, name);

    ck_assert_int_eq(function.kind, GVM_EXTERN_FUNC);
    memset(&guest->err, 0, sizeof(guest->err));
    guest->status =
        gvm_call_start(guest->call, function.func,
                       (const union gvm_value *)(const void *)arguments,
                       &guest->err);
    return guest->status;
}

enum gvm_status
vm_guest_resume(struct vm_guest *guest)
{
    memset(&guest->err, 0, sizeof(guest->err));
    guest->status = gvm_call_resume(guest->call, &guest->err);
    return guest->status;
}

uint64_t
vm_guest_result(const struct vm_guest *guest, unsigned index)
{
    return gvm_call_results(guest->call)[index].slot;
}

void
vm_guest_expect(struct vm_guest *guest, const char *name,
                const uint64_t *arguments, unsigned result_count,
                const uint64_t *results)
{
    unsigned i;

    vm_guest_call(guest, name, arguments);
    ck_assert_msg(guest->status == GVM_OK, "%s: %s", name,
                  guest->err.message);
    for (i = 0; i < result_count; i++)
        ck_assert_msg(vm_guest_result(guest, i) == results[i],
                      "%s: result %u is 0x%llx, not 0x%llx", name, i,
                      (unsigned long long)vm_guest_result(guest, i),
                      (unsigned long long)results[i]);
}

void
vm_guest_expect_trap(struct vm_guest *guest, const char *name,
                     const uint64_t *arguments, enum gvm_trap trap)
{
    vm_guest_call(guest, name, arguments);
    ck_assert_msg(guest->status == GVM_TRAP && guest->err.trap == trap,
                  "%s: %s (%s), not %s", name,
                  gvm_status_text(guest->status), guest->err.message,
                  gvm_trap_text(trap));
}

static uint32_t
read_unsigned(const uint8_t *bytes, size_t *at)
{
    uint32_t value = 0;
    unsigned shift = 0;

    do {
        value |= (uint32_t)(bytes[*at] & 0x7f) << shift;
        shift += 7;
    } while (bytes[(*at)++] & 0x80);
    return value;
}

size_t
vm_guest_body_offset(const uint8_t *bytes, size_t length_bytes,
                     unsigned defined)
{
    enum { HEADER_BYTES = 8, CODE_SECTION = 10 };
    size_t at = HEADER_BYTES;

    while (at < length_bytes && bytes[at] != CODE_SECTION) {
        size_t section_bytes;

        at++;
        section_bytes = read_unsigned(bytes, &at);
        at += section_bytes;
    }
    ck_assert_uint_lt(at, length_bytes);
    at++;
    read_unsigned(bytes, &at); /* the section's length */
    ck_assert_uint_lt(defined, read_unsigned(bytes, &at));
    for (;;) {
        size_t body_bytes = read_unsigned(bytes, &at);

        if (defined-- == 0)
            return at;
        at += body_bytes;
    }
}
