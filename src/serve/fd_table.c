/* The descriptor table: which descriptor is whose, and what it is watched for. */
#include "serve/fd_table.h"

/* The table while slot s or the descriptor fd is between two owners. */
/*@ predicate live_but{L}(struct tn_fd_table *t, integer s) =
        \forall integer o; 0 <= o < t->slots.cap && o != s ==>
            (tn_slot_live(&t->slots, o) ? tn_table_conn(t, o) : t->fd[o] == -1);
    predicate no_leak_but{L}(struct tn_fd_table *t, integer fd) =
        \forall integer f; 0 <= f < TN_SYS_FDS && k_open[f] == 1 && f != fd ==>
            tn_table_owned(t, f);
    predicate batch_but{L}(struct tn_fd_table *t, integer s) =
        \forall integer i; t->poller.pos <= i < t->poller.count ==>
            (t->poller.ready[i].slot == s
                ? t->poller.ready[i].gen <= t->slots.gen[s]
                : tn_report_ok(t, i, t->poller.ready[i].slot, t->poller.ready[i].gen));
    // the pending reports for slot s are for earlier lives of it
    predicate reports_past{L}(struct tn_fd_table *t, integer s) =
        \forall integer i; t->poller.pos <= i < t->poller.count && t->poller.ready[i].slot == s ==>
            t->poller.ready[i].gen < t->slots.gen[s];
*/
#define TABLE_BUT(K, t, s, fd) \
    K shape : tn_table_shape(t); \
    K model : k_inv; \
    K live : live_but(t, s); \
    K listening : tn_table_listening(t); \
    K polling : tn_table_polling(t); \
    K no_leak : no_leak_but(t, fd); \
    K registered : tn_table_registered(t); \
    K watching : tn_table_watching(t); \
    K batch : batch_but(t, s)

/* Makes t a table of which nothing is open. */
/*@ requires room: \valid(t) && 0 < cap <= TN_CONNECTIONS;
    terminates \true; exits \false;
    assigns *t;
    ensures slots: tn_slots_ok(&t->slots) && t->slots.cap == cap && t->slots.live == 0;
    ensures connections: \forall integer s; 0 <= s < cap ==> t->fd[s] == -1;
    ensures listeners: \forall integer l; 0 <= l < TN_LISTENERS ==> t->listener[l] == -1;
    ensures watches: \forall integer w; 0 <= w < TN_WATCHES ==> t->watch[w] == -1;
*/
static void clear(struct tn_fd_table *t, uint32_t cap)
{
    uint32_t i;

    tn_slots_init(&t->slots, cap);
    t->mask = 0;
    /*@ loop invariant reach: 0 <= i <= cap;
        loop invariant none: \forall integer s; 0 <= s < i ==> t->fd[s] == -1;
        loop assigns i, t->fd[0 .. TN_CONNECTIONS - 1], t->interest[0 .. TN_CONNECTIONS - 1];
        loop variant cap - i;
    */
    for (i = 0; i < cap; i++) {
        t->fd[i] = -1;
        t->interest[i] = 0;
    }
    /*@ loop invariant reach: 0 <= i <= TN_LISTENERS;
        loop invariant none: \forall integer l; 0 <= l < i ==> t->listener[l] == -1;
        loop assigns i, t->listener[0 .. TN_LISTENERS - 1], t->listening[0 .. TN_LISTENERS - 1];
        loop variant TN_LISTENERS - i;
    */
    for (i = 0; i < TN_LISTENERS; i++) {
        t->listener[i] = -1;
        t->listening[i] = 0;
    }
    /*@ loop invariant reach: 0 <= i <= TN_WATCHES;
        loop invariant none: \forall integer w; 0 <= w < i ==> t->watch[w] == -1;
        loop assigns i, t->watch[0 .. TN_WATCHES - 1], t->watch_gen[0 .. TN_WATCHES - 1];
        loop variant TN_WATCHES - i;
    */
    for (i = 0; i < TN_WATCHES; i++) {
        t->watch[i] = -1;
        t->watch_gen[i] = 0;
    }
}

