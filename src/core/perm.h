/* A permutation of 0 .. n-1 that knows where each number stands.
 *
 * perm[i] is the number at place i, pos[s] the place of number s; each is the
 * other's inverse.  Splitting the places into stretches splits the numbers
 * into sets (free and used, armed and idle) that can neither overlap nor lose
 * a member, and a number moves between sets by one swap.
 */
#ifndef TN_CORE_PERM_H
#define TN_CORE_PERM_H

#include "core/base.h"

/*@ predicate tn_perm_ok{L}(uint32_t *perm, uint32_t *pos, integer n) =
        (\forall integer i; 0 <= i < n ==> 0 <= perm[i] < n && pos[perm[i]] == i) &&
        (\forall integer s; 0 <= s < n ==> 0 <= pos[s] < n && perm[pos[s]] == s);
*/

/* Makes the identity: number i at place i. */
/*@ requires room:  \valid(perm + (0 .. n - 1)) && \valid(pos + (0 .. n - 1));
    requires apart: \separated(perm + (0 .. n - 1), pos + (0 .. n - 1));
    terminates \true; exits \false;
    assigns perm[0 .. n - 1], pos[0 .. n - 1];
    ensures inverse:  tn_perm_ok(perm, pos, n);
    ensures identity: \forall integer i; 0 <= i < n ==> perm[i] == i && pos[i] == i;
*/
void tn_perm_init(uint32_t *perm, uint32_t *pos, uint32_t n);

/* Swaps the numbers at the places i and j (which may be the same place). */
/*@ requires room:  \valid(perm + (0 .. n - 1)) && \valid(pos + (0 .. n - 1));
    requires apart: \separated(perm + (0 .. n - 1), pos + (0 .. n - 1));
    requires inverse: tn_perm_ok(perm, pos, n);
    requires places:  i < n && j < n;
    terminates \true; exits \false;
    assigns perm[0 .. n - 1], pos[0 .. n - 1];
    ensures inverse: tn_perm_ok(perm, pos, n);
    ensures swapped: perm[i] == \old(perm[j]) && perm[j] == \old(perm[i]);
    ensures others:  \forall integer k; 0 <= k < n && k != i && k != j ==> perm[k] == \old(perm[k]);
    ensures placed:  \forall integer s; 0 <= s < n ==>
                         pos[s] == (s == \old(perm[i]) ? j : s == \old(perm[j]) ? i : \old(pos[s]));
*/
void tn_perm_swap(uint32_t *perm, uint32_t *pos, uint32_t n, uint32_t i, uint32_t j);

#endif
