/*
 * glass/vm/vm_snapshot.h - instances that begin where another one was, and
 * can be put back there. Part of glass/vm.h, which includes it where all that
 * it needs is known, and whose rules hold here.
 */
#ifndef GLASS_VM_VM_SNAPSHOT_H
#define GLASS_VM_VM_SNAPSHOT_H

#ifdef __cplusplus
extern "C" {
#endif

struct gvm_snapshot;

/*
 * Freezes the instance as it is: memories, mutable globals, tables, dropped
 * segments. No call may be in progress in it; it goes on and keeps nothing of
 * the snapshot, which threads may share.
 *
 * Returns GVM_NO_MEMORY, or GVM_BAD_ARGUMENT (err says why) for what no other
 * instance could have: a memory, a table or a mutable global that is
 * imported, or a reference to a function that is not one of the module's.
 */
enum gvm_status
gvm_snapshot_create(const struct gvm_instance *instance,
                    struct gvm_snapshot **snapshot, struct gvm_error *err);
/* Before its module; stores with instances made from it must be gone. */
void gvm_snapshot_destroy(struct gvm_snapshot *snapshot);
/* The memory that it takes. */
uint64_t gvm_snapshot_bytes(const struct gvm_snapshot *snapshot);

/*
 * As gvm_instance_create with the snapshot's module, but the instance begins
 * as the snapshot is: no segment is written, and the start function has run
 * if it had. Immutable globals that are imported are those of `imports`.
 * Memories share the snapshot's pages until they are written.
 */
enum gvm_status
gvm_instance_create_from(struct gvm_store *store,
                         const struct gvm_snapshot *snapshot,
                         const struct gvm_extern *imports,
                         uint32_t import_count,
                         struct gvm_instance **instance,
                         struct gvm_error *err);

/*
 * Makes an instance what it was when gvm_instance_create_from returned it,
 * at a price that follows what was written since and not the memory's size.
 * Calls in it have ended or are abandoned by this: none may be resumed. Only
 * they, on whatever threads, and the thread that resets may have written to
 * its memory since the last reset.
 *
 * Returns GVM_BAD_ARGUMENT for an instance that no snapshot made, or
 * GVM_NO_MEMORY: then the instance must not be used but for another try.
 */
enum gvm_status gvm_instance_reset(struct gvm_instance *instance);

/*
 * Writes what gvm_snapshot_load makes the same snapshot of, also in another
 * process and another build: bytes that `write` takes in order, in pieces
 * that it may not keep. Any thread may save a snapshot, and several may.
 *
 * Returns GVM_LIMIT when `write` has returned false, which ends it, or
 * GVM_BAD_ARGUMENT for a snapshot with a reference of the host's in it.
 */
enum gvm_status
gvm_snapshot_save(const struct gvm_snapshot *snapshot,
                  bool (*write)(void *data, const void *bytes,
                                size_t length_bytes),
                  void *data, struct gvm_error *err);

/*
 * Makes a snapshot of `module` from what gvm_snapshot_save has written of one
 * of the very same module. The bytes may be anybody's: whatever they are, an
 * instance made from the result is no danger but to what the module's own
 * code does with what it finds. So whoever wants to know that they are those
 * of that module, and whole, has to keep a digest of both. None of them is
 * kept.
 *
 * `options` (NULL: the defaults) are those of the stores that it is for.
 *
 * Returns GVM_MALFORMED (err says what does not fit, and where), GVM_LIMIT
 * when it is more than such stores may have, or GVM_NO_MEMORY.
 */
enum gvm_status
gvm_snapshot_load(struct gvm_module *module,
                  const struct gvm_store_options *options,
                  const uint8_t *bytes, size_t length_bytes,
                  struct gvm_snapshot **snapshot, struct gvm_error *err);

#ifdef __cplusplus
}
#endif

#endif