/* Opens the poller of a table of which nothing else is open. */
/*@ requires room:  \valid(t) && tn_slots_ok(&t->slots) && model < TN_MODELS;
    requires model: k_inv;
    terminates \true; exits \false;
    assigns t->poller.fd, t->poller.model, t->poller.pos, t->poller.count, t->poller.turn,
            t->poller.vain, t->poller.moved, t->poller.waiting, t->poller.edges,
            k_open[0 .. TN_SYS_FDS - 1], k_inc[0 .. TN_SYS_FDS - 1];
    ensures result: \result == 1 || \result == TN_EFILES || \result == TN_EMEMORY ||
                    \result == TN_ESYSTEM;
    ensures slots:  tn_slots_ok(&t->slots) && t->slots.cap == \old(t->slots.cap) &&
                    t->slots.live == \old(t->slots.live);
    ensures empty:  t->poller.pos == 0 && t->poller.count == 0;
    ensures open:   t->poller.fd != -1 ==> k_number(t->poller.fd) &&
                    \old(k_open[\at(t->poller.fd, Post)]) == 0 &&
                    k_open == {\old(k_open) \with [t->poller.fd] = (int32_t)1};
    ensures none:   t->poller.fd == -1 ==> k_open == \old(k_open);
    ensures failed: \result < 0 ==> t->poller.fd == -1;
    ensures connections: \forall integer s; 0 <= s < TN_CONNECTIONS ==> t->fd[s] == \old(t->fd[s]);
    ensures listeners: \forall integer l; 0 <= l < TN_LISTENERS ==>
                    t->listener[l] == \old(t->listener[l]);
    ensures watches: \forall integer w; 0 <= w < TN_WATCHES ==>
                    t->watch[w] == \old(t->watch[w]);
    ensures model:  k_inv;
*/
static int32_t open_poller(struct tn_fd_table *t, uint32_t model)
{
    const int32_t opened = tn_poller_open(&t->poller, model);

    /*@ assert sizes: t->slots.cap == \at(t->slots.cap, Pre) &&
            t->slots.live == \at(t->slots.live, Pre) &&
            t->slots.usable == \at(t->slots.usable, Pre); */
    /*@ assert slots: \forall integer s; 0 <= s < TN_CONNECTIONS ==>
            t->slots.perm[s] == \at(t->slots.perm[s], Pre) &&
            t->slots.pos[s] == \at(t->slots.pos[s], Pre) &&
            t->slots.gen[s] == \at(t->slots.gen[s], Pre); */
    return opened;
}

int32_t tn_fd_table_init(struct tn_fd_table *t, uint32_t cap, uint32_t model)
{
    int32_t opened;

    clear(t, cap);
    opened = open_poller(t, model);
    if (opened < 0)
        return opened;
    //@ ghost if (t->poller.fd != -1) k_own[t->poller.fd] = (int32_t)TN_COOKIES;
    //@ assert shape: tn_table_shape(t);
    //@ assert live: tn_table_live(t);
    //@ assert none: tn_table_listening(t) && tn_table_watching(t);
    //@ assert polling: tn_table_polling(t);
    //@ assert no_leak: tn_table_no_leak(t);
    //@ assert registered: tn_table_registered(t);
    return 1;
}

int32_t tn_fd_table_listen(struct tn_fd_table *t, int32_t fd)
{
    uint32_t l;
    int32_t added;

    /*@ loop invariant reach: 0 <= l <= TN_LISTENERS;
        loop assigns l;
        loop variant TN_LISTENERS - l;
    */
    for (l = 0; l < TN_LISTENERS && t->listener[l] != -1; l++)
        ;
    if (l == TN_LISTENERS)
        return TN_EFULL;
    added = tn_poller_add(&t->poller, fd, TN_LISTENER_COOKIE + l, 0, TN_READ);
    if (added < 0)
        return added;
    t->listener[l] = fd;
    t->listening[l] = TN_READ;
    //@ ghost k_open[fd] = 1;
    //@ ghost k_own[fd] = (int32_t)(TN_LISTENER_COOKIE + l);
    return (int32_t)l;
}

void tn_fd_table_listening(struct tn_fd_table *t, uint32_t l, uint32_t mask)
{
    if (t->listening[l] == (int16_t)mask)
        return;
    tn_poller_modify(&t->poller, t->listener[l], TN_LISTENER_COOKIE + l, 0, mask);
    t->listening[l] = (int16_t)mask;
}

void tn_fd_table_unlisten(struct tn_fd_table *t, uint32_t l)
{
    /* A listener may be shared with other processes, and a registration ends
     * with the last of them: closing alone would leave it reported here. */
    tn_poller_remove(&t->poller, t->listener[l]);
    tn_sys_close(t->listener[l]);
    t->listener[l] = -1;
    t->listening[l] = 0;
}

