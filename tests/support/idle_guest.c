/* idle_guest.c - see idle_guest.h. */
#include "tests/support/idle_guest.h"

uint32_t
idle_guest_import(struct module_builder *builder)
{
    return module_builder_import_func(builder, "glass", "sleep_ns", "l:i");
}

void
idle_guest_sleep(struct module_builder *builder, uint32_t import)
{
    uint32_t index = module_builder_func(
        builder, "l:i", "", BYTES(0x20, 0, 0x10, (uint8_t)import, 0x0b));

    module_builder_export(builder, "sleep", GVM_EXTERN_FUNC, index);
}

void
idle_guest_loop(struct module_builder *builder, const char *signature)
{
    uint32_t index = module_builder_func(
        builder, signature, "", BYTES(0x03, 0x40, 0x0c, 0, 0x0b, 0x0b));

    module_builder_export(builder, "loop", GVM_EXTERN_FUNC, index);
}

void
idle_guest_count(struct module_builder *builder)
{
    uint32_t index = module_builder_func(
        builder, "i:i", "",
        BYTES(0x03, 0x40, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b,
              0x20, 0, 0x0b));

    module_builder_export(builder, "count", GVM_EXTERN_FUNC, index);
}
