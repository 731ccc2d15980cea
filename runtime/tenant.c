/*
 * tenant.c - what the functions of a namespace have in common: a table with
 * a list for each hash. It is asked at deployments and at the start, not by
 * calls. See tenant.h.
 */
#include "runtime/tenant.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void
runtime__tenants_init(struct runtime__tenants *tenants,
                      struct runtime__queue_node *root)
{
    memset(tenants, 0, sizeof(*tenants));
    tenants->root = root;
    pthread_mutex_init(&tenants->lock, NULL);
}

void
runtime__tenants_deinit(struct runtime__tenants *tenants)
{
    for (size_t i = 0; i < runtime__tenants_buckets; i++)
        assert(!tenants->buckets[i]);
    pthread_mutex_destroy(&tenants->lock);
}

/* The list in which the namespace is (FNV-1a). */
static struct runtime__tenant **
bucket_of(struct runtime__tenants *tenants, const char *namespace_)
{
    uint32_t hash = 2166136261u;

    for (const char *byte = namespace_; *byte; byte++)
        hash = (hash ^ (uint8_t)*byte) * 16777619u;
    return &tenants->buckets[hash % runtime__tenants_buckets];
}

struct runtime__tenant *
runtime__tenant_get(struct runtime__tenants *tenants, const char *namespace_)
{
    struct runtime__tenant **bucket = bucket_of(tenants, namespace_);

    pthread_mutex_lock(&tenants->lock);
    struct runtime__tenant *tenant = *bucket;
    while (tenant && strcmp(tenant->namespace_, namespace_) != 0)
        tenant = tenant->next;
    if (!tenant && (tenant = calloc(1, sizeof(*tenant)))) {
        tenant->node.parent = tenants->root;
        tenant->tenants = tenants;
        strncpy(tenant->namespace_, namespace_, RUNTIME_NAME_BYTES_MAX);
        tenant->next = *bucket;
        *bucket = tenant;
    }
    if (tenant)
        tenant->references++;
    pthread_mutex_unlock(&tenants->lock);
    return tenant;
}

void
runtime__tenant_put(struct runtime__tenant *tenant)
{
    if (!tenant)
        return;
    struct runtime__tenants *tenants = tenant->tenants;
    struct runtime__tenant **link = bucket_of(tenants, tenant->namespace_);

    pthread_mutex_lock(&tenants->lock);
    bool is_last = --tenant->references == 0;
    if (is_last) {
        while (*link != tenant)
            link = &(*link)->next;
        *link = tenant->next;
    }
    pthread_mutex_unlock(&tenants->lock);
    if (is_last)
        free(tenant);
}