int32_t tn_fd_table_watch(struct tn_fd_table *t, int32_t fd)
{
    uint32_t w;
    int32_t added;

    /*@ loop invariant reach: 0 <= w <= TN_WATCHES;
        loop assigns w;
        loop variant TN_WATCHES - w;
    */
    for (w = 0; w < TN_WATCHES && t->watch[w] != -1; w++)
        ;
    if (w == TN_WATCHES)
        return TN_EFULL;
    added = tn_poller_add(&t->poller, fd, TN_WATCH_COOKIE + w, t->watch_gen[w], TN_READ);
    if (added < 0)
        return added;
    t->watch[w] = fd;
    //@ ghost k_own[fd] = (int32_t)(TN_WATCH_COOKIE + w);
    return (int32_t)w;
}

void tn_fd_table_unwatch(struct tn_fd_table *t, uint32_t w)
{
    tn_poller_remove(&t->poller, t->watch[w]);
    t->watch[w] = -1;
    t->watch_gen[w] = t->watch_gen[w] < UINT16_MAX ? (uint16_t)(t->watch_gen[w] + 1) : 0;
}

/* Frees the slot s, whose descriptor is closed already. */
/*@ TABLE_BUT(requires, t, s, -1);
    requires slot: tn_slot_live(&t->slots, s) && t->fd[s] == -1;
    terminates \true; exits \false;
    assigns t->slots.live, t->slots.usable, t->slots.perm[0 .. t->slots.cap - 1],
            t->slots.pos[0 .. t->slots.cap - 1], t->slots.gen[s];
    TN_TABLE_OK(ensures, t);
    ensures freed:  !tn_slot_live(&t->slots, s);
    ensures fewer:  t->slots.live == \old(t->slots.live) - 1;
    ensures others: \forall integer o; 0 <= o < t->slots.cap && o != s ==>
                    (tn_slot_live(&t->slots, o) <==> tn_slot_live{Pre}(&t->slots, o));
*/
static void free_slot(struct tn_fd_table *t, uint32_t s)
{
    tn_slots_release(&t->slots, s);
    /*@ assert reports: \forall integer i; 0 <= i < TN_BATCH ==>
            t->poller.ready[i].slot == \at(t->poller.ready[i].slot, Pre) &&
            t->poller.ready[i].gen == \at(t->poller.ready[i].gen, Pre); */
    /*@ assert generations: \forall integer o; 0 <= o < TN_CONNECTIONS && o != s ==>
            t->slots.gen[o] == \at(t->slots.gen[o], Pre); */
}

/* Puts the descriptor fd, just opened, into a free slot.  Returns the slot, or
 * why the poller cannot watch it; fd is closed then. */
/*@ TABLE_BUT(requires, t, -1, fd);
    requires room: t->slots.live < t->slots.usable;
    requires open: k_ours(fd) && k_reg[fd] == 0 && fd != t->poller.fd;
    terminates \true; exits \false;
    assigns t->slots.live, t->slots.usable, t->slots.perm[0 .. t->slots.cap - 1],
            t->slots.pos[0 .. t->slots.cap - 1], t->slots.gen[0 .. t->slots.cap - 1],
            t->fd[0 .. t->slots.cap - 1], t->interest[0 .. t->slots.cap - 1], t->poller.edges,
            k_open[fd], k_reg[fd], k_reg_slot[fd], k_reg_gen[fd], k_reg_mask[fd], k_own[fd],
            k_slot_inc[0 .. TN_CONNECTIONS - 1];
    TN_TABLE_OK(ensures, t);
    ensures result: \result == TN_EMEMORY || \result == TN_ESYSTEM || \result == TN_EFILES ||
                    0 <= \result < t->slots.cap;
    ensures opened: \result >= 0 ==> tn_slot_live(&t->slots, \result) &&
                    !tn_slot_live{Pre}(&t->slots, \result) && t->fd[\result] == fd &&
                    t->interest[\result] == TN_READ;
    ensures others: \forall integer s; 0 <= s < t->slots.cap && s != \result ==>
                    tn_table_same{Pre, Post}(t, s);
*/
static int32_t adopt(struct tn_fd_table *t, int32_t fd)
{
    const uint32_t s = tn_slots_take(&t->slots);
    const int32_t added = tn_poller_add(&t->poller, fd, s, t->slots.gen[s], TN_READ);

    //@ assert past: reports_past(t, s);
    //@ assert others: live_but(t, s);
    if (added < 0) {
        tn_sys_close(fd);
        //@ assert no_leak: no_leak_but(t, -1);
        free_slot(t, s);
        return added == TN_EFULL ? TN_EFILES : added;
    }
    t->fd[s] = fd;
    t->interest[s] = TN_READ;
    /*@ assert others: \forall integer o; 0 <= o < t->slots.cap && o != s ==>
            tn_table_same{Pre, Here}(t, o); */
    //@ ghost k_own[fd] = (int32_t)s;
    //@ ghost k_slot_inc[s] = k_inc[fd];
    return (int32_t)s;
}

