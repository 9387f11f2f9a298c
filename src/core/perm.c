/* A permutation of 0 .. n-1 that knows where each number stands. */
#include "core/perm.h"

void tn_perm_init(uint32_t *perm, uint32_t *pos, uint32_t n)
{
    uint32_t i;

    /*@ loop invariant reach: 0 <= i <= n;
        loop invariant identity: \forall integer k; 0 <= k < i ==> perm[k] == k && pos[k] == k;
        loop assigns i, perm[0 .. n - 1], pos[0 .. n - 1];
        loop variant n - i;
    */
    for (i = 0; i < n; i++) {
        perm[i] = i;
        pos[i] = i;
    }
}

void tn_perm_swap(uint32_t *perm, uint32_t *pos, uint32_t n, uint32_t i, uint32_t j)
{
    uint32_t a = perm[i], b = perm[j];

    (void)n;
    perm[i] = b;
    perm[j] = a;
    pos[b] = i;
    pos[a] = j;
}
