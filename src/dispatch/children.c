#include "dispatch/children.h"

void tn_children_init(struct tn_children *c, uint32_t cap)
{
    uint32_t i;

    c->cap = cap;
    c->live = 0;
    tn_perm_init(c->perm, c->pos, cap);
    /*@ loop invariant range: 0 <= i <= cap;
        loop invariant done: \forall integer s; 0 <= s < i ==>
            c->pid[s] == 0 && c->rest_ms[s] == 0 && c->since_ms[s] == 0 && c->due_ms[s] == 0;
        loop assigns i, c->pid[0 .. cap - 1], c->rest_ms[0 .. cap - 1],
            c->since_ms[0 .. cap - 1], c->due_ms[0 .. cap - 1];
        loop variant cap - i;
    */
    for (i = 0; i < cap; i++) {
        c->pid[i] = 0;
        c->rest_ms[i] = 0;
        c->since_ms[i] = 0;
        c->due_ms[i] = 0;
    }
}

uint32_t tn_children_vacant(const struct tn_children *c, int64_t now_ms)
{
    uint32_t i;

    /*@ loop invariant range: c->live <= i <= c->cap;
        loop invariant resting: \forall integer k; c->live <= k < i ==>
            now_ms < c->due_ms[c->perm[k]];
        loop assigns i;
        loop variant c->cap - i;
    */
    for (i = c->live; i < c->cap; i++) {
        if (c->due_ms[c->perm[i]] <= now_ms) {
            return c->perm[i];
        }
    }
    //@ assert \forall integer s; tn_child_vacant(c, s) ==> c->perm[c->pos[s]] == s;
    return TN_NONE;
}

void tn_children_start(struct tn_children *c, uint32_t slot, int32_t pid, int64_t now_ms)
{
    tn_perm_swap(c->perm, c->pos, c->cap, c->pos[slot], c->live);
    c->live++;
    c->pid[slot] = pid;
    c->since_ms[slot] = now_ms;
    /*@ assert others: \forall integer s; 0 <= s < c->cap && s != slot ==>
            (tn_child_live(c, s) <==> tn_child_live{Pre}(c, s)) &&
            c->pid[s] == \at(c->pid[s], Pre); */
}

uint32_t tn_children_find(const struct tn_children *c, int32_t pid)
{
    uint32_t i;

    /*@ loop invariant range: 0 <= i <= c->live;
        loop invariant other: \forall integer k; 0 <= k < i ==> c->pid[c->perm[k]] != pid;
        loop assigns i;
        loop variant c->live - i;
    */
    for (i = 0; i < c->live; i++) {
        if (c->pid[c->perm[i]] == pid) {
            return c->perm[i];
        }
    }
    //@ assert \forall integer s; tn_child_live(c, s) ==> c->perm[c->pos[s]] == s;
    return TN_NONE;
}

/* The rest after one more crash. */
/*@ requires last:  last_ms <= TN_REST_MAX_MS;
    terminates \true; exits \false;
    assigns \nothing;
    ensures rest: \result == tn_rest_after(last_ms, lived_ms);
    ensures most: \result <= TN_REST_MAX_MS;
*/
static uint32_t longer_rest(uint32_t last_ms, int64_t lived_ms)
{
    if (last_ms == 0 || lived_ms >= TN_STEADY_MS) {
        return TN_REST_MIN_MS;
    }
    return last_ms <= TN_REST_MAX_MS / 2u ? 2u * last_ms : TN_REST_MAX_MS;
}

void tn_children_end(struct tn_children *c, uint32_t slot, uint32_t crashed, int64_t now_ms)
{
    uint32_t rest = 0;

    if (crashed == 1) {
        rest = longer_rest(c->rest_ms[slot], now_ms - c->since_ms[slot]);
    }
    tn_perm_swap(c->perm, c->pos, c->cap, c->pos[slot], c->live - 1u);
    c->live--;
    c->rest_ms[slot] = (uint16_t)rest;
    c->due_ms[slot] = crashed == 1 ? now_ms + (int64_t)rest : 0;
}

void tn_children_forget(struct tn_children *c)
{
    c->live = 0;
}

int64_t tn_children_next(const struct tn_children *c)
{
    int64_t first = TN_NEVER;
    uint32_t i;

    /*@ loop invariant range: c->live <= i <= c->cap;
        loop invariant bound: \forall integer k; c->live <= k < i ==>
            first <= c->due_ms[c->perm[k]];
        loop invariant exact: c->live < i ==>
            \exists integer k; c->live <= k < i && first == c->due_ms[c->perm[k]];
        loop invariant never: i == c->live ==> first == TN_NEVER;
        loop assigns i, first;
        loop variant c->cap - i;
    */
    for (i = c->live; i < c->cap; i++) {
        if (c->due_ms[c->perm[i]] < first) {
            first = c->due_ms[c->perm[i]];
        }
    }
    //@ assert \forall integer s; tn_child_vacant(c, s) ==> c->perm[c->pos[s]] == s;
    return first;
}