int32_t tn_fd_table_accept(struct tn_fd_table *t, uint32_t l)
{
    int32_t fd, s;

    /* Looked at before the connection is taken: one that finds no room must
     * wait in the backlog, not be dropped. */
    if (t->slots.live == t->slots.usable) {
        //@ assert others: \forall integer o; tn_table_same{Pre, Here}(t, o);
        return TN_EFULL;
    }
    fd = tn_sys_accept(t->listener[l]);
    if (fd < 0) {
        //@ assert others: \forall integer o; tn_table_same{Pre, Here}(t, o);
        return fd;
    }
    //@ assert no_leak: no_leak_but(t, fd);
    s = adopt(t, fd);
    /*@ assert others: \forall integer o; 0 <= o < t->slots.cap && o != s ==>
            tn_table_same{Pre, Here}(t, o); */
    return s;
}

void tn_fd_table_close(struct tn_fd_table *t, uint32_t s)
{
    tn_sys_close(t->fd[s]);
    t->fd[s] = -1;
    free_slot(t, s);
}

void tn_fd_table_interest(struct tn_fd_table *t, uint32_t s, uint32_t mask)
{
    if (t->interest[s] == (int16_t)mask)
        return;
    tn_poller_modify(&t->poller, t->fd[s], s, t->slots.gen[s], mask);
    t->interest[s] = (int16_t)mask;
}

void tn_fd_table_spent(struct tn_fd_table *t, uint32_t s, uint32_t mask, int32_t n)
{
    tn_poller_spent(&t->poller, s, mask, n);
}

/* What is watched, for the pollers that have to be told. */
/*@ requires shape: tn_table_shape(t);
    terminates \true; exits \false;
    assigns \nothing;
    ensures slots: \result.cap == t->slots.cap && \result.live == t->slots.live &&
                   \result.perm == &t->slots.perm[0] && \result.gen == &t->slots.gen[0];
    ensures connections: \result.fd == &t->fd[0] && \result.interest == &t->interest[0];
    ensures listeners: \result.listener == &t->listener[0] &&
                   \result.listening == &t->listening[0];
    ensures watches: \result.watch == &t->watch[0] && \result.watch_gen == &t->watch_gen[0];
*/
static struct tn_lists lists_of(const struct tn_fd_table *t)
{
    const struct tn_lists l = {
        .cap = t->slots.cap,
        .live = t->slots.live,
        .perm = t->slots.perm,
        .fd = t->fd,
        .interest = t->interest,
        .gen = t->slots.gen,
        .listener = t->listener,
        .listening = t->listening,
        .watch = t->watch,
        .watch_gen = t->watch_gen,
    };

    return l;
}

