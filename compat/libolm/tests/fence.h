/* Memory whose borders are watched, for abuse.c and sweep.cpp (S-40).
 *
 * A block of exactly the wanted size is placed against a page that nobody may touch, so that the
 * first byte read or written beyond it ends the program, even inside a library that no sanitizer
 * has seen. What lies on its other side is filled with a pattern and looked at by
 * fence_intact(). */
#ifndef FENCE_H
#define FENCE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum fence_place {
    FENCE_HEAP,  /* a heap block of exactly the size, for AddressSanitizer and valgrind */
    FENCE_END,   /* the page follows the block */
    FENCE_START, /* the page precedes the block */
    FENCE_ODD,   /* at an odd address, with the page one or zero bytes behind the block */
    FENCE_PLACES
};

struct fence {
    enum fence_place place;
    uint8_t *room; /* the bytes between the two pages; unused on the heap */
    size_t room_size;
    uint8_t *block;
    size_t size;
};

static const char *const fence_names[] = {"heap", "end", "start", "odd"};
enum { FENCE_PAGE = 4096, FENCE_PATTERN = 0xA5 };

/* Room for blocks of at most that size. */
static inline struct fence fence_new(enum fence_place place, size_t largest) {
    struct fence fence = {place, NULL, 0, NULL, 0};
    if (place == FENCE_HEAP) return fence;
    fence.room_size = (largest / FENCE_PAGE + 2) * FENCE_PAGE;
    uint8_t *pages = (uint8_t *)mmap(NULL, fence.room_size + 2 * FENCE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
                                     -1, 0);
    fence.room = pages + FENCE_PAGE;
    if (pages == MAP_FAILED || mprotect(fence.room, fence.room_size, PROT_READ | PROT_WRITE) != 0) abort();
    memset(fence.room, FENCE_PATTERN, fence.room_size);
    return fence;
}

/* A block of exactly that size, instead of the one before. Its content is not defined. */
static inline uint8_t *fence_block(struct fence *fence, size_t size) {
    if (fence->place == FENCE_HEAP) {
        free(fence->block);
        fence->block = (uint8_t *)malloc(size);
    } else {
        if (size + 1 > fence->room_size) abort();
        if (fence->block) memset(fence->block, FENCE_PATTERN, fence->size);
        uint8_t *end = fence->room + fence->room_size;
        fence->block = fence->place == FENCE_START ? fence->room : end - size;
        if (fence->place == FENCE_ODD && (uintptr_t)fence->block % 2 == 0) fence->block--;
    }
    fence->size = size;
    return fence->block;
}

/* Whether everything beside the block still holds the pattern. */
static inline int fence_intact(const struct fence *fence) {
    if (fence->place == FENCE_HEAP) return 1;
    for (size_t i = 0; i < fence->room_size; i++) {
        const uint8_t *byte = fence->room + i;
        if (byte >= fence->block && byte < fence->block + fence->size) {
            i += fence->size - 1;
        } else if (*byte != FENCE_PATTERN) {
            return 0;
        }
    }
    return 1;
}

static inline void fence_free(struct fence *fence) {
    if (fence->place == FENCE_HEAP) free(fence->block);
    else munmap(fence->room - FENCE_PAGE, fence->room_size + 2 * FENCE_PAGE);
}

#endif
