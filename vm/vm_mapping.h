/*
 * glass/vm/vm_mapping.h - files laid into linear memories, to be shared by
 * several of them. Part of glass/vm.h, which includes it where all that it
 * needs is known, and whose rules hold here.
 *
 * Only memories of instances that a snapshot made can have mappings, since
 * gvm_instance_reset takes them away again. While there are any, no snapshot
 * is made of the instance.
 */
#ifndef GLASS_VM_VM_MAPPING_H
#define GLASS_VM_VM_MAPPING_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Makes the memory `page_count` pages longer, as gvm_memory_grow does, and
 * lays the bytes of `file` from `offset_bytes` on, a multiple of a page, over
 * the new ones; or over those of mappings that were destroyed, where they
 * suffice. `*address` is where they begin. The file must not become shorter
 * than that reaches while it is mapped; its descriptor may be closed.
 *
 * Where it is not `writable`, stores of the guest trap with
 * GVM_TRAP_MEMORY_OUT_OF_BOUNDS, which takes guard pages; the host must ask
 * gvm_mapping_permits_write before it writes.
 *
 * Returns GVM_LIMIT for more than the store may have, GVM_NO_MEMORY when the
 * system refuses, or GVM_BAD_ARGUMENT: no pages, an offset that is no
 * multiple, more than the memory's maximum, not writable without guard pages,
 * or a memory that no snapshot made. Nothing has changed then.
 */
enum gvm_status
gvm_mapping_create(struct gvm_memory *memory, int file, uint64_t offset_bytes,
                   uint64_t page_count, bool writable, uint64_t *address);

/*
 * Takes the mapping that begins at `address` away again: its pages are zero
 * and the guest's own, until another mapping is laid there or the instance is
 * reset. GVM_BAD_ARGUMENT: none begins there. GVM_NO_MEMORY: the system
 * refused, and it is still there.
 */
enum gvm_status
gvm_mapping_destroy(struct gvm_memory *memory, uint64_t address);

/*
 * Whether bytes of a range inside the memory may be written: none of them is
 * in a mapping that is not writable.
 */
bool
gvm_mapping_permits_write(const struct gvm_memory *memory, uint64_t offset,
                          uint64_t length_bytes);

#ifdef __cplusplus
}
#endif

#endif