/*@ // all of the table but the poller's batch is the same in A and in B
    predicate sizes_same{A, B}(struct tn_fd_table *t) =
        \at(t->slots.cap, A) == \at(t->slots.cap, B) &&
        \at(t->slots.live, A) == \at(t->slots.live, B) &&
        \at(t->slots.usable, A) == \at(t->slots.usable, B) &&
        \at(t->poller.fd, A) == \at(t->poller.fd, B);
    predicate slots_same{A, B}(struct tn_fd_table *t) =
        \forall integer s; 0 <= s < TN_CONNECTIONS ==>
            \at(t->slots.perm[s], A) == \at(t->slots.perm[s], B) &&
            \at(t->slots.pos[s], A) == \at(t->slots.pos[s], B) &&
            \at(t->slots.gen[s], A) == \at(t->slots.gen[s], B);
    predicate connections_same{A, B}(struct tn_fd_table *t) =
        \forall integer s; 0 <= s < TN_CONNECTIONS ==>
            \at(t->fd[s], A) == \at(t->fd[s], B) &&
            \at(t->interest[s], A) == \at(t->interest[s], B);
    predicate listeners_same{A, B}(struct tn_fd_table *t) =
        \forall integer l; 0 <= l < TN_LISTENERS ==>
            \at(t->listener[l], A) == \at(t->listener[l], B) &&
            \at(t->listening[l], A) == \at(t->listening[l], B);
    predicate watches_same{A, B}(struct tn_fd_table *t) =
        \forall integer w; 0 <= w < TN_WATCHES ==>
            \at(t->watch[w], A) == \at(t->watch[w], B) &&
            \at(t->watch_gen[w], A) == \at(t->watch_gen[w], B);
    predicate table_same{A, B}(struct tn_fd_table *t) =
        sizes_same{A, B}(t) && slots_same{A, B}(t) && connections_same{A, B}(t) &&
        listeners_same{A, B}(t) && watches_same{A, B}(t);
*/

/* Lends the lists of the table, l, to the poller for a wait. */
/*@ requires room:  \valid(t) && t->poller.pos == t->poller.count;
    requires open:  tn_poller_open(&t->poller);
    requires lists: tn_lists_ok(&t->poller, l);
    terminates \true; exits \false;
    assigns t->poller.pos, t->poller.count, t->poller.ready[0 .. TN_BATCH - 1], t->poller.turn,
            t->poller.vain, t->poller.moved, t->poller.waiting, t->poller.edges,
            t->poller.asked[0 .. TN_ASKED - 1], t->poller.who[0 .. TN_WHO - 1],
            k_ev_fd[0 .. TN_BATCH - 1], k_ev_inc[0 .. TN_BATCH - 1];
    ensures result: \result == TN_ESYSTEM || 0 <= \result <= TN_BATCH;
    ensures batch:  t->poller.pos == 0 && t->poller.count == (\result > 0 ? \result : 0);
    ensures reports: tn_reports_true(&t->poller);
    ensures same:   table_same{Pre, Post}(t);
*/
static int32_t wait_listed(struct tn_fd_table *t, struct tn_lists l, int32_t timeout_ms,
                           int64_t moved)
{
    const int32_t n = tn_poller_wait(&t->poller, l, timeout_ms, moved);

    //@ assert sizes: sizes_same{Pre, Here}(t);
    //@ assert slots: slots_same{Pre, Here}(t);
    //@ assert connections: connections_same{Pre, Here}(t);
    //@ assert listeners: listeners_same{Pre, Here}(t);
    //@ assert watches: watches_same{Pre, Here}(t);
    return n;
}

/* The same, for the lists that the table holds. */
/*@ requires shape: tn_table_shape(t) && t->poller.pos == t->poller.count;
    requires live:  tn_table_live(t);
    requires listening: tn_table_listening(t);
    requires polling: tn_table_polling(t);
    requires watching: tn_table_watching(t);
    terminates \true; exits \false;
    assigns t->poller.pos, t->poller.count, t->poller.ready[0 .. TN_BATCH - 1], t->poller.turn,
            t->poller.vain, t->poller.moved, t->poller.waiting, t->poller.edges,
            t->poller.asked[0 .. TN_ASKED - 1], t->poller.who[0 .. TN_WHO - 1],
            k_ev_fd[0 .. TN_BATCH - 1], k_ev_inc[0 .. TN_BATCH - 1];
    ensures result: \result == TN_ESYSTEM || 0 <= \result <= TN_BATCH;
    ensures batch:  t->poller.pos == 0 && t->poller.count == (\result > 0 ? \result : 0);
    ensures reports: tn_reports_true(&t->poller);
    ensures same:   table_same{Pre, Post}(t);
    ensures shape:  tn_table_shape(t);
*/
static int32_t wait_on_lists(struct tn_fd_table *t, int32_t timeout_ms, int64_t moved)
{
    const struct tn_lists l = lists_of(t);

    //@ assert room: tn_lists_room(l);
    //@ assert apart: tn_lists_apart(&t->poller, l);
    //@ assert told: tn_lists_true(l);
    return wait_listed(t, l, timeout_ms, moved);
}

