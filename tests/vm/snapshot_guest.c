/* snapshot_guest.c - for tests: see snapshot_guest.h. */
#include "tests/vm/snapshot_guest.h"

#include <check.h>

static void
add(struct module_builder *builder, const char *name, const char *signature,
    const uint8_t *body, size_t body_bytes)
{
    uint32_t index =
        module_builder_func(builder, signature, "", body, body_bytes);

    module_builder_export(builder, name, GVM_EXTERN_FUNC, index);
}

static void
add_memory(struct module_builder *builder)
{
    module_builder_memory(builder, 2, 40);
    module_builder_export(builder, "memory", GVM_EXTERN_MEMORY, 0);
    module_builder_data(builder, 70000, "glass", 5);
    module_builder_data_passive(builder, "passive", 7);
    add(builder, "poke", "ii:",
        BYTES(0x20, 0, 0x20, 1, 0x3a, 0, 0, 0x0b));
    add(builder, "peek", "i:i", BYTES(0x20, 0, 0x2d, 0, 0, 0x0b));
    add(builder, "fill", "iii:",
        BYTES(0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 11, 0, 0x0b));
    add(builder, "grow", "i:i", BYTES(0x20, 0, 0x40, 0, 0x0b));
    add(builder, "size", ":i", BYTES(0x3f, 0, 0x0b));
    add(builder, "init", ":",
        BYTES(0x41, 0, 0x41, 0, 0x41, 7, 0xfc, 8, 1, 0, 0x0b));
    add(builder, "drop", ":", BYTES(0xfc, 9, 1, 0x0b));
}

static void
add_globals(struct module_builder *builder)
{
    module_builder_global(builder, 'i', true, BYTES(0x41, 0x2a, 0x0b));
    module_builder_global(builder, 'r', true, BYTES(0xd0, 0x70, 0x0b));
    add(builder, "get", ":i", BYTES(0x23, 0, 0x0b));
    add(builder, "set", "i:", BYTES(0x20, 0, 0x24, 0, 0x0b));
    add(builder, "aim", "i:", BYTES(0x20, 0, 0x25, 0, 0x24, 1, 0x0b));
    add(builder, "aimed", ":i", BYTES(0x23, 1, 0xd1, 0x45, 0x0b));
}

static void
add_table(struct module_builder *builder)
{
    static const uint32_t functions[] = {0, 1, 2, 3};
    uint32_t type = module_builder_type(builder, ":i");

    module_builder_table(builder, 'r', 4, 2000);
    module_builder_export(builder, "table", GVM_EXTERN_TABLE, 0);
    module_builder_elements(builder, 0, functions, 4);
    add(builder, "take", "i:", BYTES(0x20, 0, 0x23, 1, 0x26, 0, 0x0b));
    add(builder, "drop_entry", "i:",
        BYTES(0x20, 0, 0xd0, 0x70, 0x26, 0, 0x0b));
    add(builder, "call", "i:i",
        BYTES(0x20, 0, 0x11, (uint8_t)type, 0, 0x0b));
    add(builder, "extend", "i:i",
        BYTES(0xd2, 0, 0x20, 0, 0xfc, 15, 0, 0x0b));
    add(builder, "length", ":i", BYTES(0xfc, 16, 0, 0x0b));
}

struct module_builder *
snapshot_guest(void)
{
    struct module_builder *builder = module_builder_create();
    uint8_t i;

    for (i = 0; i < 4; i++)
        module_builder_func(builder, ":i", "",
                            BYTES(0x41, (uint8_t)(0xe4 + i), 0, 0x0b));
    add_memory(builder);
    add_globals(builder);
    add_table(builder);
    return builder;
}

void
snapshot_guest_thaw(struct vm_guest *guest, const struct vm_guest *original,
                    const struct gvm_snapshot *snapshot)
{
    struct gvm_store *store;

    *guest = (struct vm_guest){.module = original->module};
    ck_assert_int_eq(gvm_store_create(original->world.engine, NULL, &store),
                     GVM_OK);
    guest->world.store = store;
    guest->status = gvm_instance_create_from(store, snapshot, NULL, 0,
                                             &guest->instance, &guest->err);
    ck_assert_msg(guest->status == GVM_OK, "%s", guest->err.message);
    ck_assert_int_eq(gvm_call_create(store, &guest->call), GVM_OK);
}

void
snapshot_guest_close(struct vm_guest *guest)
{
    gvm_call_destroy(guest->call);
    gvm_store_destroy(guest->world.store);
}