int32_t tn_fd_table_wait(struct tn_fd_table *t, int32_t timeout_ms, int64_t moved)
{
    const int32_t n = wait_on_lists(t, timeout_ms, moved);

    //@ assert live: tn_table_live(t);
    //@ assert no_leak: tn_table_no_leak(t);
    /*@ assert owner: \forall integer f; 0 <= f < TN_SYS_FDS && k_reg[f] == 1 ==>
            k_reg_slot[f] < TN_COOKIES && (k_reg_slot[f] < TN_CONNECTIONS ==>
            k_reg_slot[f] < t->slots.cap && tn_slot_live(&t->slots, k_reg_slot[f]) &&
            t->fd[k_reg_slot[f]] == f); */
    return n;
}

/* Says whether the i-th report still has an owner: 1 or 0. */
/*@ requires shape: tn_table_shape(t);
    requires live: tn_table_live(t);
    requires report: i < TN_BATCH &&
        tn_report_ok(t, i, t->poller.ready[i].slot, t->poller.ready[i].gen);
    terminates \true; exits \false;
    assigns \nothing;
    ensures verdict: \result == 1 || \result == 0;
    ensures connection: \result == 1 && t->poller.ready[i].slot < TN_CONNECTIONS ==>
        tn_slot_live(&t->slots, t->poller.ready[i].slot) &&
        t->fd[t->poller.ready[i].slot] == k_ev_fd[i] &&
        k_inc[k_ev_fd[i]] == k_ev_inc[i];
    ensures there: \result == 1 && t->poller.ready[i].slot >= TN_CONNECTIONS ==>
        tn_table_there(t, t->poller.ready[i].slot);
*/
static uint32_t report_owned(const struct tn_fd_table *t, size_t i)
{
    const uint32_t s = t->poller.ready[i].slot;

    if (s < TN_CONNECTIONS)
        return t->slots.gen[s] == t->poller.ready[i].gen && t->fd[s] != -1;
    if (s < TN_WATCH_COOKIE)
        return t->listener[s - TN_LISTENER_COOKIE] != -1;
    return t->watch[s - TN_WATCH_COOKIE] != -1 &&
           t->watch_gen[s - TN_WATCH_COOKIE] == t->poller.ready[i].gen;
}

uint32_t tn_fd_table_next(struct tn_fd_table *t)
{
    size_t i;

    /*@ loop invariant reach: t->poller.pos <= i <= t->poller.count;
        loop assigns i;
        loop variant t->poller.count - i;
    */
    for (i = t->poller.pos; i < t->poller.count; i++)
        if (report_owned(t, i)) {
            t->poller.pos = i + 1;
            t->mask = t->poller.ready[i].mask;
            return t->poller.ready[i].slot;
        }
    t->poller.pos = i;
    return TN_NONE;
}

void tn_fd_table_fini(struct tn_fd_table *t)
{
    uint32_t i;

    /*@ loop invariant reach: 0 <= i <= TN_LISTENERS;
        loop invariant gone: \forall integer l; 0 <= l < i ==> t->listener[l] == -1;
        loop invariant foreign: \forall integer f; 0 <= f < TN_SYS_FDS &&
            \at(k_open[f], Pre) == 2 ==> k_open[f] == 2;
        TN_TABLE_OK(loop invariant, t);
        loop assigns i, t->listener[0 .. TN_LISTENERS - 1], t->listening[0 .. TN_LISTENERS - 1],
            k_open[0 .. TN_SYS_FDS - 1], k_reg[0 .. TN_SYS_FDS - 1];
        loop variant TN_LISTENERS - i;
    */
    for (i = 0; i < TN_LISTENERS; i++)
        if (t->listener[i] != -1)
            tn_fd_table_unlisten(t, i);
    /*@ loop invariant reach: 0 <= i <= TN_WATCHES;
        loop invariant gone: \forall integer w; 0 <= w < i ==> t->watch[w] == -1;
        TN_TABLE_OK(loop invariant, t);
        loop assigns i, t->watch[0 .. TN_WATCHES - 1], t->watch_gen[0 .. TN_WATCHES - 1],
            k_reg[0 .. TN_SYS_FDS - 1];
        loop variant TN_WATCHES - i;
    */
    for (i = 0; i < TN_WATCHES; i++)
        if (t->watch[i] != -1)
            tn_fd_table_unwatch(t, i);
    //@ assert none: \forall integer f; 0 <= f < TN_SYS_FDS ==> k_reg[f] != 1;
    tn_poller_close(&t->poller);
}
